"""What the client raises.

AtlasClientError
├── ConnectionFailed       no server answers there, or it stopped answering
├── ProfileError           the profiles on this machine cannot be read or written
├── DataError              what is to be sent, or what came back, cannot be encoded or read
├── MissingExtra           a library that the call needs is not installed (also an ImportError)
├── WebhookRefused         a webhook that is not signed with the secret, or is too old
├── WaitTimeout            what was waited for took too long (also a TimeoutError)
└── ApiError               the server answered with an error
    ├── Invalid             400, 405, 413, 422
    ├── AuthenticationFailed 401
    ├── Forbidden           403
    ├── NotFound            404
    ├── RateLimited         429
    └── ServerFault         500 and others from there on
        └── Unavailable     502, 503, 504
"""

from __future__ import annotations


class AtlasClientError(Exception):
    """Base of all. message and details are written for people.

    rows_inserted: what `rows.bulk_insert` had committed before, in batches that stay.
    """

    def __init__(self, message: str, details: str | None = None) -> None:
        super().__init__(f"{message}: {details}" if details else message)
        self.message = message
        self.details = details
        self.rows_inserted = 0


class ConnectionFailed(AtlasClientError):
    """The server cannot be reached, or the connection broke and could not be taken up again."""


class ProfileError(AtlasClientError):
    """The profiles on this machine cannot be read or written, or there is none of that name."""


class DataError(AtlasClientError):
    """Data that cannot be encoded, or an answer that is not what the server promises."""


class MissingExtra(AtlasClientError, ImportError):
    """A library that only some calls need is not installed; the message says how to get it."""


class WebhookRefused(AtlasClientError):
    """A webhook whose signature does not fit its body and the secret, or whose time is too far off."""


class WaitTimeout(AtlasClientError, TimeoutError):
    """What was waited for did not happen in time. It may still happen."""


class ApiError(AtlasClientError):
    """An error that the server answered with.

    status: of HTTP. request_id: to look for in the server's log. retry_after: seconds, where the server named them.
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
    """400, 405, 413, 422: the request is wrong; details name the field, and the row where there are many."""


class AuthenticationFailed(ApiError):
    """401: no key, or one that is unknown, revoked or expired."""


class Forbidden(ApiError):
    """403: the key is good, but its user may not do this."""


class NotFound(ApiError):
    """404: there is no such thing, or none that you may see."""


class RateLimited(ApiError):
    """429: the key's requests are used up for now; see retry_after."""


class ServerFault(ApiError):
    """500: a fault of the server; its log has more under request_id."""


class Unavailable(ServerFault):
    """502, 503, 504: the server or its database does not answer now."""


CLASSES: dict[int, type[ApiError]] = {
    401: AuthenticationFailed,
    403: Forbidden,
    404: NotFound,
    429: RateLimited,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def error_class(status: int) -> type[ApiError]:
    """The class of a status from 400 on."""
    return CLASSES.get(status, ServerFault if status >= 500 else Invalid)
