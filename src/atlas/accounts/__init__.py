"""Organizations, users, API keys, tags, usage, the audit trail; who may read and write what."""
