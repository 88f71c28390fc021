"""Routes of the time-series API."""
