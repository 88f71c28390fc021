"""The common parts of commands on a server: the choice of server and key, and the output of results and errors."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from atlas.cli.exit_codes import DENIED, USAGE, CommandError, report_errors, say
from atlas.cli.output import Json, show

if TYPE_CHECKING:
    from atlas.client import Client

DEFAULT_URL = "http://127.0.0.1:8000"
ProfileOption = Annotated[str | None, typer.Option("--profile", help="Server to use, of those you signed in to.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
UrlOption = Annotated[str | None, typer.Option("--url", help="Server to use, by its address; else ATLAS_URL.")]


@dataclass(frozen=True, slots=True)
class Target:
    """A server and its key, which may be missing.

    profile: the name of the profile with the server.
    """

    url: str
    api_key: str | None
    profile: str | None

    def __repr__(self) -> str:
        return f"Target(url={self.url!r}, profile={self.profile!r})"


def find_target(profile: str | None, url: str | None) -> Target:
    """Returns the server of the flags, else of the environment, else of the default profile.

    A profile's key is sent to that profile's server only, whatever other flags or variables say.
    Raises CommandError: when both flags are given.
    """
    from atlas.client import profiles

    if profile is not None and url is not None:
        raise CommandError("--profile and --url both name a server: give one", USAGE)
    key = os.environ.get("ATLAS_API_KEY") or None
    if profile is None:
        url = url or os.environ.get("ATLAS_URL") or None
    if url is not None:
        url = url.rstrip("/")
        if key is not None:
            return Target(url, key, None)
        same = next((one.name for one in profiles.list() if one.url == url), None)
        found = profiles.load(same) if same is not None else None
        return Target(url, found.api_key if found else None, same)
    found = profiles.load(profile)
    if found is None:
        return Target(DEFAULT_URL, key, None)
    if key is not None and profile is None:
        return Target(found.url, key, None)
    return Target(found.url, found.api_key, found.name)


class Session:
    """One run of a command.

    on_sent: called with the number of sent bytes of the request's body.
    """

    def __init__(self, as_json: bool, profile: str | None, url: str | None) -> None:
        self.as_json = as_json
        self._profile, self._url = profile, url
        self._opened: Client | None = None
        self._closing = ExitStack()
        self.on_sent: Callable[[int], None] = lambda done: None

    @cached_property
    def target(self) -> Target:
        return find_target(self._profile, self._url)

    @property
    def client(self) -> Client:
        """The client, opened at first use.

        Raises CommandError: when there is no key for the server.
        """
        if self._opened is None:
            if self.target.api_key is None:
                raise CommandError(f"not signed in to {self.target.url}: atlas login --url {self.target.url}", DENIED)
            from atlas.cli.upload_progress import counting_client
            from atlas.client import Client

            http = counting_client(self._sent)
            self._closing.callback(http.close)
            self._opened = Client(self.target.url, self.target.api_key, http_client=http)
        return self._opened

    def _sent(self, done: int) -> None:
        self.on_sent(done)

    def close(self) -> None:
        self._closing.close()

    def show(self, result: Any, columns: list[str] | None = None, empty: str = "nothing here") -> None:
        show(result, self.as_json, columns, empty)

    def say(self, text: str) -> None:
        say(text)

    def confirm(self, question: str, yes: bool) -> None:
        """Asks before an action that cannot be undone.

        Raises CommandError: when no terminal is there to answer, or the answer is no.
        """
        if yes:
            return
        if not sys.stdin.isatty():
            raise CommandError(f"{question} Nobody can answer here: add --yes")
        if not typer.confirm(question, err=True):
            raise CommandError("nothing was done")


def remote(command: Callable[..., None]) -> Callable[..., None]:
    """Turns a function whose first parameter is a Session into a command with --json, --profile and --url."""
    signature = inspect.signature(command)
    hints = get_type_hints(command, include_extras=True)
    own = [one.replace(annotation=hints[name]) for name, one in signature.parameters.items()][1:]
    common = {"as_json": (Json, False), "profile": (ProfileOption, None), "url": (UrlOption, None)}
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
        for name, (kind, default) in common.items()
    ]

    @functools.wraps(command)
    def run(*args: Any, as_json: bool, profile: str | None, url: str | None, **given: Any) -> None:
        session = Session(as_json, profile, url)
        with report_errors():
            try:
                command(session, *args, **given)
            finally:
                session.close()

    own = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
    made: Any = run
    made.__signature__ = signature.replace(parameters=[*own, *added])
    made.__annotations__ = {one.name: one.annotation for one in [*own, *added]}
    return run
