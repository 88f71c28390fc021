"""The gate for callers' SQL: parsed, checked, resolved, rewritten, and run in a sandbox."""
