"""Formats in which the texts of a column are written: numbers, dates, booleans."""
