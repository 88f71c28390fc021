"""Reports errors as one line on standard error and an exit code.

- 0: done.
- 1: refused or failed.
- 2: wrong usage.
- 3: a question was not understood. With --exit-code also: done, but issues wait.
- 4: not signed in, or no permission.
- 5: the server cannot be reached, or is not available now.
- 130: interrupted.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from atlas.errors import AtlasError, AuthenticationError, ForbiddenError

FAILED, USAGE, WAITING, DENIED, UNREACHABLE, INTERRUPTED = 1, 2, 3, 4, 5, 130
# A successful command ends with 0 even if issues wait, so that `&&` and `set -e` continue. `--exit-code` asks for more.
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit with 3 where issues wait for a decision.")]


class CommandError(Exception):
    """An error that ends a command. `code` is the exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def say(text: str) -> None:
    """Prints a message for the person at the terminal. Standard output is for results only."""
    print(text, file=sys.stderr, flush=True)


def fail(message: str, code: int) -> typer.Exit:
    """Prints the reason why a command ends. The caller raises the returned exception."""
    say(f"atlas: {' '.join(message.split())}")
    return typer.Exit(code)


def leave_waiting(waiting: bool, exit_code: bool) -> None:
    """Ends a finished command with exit code 3 if issues wait and `--exit-code` is given.

    Raises typer.Exit: in that case.
    """
    if waiting and exit_code:
        raise typer.Exit(WAITING)


@contextlib.contextmanager
def report_errors() -> Iterator[None]:
    """Turns expected errors into a line and an exit code, without a traceback."""
    try:
        yield
    except CommandError as error:
        raise fail(str(error), error.code) from None
    except AtlasError as error:
        denied = isinstance(error, AuthenticationError | ForbiddenError)
        details = f" ({error.details})" if error.details else ""
        raise fail(f"{error.message}{details}", DENIED if denied else FAILED) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise fail(f"{error.strerror or error}: {error.filename}" if error.filename else str(error), FAILED) from None
    except Exception as error:
        code = _client_code(error)
        if code is None:
            raise
        raise fail(str(error), code) from None


def _client_code(error: Exception) -> int | None:
    """Returns the exit code of a client error, or None for any other error."""
    from atlas.client import errors

    if isinstance(error, errors.AuthenticationFailed | errors.Forbidden):
        return DENIED
    if isinstance(error, errors.ConnectionFailed | errors.Unavailable):
        return UNREACHABLE
    return FAILED if isinstance(error, errors.AtlasClientError) else None
