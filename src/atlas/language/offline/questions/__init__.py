"""Questions in English answered without a model: words are linked to the schema, and a grammar makes a typed query."""
