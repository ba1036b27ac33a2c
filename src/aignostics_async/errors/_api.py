"""Errors of API requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ._base import AignosticsError, is_transient_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..models import InvalidItem


_ABSENT = frozenset({404, 410})
_UNPROVEN = (
    "The API has not written this, so it proves nothing: check the API root, or try again when the gateway "
    "in front of the API finds it again."
)


class ConnectionFailed(AignosticsError):
    """An API request that got no complete response.

        try:
            await run.cancel()
        except ConnectionFailed as error:
            print(error.method, error.path, error.request_sent)

    Raised after the last attempt. `method` is the HTTP method in capitals, and `path` the path of the URL
    without query. `request_sent` is False only if the last attempt did not reach the server. After a POST
    with `request_sent`, find out whether it took effect before you send it again.
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
    """An API request that exceeded one of its `Timeouts`, or the 30 s of `Client.health` and
    `check_contract`.

    The attributes, and what to do, are those of `ConnectionFailed`. `request_sent` is False after the
    timeouts `connect` and `pool`.
    """


class PlatformDown(AignosticsError):
    """A submission that was refused because the platform reports that it is DOWN; nothing was uploaded.

    Raised by `Runs.submit` under contract 1.8, before any slide is read. Wait until `Client.health` reports
    another status, or pass `force=True`.
    """

    def __init__(self, advice: str = "") -> None:
        told = f"; {advice}" if advice else ""
        super().__init__(f"the platform says that it is DOWN; wait until it is up{told}")

    @property
    def is_transient(self) -> bool:
        """Always True: the same call may succeed later."""
        return True


class InvalidResponse(AignosticsError):
    """A response that does not fit the contract.

    Requests to the API raise it. `operation` is what was requested, such as `list runs`; `reason` what is
    wrong; `status` the HTTP status, 200 by default and if the compression of the body is damaged; and
    `excerpt` the beginning of the body, at most 300 characters with secrets redacted, empty by default. Check
    the API root, the contract of the client and the release of this package. After a POST that raised it,
    find out whether it took effect.
    """

    def __init__(self, reason: str, *, operation: str, status: int = 200, excerpt: str = "") -> None:
        super().__init__(
            f"{operation}: the response (status {status}) does not fit the contract: "
            f"{reason.removesuffix('.')}. Is the API root right, and is this the newest release of the SDK? "
            f"Body: {excerpt!r}"
        )
        self.reason = reason
        self.operation = operation
        self.status = status
        self.excerpt = excerpt


class InvalidItems(InvalidResponse):
    """Entries of a listing that can't be read.

        try:
            async for run in client.runs.list(): ...
        except InvalidItems as error:
            print([entry.reason for entry in error.invalid])

    A `Pager` raises it after yielding all other entries, another method if it can't return a complete result.
    `invalid` is a tuple of `InvalidItem`, at least one; `status` is 200, and the other attributes are those
    of `InvalidResponse`. `Pager.pages` yields both kinds of entries.
    """

    def __init__(self, operation: str, invalid: Sequence[InvalidItem]) -> None:
        self.invalid = tuple(invalid)
        first = self.invalid[0]
        super().__init__(
            f"{len(self.invalid)} of its entries can't be read, the first because {first.reason}; "
            "all others can be",
            operation=operation,
            excerpt=first.excerpt,
        )


class APIStatusError(AignosticsError):
    """A response of the API with an error status; the usual statuses have subclasses of their own.

        try:
            details = await run.details()
        except APIStatusError as error:
            print(error.status, error.detail, error.request_id)

    Raised after the last attempt for a response that is neither 2xx nor an expected redirect. `status` is the
    HTTP status, `method` the HTTP method in capitals, and `path` the path of the URL without query. `detail`
    is the server's message, at most 2,000 characters with secrets redacted, and empty by default.
    `request_id`, which the platform's support asks for, and `retry_after`, in seconds, are None if the
    response has none. `answered_by` is `"api"` for a JSON object with a `detail`, which is no problem
    document, else `"gateway"` for plain text or an empty body, else `"unknown"`. `attempt` is the number of
    the attempt that got the response, from 1. `advice` says what to do next, for people.
    """

    advice = "Read the server's words, and report the request id to the platform's support."
    """What to do next, in a sentence for people; each class has its own."""
    attempt = 1
    """The number of the attempt that got this response, from 1. From 2 on, an earlier attempt may have taken
    effect.
    """

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
        self.status = status
        self.advice = self._advise(method, path, retry_after)
        told = f": {detail}" if detail else ""
        ident = f" [request id {request_id}]" if request_id else ""
        super().__init__(f"{method} {path} answered {status}{told}{ident}. {self.advice}")
        self.method = method
        self.path = path
        self.detail = detail
        self.request_id = request_id
        self.retry_after = retry_after
        self.answered_by = answered_by

    def _advise(self, method: str, path: str, retry_after: float | None) -> str:  # noqa: ARG002
        return _UNPROVEN if self._is_unproven else self.advice

    @property
    def is_transient(self) -> bool:
        """Whether `status` is likely to pass: 408, 425, 429, 500, 502, 503, 504, or 520 and above.

        A 404 or 410 that the API has not written is, too.
        """
        return is_transient_status(self.status) or self._is_unproven

    @property
    def _is_unproven(self) -> bool:
        """Whether something is absent, and not the API says so: that has classes of its own."""
        return type(self) is APIStatusError and self.status in _ABSENT


class BadRequest(APIStatusError):
    """A 400 response: the server can't interpret the request.

    Fix the request as `detail` says; repeating it will not help. The attributes are those of
    `APIStatusError`.
    """

    advice = "Fix the request; repeating it will not help."


class Unauthorized(APIStatusError):
    """A 401 response, usually because the token is expired, revoked or for another audience.

    The client has asked its token source for another token before, as `TokenSource.get_token` says. Sign in
    again, and check that the token belongs to this API root. The attributes are those of `APIStatusError`.
    """

    advice = "Sign in again, and check that the token belongs to this API root."


class QuotaExceeded(APIStatusError):
    """A 402 response: the request would exceed a quota.

    If `Runs.create` or `Runs.submit` raises it, no run was created. Submit fewer items, wait for the next
    period, or ask the platform's support for a larger quota. The attributes are those of `APIStatusError`.
    """

    advice = "Submit fewer items, wait for the next period, or ask the platform's support for a larger quota."


class Forbidden(APIStatusError):
    """A 403 response: the token is valid but does not permit this request.

    Check the organization of the login, its quota, and that the application is assigned to it. The attributes
    are those of `APIStatusError`.
    """

    advice = "Check the organization of the login, its quota, and that the application is assigned to it."


class NotFound(APIStatusError):
    """A 404 response of the API: the run, item, artifact, application, version, document or page does not
    exist, or belongs to another user.

    A 404 whose body is not JSON with a `detail` did not come from the API, and raises a plain APIStatusError
    instead, which proves nothing. NotFound is raised, too, with `status` 404, if a listing that was read has
    no such item or version. The attributes are those of `APIStatusError`.
    """

    advice = "Check the id, and that it belongs to the user and organization of this login."


class RunVanished(NotFound):
    """A 404 response for a run that existed before, usually because the run was deleted.

    Raised by `Run.watch`, `Run.wait` and `Run.download`, and in an ExceptionGroup by `Client.watch` and
    `Client.download_as_completed`. `run_id` is its id; the other attributes are those of `APIStatusError`.
    """

    advice = "It existed before: was it deleted? What was read of it before is still valid."

    @property
    def run_id(self) -> str:
        """The id of the run that is gone, a UUID."""
        return self.path.rpartition("/")[2]


class Conflict(APIStatusError):
    """A 409 response: the current state of the resource does not permit this request.

    Raised by `Run.cancel` for a run that has ended and was not cancelled, and by `Run.delete_results` for one
    that has not ended. Read the run's details before you try again. The attributes are those of
    `APIStatusError`.
    """

    advice = "Read the run's details: its state does not permit this."

    def _advise(self, method: str, path: str, retry_after: float | None) -> str:
        if path.endswith("/cancel"):
            return "It has ended: nothing is left to cancel."
        if method == "DELETE":
            return "It has not ended: wait for its end, or cancel it first."
        return super()._advise(method, path, retry_after)


class Gone(APIStatusError):
    """A 410 response of the API: the resource was deleted, by an earlier attempt of this request, by somebody
    else or by the platform.

    Repeating the request will not help. `Run.delete_results` does not raise it, and `Run.artifact_url`
    returns None instead. The attributes are those of `APIStatusError`.
    """

    advice = "It was deleted, by this request's first try or by somebody else; there is nothing left to do."


ABSENCES = (Gone, NotFound)
"""Errors that say that something is not there, or not any more."""


class PreconditionFailed(APIStatusError):
    """A 412 response: the resource was changed since it was read.

    Raised by `Run.set_metadata` and `Run.set_item_metadata`, and by `Run.update_metadata` and
    `Run.update_item_metadata` after ten attempts. Read the resource again, then repeat the change. The
    attributes are those of `APIStatusError`.
    """

    advice = "Read it again, then repeat the change."


class UnprocessableRequest(APIStatusError):
    """A 422 response: the server found faults in the request.

    `detail` mostly lists them with their locations, such as `body.items.0.reference: Field required`. Fix
    them; repeating the request will not help. The other attributes are those of `APIStatusError`.
    """

    advice = "Fix the fields that it names; repeating the request will not help."


class TooManyRequests(APIStatusError):
    """A 429 response: the server limits the rate of requests.

        try:
            run = await client.runs.create(version, items)
        except TooManyRequests as error:
            await asyncio.sleep(error.retry_after or 60)

    The client itself repeats a GET, PUT or DELETE as `Retries` says; a POST is not repeated. Wait for
    `retry_after` seconds, or some time if it is None, and then send fewer requests at once. The other
    attributes are those of `APIStatusError`.
    """

    advice = "Wait a while, then try again with fewer requests in flight."

    def _advise(self, method: str, path: str, retry_after: float | None) -> str:
        if retry_after is None:
            return super()._advise(method, path, retry_after)
        return f"Wait {retry_after:g} s, then try again with fewer requests in flight."


class ServerError(APIStatusError):
    """A response with a status from 500 on: the platform or a gateway failed.

    The client itself repeats a GET, PUT or DELETE with a transient status as `Retries` says. A POST is not
    repeated: it may have taken effect. The attributes are those of `APIStatusError`.
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

    A status without a class of its own has ServerError from 500 on, and APIStatusError below.
    """
    if status >= 500:
        return ServerError
    return _BY_STATUS.get(status, APIStatusError)
