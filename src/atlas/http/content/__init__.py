"""Routes of the content API, `/api/v1`."""
