"""The client's server, for assistants."""

from tests.client.conftest import no_profiles, server

__all__ = ["no_profiles", "server"]
