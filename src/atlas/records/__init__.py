"""Single rows of tables: read, written, updated, by JSON or by sentence."""
