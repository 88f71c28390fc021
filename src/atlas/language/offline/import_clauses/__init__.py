"""The parser of import instructions: clauses in four languages, and their combined meaning."""
