"""The parser of questions, clause by clause."""
