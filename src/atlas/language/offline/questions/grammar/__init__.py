"""A grammar with nested noun phrases: rows of a table, with conditions on related rows, ranks and figures."""
