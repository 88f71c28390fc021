"""Request bodies to Arrow frames."""
