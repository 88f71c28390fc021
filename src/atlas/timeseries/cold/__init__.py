"""Cold rows: rows that change no more, packed."""
