"""Completes the OpenAPI document, so that generators can make whole clients."""

from atlas.web.openapi.document import install

__all__ = ["install"]
