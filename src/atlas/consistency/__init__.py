"""Checks whether the data in a database is consistent."""
