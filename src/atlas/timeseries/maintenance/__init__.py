"""Work on datasets in the background."""
