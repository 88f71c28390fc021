"""Import instructions: clauses in four languages, and what they say together."""
