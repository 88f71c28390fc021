"""The catalog: tables, datasets and columns that a caller may name in SQL and in questions."""
