"""SQL that people keep and share, and their favourites."""
