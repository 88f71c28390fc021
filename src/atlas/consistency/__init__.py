"""Whether what a database holds is consistent."""
