"""Pages, downloads and aggregates of rows."""
