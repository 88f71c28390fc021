"""The contract: a dataclass for each JSON object of an answer.

Services make the dataclasses, HTTP sends them, and the client reads them. Therefore each member is named in one place.
This package needs no library, so that the client works without the server's libraries.
"""
