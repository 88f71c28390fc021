"""Organizations, users, API keys, tags, usage and the audit log, and the rights to read and write."""
