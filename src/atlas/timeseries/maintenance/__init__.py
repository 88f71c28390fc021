"""Background work on datasets."""
