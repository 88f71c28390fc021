"""What Atlas does: rules and order of work, with no SQL and no HTTP."""
