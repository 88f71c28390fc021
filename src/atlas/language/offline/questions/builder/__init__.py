"""Builds the query of a parsed question."""
