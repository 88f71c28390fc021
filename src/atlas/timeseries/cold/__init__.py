"""Rows that change no more, packed."""
