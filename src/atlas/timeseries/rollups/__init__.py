"""Rollups: aggregates of rows by levels of time buckets, kept beside the rows."""
