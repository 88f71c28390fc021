"""Aggregates by levels of time, kept beside the rows."""
