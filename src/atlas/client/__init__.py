"""The Python client. It needs none of the server's libraries."""
