"""The parser of questions, one clause at a time."""
