"""Worker processes that parse untrusted files, so that a crash does not end the server."""
