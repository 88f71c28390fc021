"""Imports of one file into one table: plan, checks, matching, writing and undo."""
