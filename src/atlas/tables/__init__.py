"""Tables of organizations: their columns, rows and bulk changes."""
