"""The atlas command."""
