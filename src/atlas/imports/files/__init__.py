"""Files of strangers: recognized, decoded and read as records."""
