"""Questions in English about tables and datasets, and their answers."""
