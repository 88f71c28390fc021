"""Processes that read what strangers sent, for a server that must outlive them."""
