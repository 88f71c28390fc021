"""Natural language to typed plans."""
