"""One file into one table: planned, checked, matched, written, undone."""
