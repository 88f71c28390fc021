"""What a caller may name in SQL and in questions."""
