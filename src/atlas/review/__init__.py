"""Review of issues: duplicates, validation failures and value replacements."""
