"""What columns and headers of a file mean."""
