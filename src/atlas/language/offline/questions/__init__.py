"""Answers questions in English without a model: words are linked to the schema, and a grammar makes a typed query."""
