"""What Atlas answers with: a dataclass for each JSON object.

Services make them, HTTP sends them, and the client reads them, so a member is named in one place.

Nothing here needs a library, so that the client works without those of the server.
"""
