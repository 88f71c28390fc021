"""From a request's body to committed rows."""
