"""Errors of API requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ._base import AignosticsError, is_transient_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..models import InvalidItem


class ConnectionFailed(AignosticsError):
    """No response arrived; `request_sent` tells whether the request may have reached the server.

    A transient error: trying again is likely to help. After a POST with `request_sent`, find out first
    whether it took effect.
    """

    def __init__(self, message: str, *, method: str, path: str, request_sent: bool) -> None:
        super().__init__(message)
        self.method = method
        self.path = path
        self.request_sent = request_sent

    @property
    def is_transient(self) -> bool:
        """Always True."""
        return True


class RequestTimeout(ConnectionFailed):
    """No response arrived in time."""


class InvalidResponse(AignosticsError):
    """A response does not fit the contract.

    `operation`, `reason` and `status` describe it; `excerpt` is the beginning of its body, redacted.
    """

    def __init__(self, reason: str, *, operation: str, status: int, excerpt: str) -> None:
        super().__init__(
            f"{operation}: the response (status {status}) does not fit the contract: {reason}. "
            f"Is the API root right, and is this the newest release of the SDK? Body: {excerpt!r}"
        )
        self.reason = reason
        self.operation = operation
        self.status = status
        self.excerpt = excerpt


class InvalidItems(InvalidResponse):
    """Some entries of a list can't be read; `invalid` lists them, and all others were yielded before."""

    def __init__(self, operation: str, invalid: Sequence[InvalidItem]) -> None:
        self.invalid = tuple(invalid)
        first = self.invalid[0]
        super().__init__(
            f"{len(self.invalid)} of its entries can't be read, the first because {first.reason}; "
            "all others were given",
            operation=operation,
            status=200,
            excerpt=first.excerpt,
        )


class APIStatusError(AignosticsError):
    """The API answered with an error status.

    `status`, `method` and `path` (without query) are always set. `detail` is the server's own words,
    redacted, and may be empty. `request_id` and `retry_after` (seconds) are None if the server did not send
    them. `answered_by` is "api" for an error in the API's own JSON, "gateway" for plain text or an empty
    body, else "unknown".
    """

    advice = "Read the server's words, and report the request id to the platform's support."

    def __init__(
        self,
        status: int,
        *,
        method: str,
        path: str,
        detail: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
        answered_by: Literal["api", "gateway", "unknown"] = "unknown",
    ) -> None:
        told = f": {detail}" if detail else ""
        ident = f" [request id {request_id}]" if request_id else ""
        super().__init__(f"{method} {path} answered {status}{told}{ident}. {self.advice}")
        self.status = status
        self.method = method
        self.path = path
        self.detail = detail
        self.request_id = request_id
        self.retry_after = retry_after
        self.answered_by = answered_by

    @property
    def is_transient(self) -> bool:
        """Whether `status` is likely to pass: 408, 425, 429, 500, 502, 503, 504, or 520 and above."""
        return is_transient_status(self.status)


class BadRequest(APIStatusError):
    """400: the server can't interpret the request; `detail` has its own words."""

    advice = "Fix the request; repeating it will not help."


class Unauthorized(APIStatusError):
    """401: the token is missing, expired or for another audience, and refreshing it did not help."""

    advice = "Sign in again, and check that the token belongs to this API root."


class QuotaExceeded(APIStatusError):
    """402: the request would exceed a quota; nothing was created, and `detail` has the server's own words."""

    advice = "Submit fewer items, wait for the next period, or ask the platform's support for a larger quota."


class Forbidden(APIStatusError):
    """403: the token is valid but does not allow this."""

    advice = "Check the organization of the login, its quota, and that the application is assigned to it."


class NotFound(APIStatusError):
    """404: there is no such run, application or page for this caller."""

    advice = "Check the id, and that it belongs to the user and organization of this login."


class RunVanished(NotFound):
    """A run that existed before is gone; `run_id` is its id."""

    advice = "It existed before: was it deleted? What was read of it before is still valid."

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self.path.rpartition("/")[2]


class Conflict(APIStatusError):
    """409: the state of the run does not allow this."""

    advice = "Read the run's details: it may be final already, or not yet."


class Gone(APIStatusError):
    """410: the resource was deleted."""

    advice = "It was deleted, by this request's first try or by somebody else; there is nothing left to do."


class PreconditionFailed(APIStatusError):
    """412: the resource was changed since it was read."""

    advice = "Read it again, then repeat the change."


class UnprocessableRequest(APIStatusError):
    """422: the server found faults in the request; `detail` lists them with their locations."""

    advice = "Fix the fields that it names; repeating the request will not help."


class TooManyRequests(APIStatusError):
    """429: too many requests; `retry_after` is the wait in seconds that the server asked for, or None."""

    advice = "Wait for `retry_after` seconds where given, then try again with fewer requests in flight."


class ServerError(APIStatusError):
    """5xx, and any higher number: the platform failed, not the request."""

    advice = "Try again later; if it persists, report the request id to the platform's support."


_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequest,
    401: Unauthorized,
    402: QuotaExceeded,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    412: PreconditionFailed,
    422: UnprocessableRequest,
    429: TooManyRequests,
}


def status_error_class(status: int) -> type[APIStatusError]:
    """Return the error class for an HTTP status of 300 or more.

    A status without a class of its own gets APIStatusError, or ServerError from 500 on.
    """
    if status >= 500:
        return ServerError
    return _BY_STATUS.get(status, APIStatusError)
