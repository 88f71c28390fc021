"""Recognizes, decodes and reads files of strangers as records."""
