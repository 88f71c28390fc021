"""Questions in English on tables and datasets, and their answers."""
