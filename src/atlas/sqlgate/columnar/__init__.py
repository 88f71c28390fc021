"""Queries on datasets with packed rows, run column by column by DuckDB in a worker process."""
