"""SQL that users save and share, and users' favourites."""
