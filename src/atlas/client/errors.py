"""Errors that the client raises.

AtlasClientError
├── ConnectionFailed       no server answers there, or it stopped answering
├── ProfileError           the profiles on this machine cannot be read or written
├── DataError              data to send, or an answer, cannot be encoded or read
├── MissingExtra           a library that the call needs is not installed (also an ImportError)
├── WebhookRefused         a webhook that is not signed with the secret, or is too old
├── WaitTimeout            an awaited event took too long (also a TimeoutError)
└── ApiError               the server answered with an error
    ├── Invalid             400, 405, 413, 422
    ├── AuthenticationFailed 401
    ├── Forbidden           403
    ├── NotFound            404
    ├── RateLimited         429
    └── ServerFault         500 and above
        └── Unavailable     502, 503, 504
"""

from __future__ import annotations


class AtlasClientError(Exception):
    """Base class of all errors. message and details are written for people.

    rows_inserted: number of rows in batches that `rows.bulk_insert` had committed before the error. These batches stay.
    """

    def __init__(self, message: str, details: str | None = None) -> None:
        super().__init__(f"{message}: {details}" if details else message)
        self.message = message
        self.details = details
        self.rows_inserted = 0


class ConnectionFailed(AtlasClientError):
    """The server cannot be reached, or the connection broke and could not be restored."""


class ProfileError(AtlasClientError):
    """The profiles on this machine cannot be read or written, or no profile has that name."""


class DataError(AtlasClientError):
    """Data cannot be encoded, or an answer does not have the promised form."""


class MissingExtra(AtlasClientError, ImportError):
    """A library that only some calls need is not installed; the message says how to get it."""


class WebhookRefused(AtlasClientError):
    """A webhook has a signature that does not fit its body and the secret, or a time that is too far off."""


class WaitTimeout(AtlasClientError, TimeoutError):
    """An awaited event did not happen in time. The event may still happen."""


class ApiError(AtlasClientError):
    """The server answered with an error.

    - status: the status of HTTP.
    - request_id: an id to search for in the server's log.
    - retry_after: seconds, if the server named them.
    """

    def __init__(
        self,
        status: int,
        message: str,
        details: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, details)
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after


class Invalid(ApiError):
    """400, 405, 413, 422: the request is invalid. details name the field, and the row if there are many."""


class AuthenticationFailed(ApiError):
    """401: the key is missing, unknown, revoked or expired."""


class Forbidden(ApiError):
    """403: the key is valid, but its user may not do this."""


class NotFound(ApiError):
    """404: the object does not exist, or you may not see it."""


class Conflict(Invalid):
    """409: rows are there already, and the policy for conflicts is `reject`. details name the first of them."""


class RateLimited(ApiError):
    """429: the key's limit of requests is reached; see retry_after."""


class ServerFault(ApiError):
    """500: a fault of the server, whose log has more under request_id."""


class Unavailable(ServerFault):
    """502, 503, 504: the server or its database does not answer now."""


CLASSES: dict[int, type[ApiError]] = {
    401: AuthenticationFailed,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def error_class(status: int) -> type[ApiError]:
    """Returns the error class of a status from 400 on."""
    return CLASSES.get(status, ServerFault if status >= 500 else Invalid)
