"""Errors of API requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ._base import AignosticsError, is_transient_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..models import InvalidItem


class ConnectionFailed(AignosticsError):
    """No complete response arrived.

    `method` and `path` (without query) name the request. `request_sent` tells whether it may have reached the
    server: after a POST with `request_sent`, find out whether it took effect before sending it again.
    """

    def __init__(self, message: str, *, method: str, path: str, request_sent: bool) -> None:
        super().__init__(message)
        self.method = method
        self.path = path
        self.request_sent = request_sent

    @property
    def is_transient(self) -> bool:
        """Always True: the same request may succeed later."""
        return True


class RequestTimeout(ConnectionFailed):
    """One of the `Timeouts` ended before a response was complete; the attributes are those of
    `ConnectionFailed`.
    """


class PlatformDown(AignosticsError):
    """The platform reports that it is DOWN, so nothing was sent.

    Wait until `Client.health` reports another status, or pass `force=True` to `Runs.submit`.
    """

    def __init__(self, advice: str = "") -> None:
        told = f"; {advice}" if advice else ""
        super().__init__(f"the platform says that it is DOWN; wait until it is up{told}")

    @property
    def is_transient(self) -> bool:
        """Always True: the platform is expected to come up again."""
        return True


class InvalidResponse(AignosticsError):
    """A response does not fit the contract.

    `operation` is what was requested, such as `list runs`; `reason` what is wrong; `status` the HTTP status,
    200 by default; and `excerpt` the beginning of the body, with secrets redacted, empty by default.
    """

    def __init__(self, reason: str, *, operation: str, status: int = 200, excerpt: str = "") -> None:
        super().__init__(
            f"{operation}: the response (status {status}) does not fit the contract: {reason}. "
            f"Is the API root right, and is this the newest release of the SDK? Body: {excerpt!r}"
        )
        self.reason = reason
        self.operation = operation
        self.status = status
        self.excerpt = excerpt


class InvalidItems(InvalidResponse):
    """Some entries of a listing can't be read.

    A `Pager` raises it after yielding all other entries; `Pager.to_list` and `Runs.find` raise it instead of
    returning anything. `invalid` is a tuple of `InvalidItem`, one per entry that can't be read. Iterate over
    `Pager.pages` to get both kinds of entries in one loop.
    """

    def __init__(self, operation: str, invalid: Sequence[InvalidItem]) -> None:
        self.invalid = tuple(invalid)
        first = self.invalid[0]
        super().__init__(
            f"{len(self.invalid)} of its entries can't be read, the first because {first.reason}; "
            "all others were given",
            operation=operation,
            excerpt=first.excerpt,
        )


class APIStatusError(AignosticsError):
    """The API answered with an error status; most statuses have a class of their own below this one.

        except APIStatusError as error:
            print(error.status, error.detail, error.request_id)

    `status`, `method` and `path` (without query) are always set. `detail` is the server's own message, with
    secrets redacted; it may be empty. `request_id` and `retry_after` (in seconds) are None if the server did
    not send them. `answered_by` is "api" for an error in the API's own JSON, "gateway" for plain text or an
    empty body, else "unknown". `advice` says what to do next.
    """

    advice = "Read the server's words, and report the request id to the platform's support."
    """What to do next, for people; each class has its own."""
    attempt = 1
    """Which attempt was answered so: from 2 on, an earlier one may have taken effect unheard."""

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
    """400: the server can't interpret the request.

    Fix the request; repeating it will not help. `detail` is the server's own message.
    """

    advice = "Fix the request; repeating it will not help."


class Unauthorized(APIStatusError):
    """401: the token is missing, expired, revoked or for another audience.

    Sign in again, and check that the token belongs to this API root.
    """

    advice = "Sign in again, and check that the token belongs to this API root."


class QuotaExceeded(APIStatusError):
    """402: the request would exceed a quota; nothing was created.

    Submit fewer items, or wait for the next period. `detail` is the server's own message.
    """

    advice = "Submit fewer items, wait for the next period, or ask the platform's support for a larger quota."


class Forbidden(APIStatusError):
    """403: the token is valid but does not permit this request.

    Check the organization of the login, and that the application is assigned to it.
    """

    advice = "Check the organization of the login, its quota, and that the application is assigned to it."


class NotFound(APIStatusError):
    """404: there is no such run, artifact, application, version or page, or it belongs to another user.

    Check the id, and the user and organization of the login.
    """

    advice = "Check the id, and that it belongs to the user and organization of this login."


class RunVanished(NotFound):
    """A run that existed is gone, usually because it was deleted.

    `run_id` is its id. What was already read of the run is still valid.
    """

    advice = "It existed before: was it deleted? What was read of it before is still valid."

    @property
    def run_id(self) -> str:
        """The id of the run that is gone, a UUID."""
        return self.path.rpartition("/")[2]


class Conflict(APIStatusError):
    """409: the current state of the run does not permit this request, such as cancelling a completed run.

    Read the run's details before you try again.
    """

    advice = "Read the run's details: it may be final already, or not yet."


class Gone(APIStatusError):
    """410: the resource was deleted, by an earlier attempt of this request or by somebody else.

    There is nothing left to do; repeating the request will not help.
    """

    advice = "It was deleted, by this request's first try or by somebody else; there is nothing left to do."


class PreconditionFailed(APIStatusError):
    """412: the resource was changed since it was read, so the request was not carried out.

    Read the resource again, then repeat the change.
    """

    advice = "Read it again, then repeat the change."


class UnprocessableRequest(APIStatusError):
    """422: the server found faults in the request; `detail` lists them with their locations.

    For example `body.items.0.reference: Field required`.
    """

    advice = "Fix the fields that it names; repeating the request will not help."


class TooManyRequests(APIStatusError):
    """429: too many requests; `retry_after` is the wait in seconds that the server asked for, or None.

    The client itself repeats a GET, PUT or DELETE, after a wait of up to `Retries.max_retry_after` (120 s).
    The error is raised if the server asks for a longer wait, after the last attempt, and at once for a POST.
    """

    advice = "Wait for `retry_after` seconds where given, then try again with fewer requests in flight."


class ServerError(APIStatusError):
    """Any status from 500 on: the platform or a gateway failed.

    If the error is transient, the client itself repeats a GET, PUT or DELETE as `Retries` says, and raises
    the error after the last attempt; it does not repeat a POST.
    """

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

        status_error_class(404)  # NotFound

    A status without a class of its own gets ServerError from 500 on, and APIStatusError below.
    """
    if status >= 500:
        return ServerError
    return _BY_STATUS.get(status, APIStatusError)
