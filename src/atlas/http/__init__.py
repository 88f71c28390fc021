"""HTTP: routes, dependencies, error shapes and middleware. Handlers hold no logic."""
