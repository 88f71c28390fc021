"""From a parsed question to its query."""
