"""Events that Atlas posts to the URLs of receivers."""
