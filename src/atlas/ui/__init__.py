"""The web interface: one page and its modules, served with a strict content security policy."""
