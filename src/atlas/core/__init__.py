"""Pure types and functions: no input, no output, no settings."""
