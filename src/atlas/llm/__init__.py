"""Settings and calls of model providers."""
