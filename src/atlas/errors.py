"""The tree of errors. Each class has its HTTP status, so that only `web` builds responses.

AtlasError
├── BadRequestError 400
│   └── RowError 400 (names the row, the field and the reason)
├── AuthenticationError 401
├── ForbiddenError 403
├── NotFoundError 404
├── ConflictError 409
├── TooLargeError 413
├── RateLimitedError 429
└── UnavailableError 503
    ├── OverloadedError 503 (names when to try again)
    ├── DiskFullError 503
    └── ModelError 503
"""

from __future__ import annotations

import difflib
import errno
import re
from collections.abc import Iterable


class AtlasError(Exception):
    """An error whose message and details are written for the caller to read."""

    status = 500

    def __init__(self, message: str, details: str | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.headers = headers


class BadRequestError(AtlasError):
    """The request is wrong, and the details say where."""

    status = 400


class RowError(BadRequestError):
    """A row of a body is wrong. `row` counts from 0; `field` is the path inside the row."""

    def __init__(self, row: int | None, field: str | None, reason: str) -> None:
        place = "" if row is None else f"rows[{row}]"
        if field:
            place = f"{place}.{field}" if place else field
        super().__init__("Invalid row data", f"{place}: {reason}" if place else reason)
        self.row = row
        self.field = field
        self.reason = reason


class AuthenticationError(AtlasError):
    """No key, or a key that is unknown, revoked or expired."""

    status = 401


class ForbiddenError(AtlasError):
    """The key is good, but its user may not do this."""

    status = 403


class NotFoundError(AtlasError):
    """The resource does not exist."""

    status = 404


class ConflictError(AtlasError):
    """The request contradicts what is stored, and the details say where."""

    status = 409


class TooLargeError(AtlasError):
    """The body is over the size limit."""

    status = 413


class RateLimitedError(AtlasError):
    """The user or organization has used up its requests for now, or has too many under way.

    The headers say when to retry.
    """

    status = 429


class UnavailableError(AtlasError):
    """The database does not answer."""

    status = 503


# The message of UnavailableError when the database does not answer.
UNREACHABLE = ("Database unavailable", "it cannot be reached; try again")


# Transient errors. Accepted work that fails with these errors is tried again, and has not failed.
TRANSIENT = (UnavailableError, RateLimitedError)


class OverloadedError(UnavailableError):
    """Too many requests are under way. The headers say when to retry."""

    def __init__(self, details: str) -> None:
        super().__init__("Server is busy", details, {"Retry-After": "1"})


class DiskFullError(UnavailableError):
    """The server's disk is full."""

    def __init__(self) -> None:
        super().__init__("Storage is full", "the server has no space left; nothing was stored, try again later")


def is_disk_full(error: BaseException | None) -> bool:
    """Returns whether an error, a cause of the error, or an error being handled was a full disk."""
    while error is not None:
        # DuckDB reports a full disk by its message alone.
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left on device" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


class ModelError(UnavailableError):
    """The model provider gave no usable answer. reason: the cause, without keys and without the provider's text."""

    def __init__(self, reason: str) -> None:
        super().__init__("The model provider failed", reason)
        self.reason = reason


# Names that other systems use for the same parameter. The names of one line stand for each other.
_SYNONYMS = (
    "search text q query term keyword filter name",
    "start from since after begin gte",
    "end to until before stop lte",
    "ordering order order_by orderby sort sort_by",
    "sort order order_by ordering",
    "output format fmt type",
    "format output fmt type",
    "limit page_size per_page size count top max_results first max_rows",
    "offset skip page start_index cursor",
    "columns column fields select keys",
    "dataset dataset_id id dataset_name",
    "bucket interval resolution step every window granularity",
    "functions function agg aggregate aggregation func",
    "prompt question query text",
    "sql query statement",
    "table_name table target_table_name",
    "timestamp time ts date",
    "values value data fields",
    "rows data records points items",
    "metadata meta labels",
    "instruction prompt text",
)


def unknown_name(name: str, known: Iterable[str]) -> str:
    """Returns the text that a name is not known, with the known name that was probably intended."""
    plain = {re.sub(r"[\W_]", "", one).lower(): one for one in known}
    asked = re.sub(r"[\W_]", "", name).lower()
    near = plain.get(asked) or next(iter(plain[one] for one in difflib.get_close_matches(asked, plain, 1, 0.7)), None)
    if near is None:
        groups = [line.split() for line in _SYNONYMS]
        near = next((one for group in groups if name.lower() in group for one in group if one in plain.values()), None)
    if near is None:
        near = next(iter(plain[one] for one in difflib.get_close_matches(asked, plain, 1, 0.5)), None)
    return "not known" if near is None else f"not known; did you mean {near}?"
