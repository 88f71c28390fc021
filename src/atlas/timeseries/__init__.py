"""Datasets of timestamped rows."""
