"""Webhooks: events that Atlas posts to the URLs of receivers."""
