"""A server of the Model Context Protocol, which gives assistants the rights of one API key."""
