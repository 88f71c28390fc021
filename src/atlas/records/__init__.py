"""Single rows of tables: read, written and updated, by JSON or by sentence."""
