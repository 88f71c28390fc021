"""HTTP without a domain: middleware, limits, parameters, error shapes, ranges of files."""
