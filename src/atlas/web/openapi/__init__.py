"""The OpenAPI document, completed so that generators make whole clients of it."""

from atlas.web.openapi.document import install

__all__ = ["install"]
