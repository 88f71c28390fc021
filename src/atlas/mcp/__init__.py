"""Atlas for assistants: a server of the Model Context Protocol that works with one key's rights."""
