"""Infers types, headers and the matching of columns."""
