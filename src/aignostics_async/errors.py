"""The whole error tree.

    AignosticsError
    ├── ConfigurationError              something to set is missing or can't be used
    │   └── MissingExtra                an optional dependency is not installed
    ├── UsageError                      a wrong argument, a closed client, a foreign event loop
    ├── SlideError                      a slide can't be read
    │   ├── NotASlide                   its content is something else
    │   ├── ResolutionUnknown           its resolution is missing or implausible
    │   └── ResolutionConflict          a resolution that was given contradicts the file's own
    ├── InvalidSubmission               faults of a run request, all of them, found before it is sent
    ├── AuthenticationError
    │   ├── LoginRequired               no credential is left that could give a token
    │   ├── LoginDenied                 the identity provider refused
    │   ├── LoginTimeout                nobody signed in in time
    │   ├── TokenEndpointUnavailable    the identity provider can't be reached or is failing
    │   └── TokenStoreError             the place where logins are kept can't be used
    ├── ConnectionFailed                no answer from the API
    │   └── RequestTimeout
    ├── InvalidResponse                 an answer that does not fit the contract
    │   └── InvalidItems                some entries of a list can't be read; the others were given
    ├── APIStatusError                  an answer that says no, by class:
    │   ├── BadRequest                  400
    │   ├── Unauthorized                401
    │   ├── QuotaExceeded               402
    │   ├── Forbidden                   403
    │   ├── NotFound                    404
    │   │   └── RunVanished             a run that was there before
    │   ├── Conflict                    409
    │   ├── Gone                        410
    │   ├── PreconditionFailed          412
    │   ├── UnprocessableRequest        422
    │   ├── TooManyRequests             429
    │   └── ServerError                 5xx
    ├── SubmissionUnknown               a run may or may not have been created
    ├── RunFailed                       the platform rejected or gave up a run
    ├── RunCancelled                    a run was cancelled
    ├── ItemFailed                      an item of a run ended without results
    ├── JobError                        a bulk job can't be opened, or can't go on
    │   ├── JobBusy                     another process works on it
    │   ├── JobRefused                  it is another account's, server's, version's or release's
    │   ├── JobDatabaseError            its database can't be written or read
    │   ├── JobStateError               a step that does not follow from the state there is
    │   └── JobStopped                  it stopped before its end, and can be resumed
    └── TransferError
        ├── TransferInterrupted         the storage can't be reached, failed, or broke off
        ├── ChecksumMismatch            the bytes are not the ones that were promised
        ├── ChecksumMissing             nobody promised anything about the bytes
        ├── UrlRefused                  a signed URL has expired or is not valid for this request
        ├── LocalFileChanged            a file changed while it was read
        ├── DiskFull                    no space is left in the target folder
        └── UnsafePath                  a name would leave the target folder

Every error pickles, says what to do next, and holds no token and no query of a signed URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .models import Fault, InvalidItem, RunDetails


def _revive(cls: type[AignosticsError], args: tuple[Any, ...], state: dict[str, Any]) -> AignosticsError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


# 408, 425, 429 and 503 ask for another try. The others are gateways and servers in trouble.
_TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


def is_transient_status(status: int) -> bool:
    """Whether a failure with this HTTP status is likely to pass by itself."""
    # No standard defines statuses from 520 on; gateways use them for their own failures.
    return status in _TRANSIENT_STATUSES or status >= 520


# Codes of object stores for failures that are likely to pass, whatever the status beside them.
_TRANSIENT_CODES = frozenset(
    {
        "BadDigest",  # the bytes changed on the way
        "ConditionalRequestConflict",
        "Crc64Mismatch",
        "IncompleteBody",
        "InternalError",
        "Md5Mismatch",
        "OperationAborted",
        "OperationTimedOut",
        "RequestLimitExceeded",
        "RequestTimeout",  # the body came too slowly
        "ServerBusy",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequests",
        "XAmzContentChecksumMismatch",
    }
)


def is_transient_code(code: str | None) -> bool:
    """Whether a failure with this error code of an object store is likely to pass by itself."""
    return code in _TRANSIENT_CODES


class AignosticsError(Exception):
    """The root of everything that this package raises on purpose."""

    @property
    def is_transient(self) -> bool:
        """Whether the failure is likely to pass by itself, so that the same call may succeed later.

        True for lost connections, for an identity provider or storage that is failing, and for the statuses
        408, 425, 429, 500, 502, 503, 504 and 520 and above. It does not say that repeating is safe: whether
        a POST took effect is another question.
        """
        return False

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception pickles by calling the class with self.args, which no error with keywords survives.
        return _revive, (type(self), self.args, self.__dict__.copy())


class ConfigurationError(AignosticsError):
    """A setting is missing or can't be used; the text names it and says what to set."""


class MissingExtra(ConfigurationError):
    """An optional dependency is not installed; `extra` is the extra of this distribution that brings it."""

    def __init__(self, purpose: str, *, extra: str) -> None:
        # From a checkout: nobody has registered the distribution's name at a package index yet.
        super().__init__(f"{purpose} needs the {extra} extra; in a checkout: pip install '.[{extra}]'")
        self.extra = extra


class UsageError(AignosticsError):
    """A call that can't work as it is written: a wrong argument, a closed client, a foreign event loop."""


class SlideError(AignosticsError):
    """A slide can't be read; `problem` says why, and `remedy` what to do where that does not say it."""

    def __init__(self, problem: str, *, path: str, remedy: str = "") -> None:
        super().__init__(f"{path}: {problem}; {remedy}" if remedy else f"{path}: {problem}")
        self.path = path
        self.problem = problem
        self.remedy = remedy


class NotASlide(SlideError):
    """The content of a file is no slide, or of a format that can't be read."""


class ResolutionUnknown(SlideError):
    """A slide's resolution is missing, or reads as one that no scanner has; give it by hand."""


class ResolutionConflict(SlideError):
    """A resolution that was given differs from the file's own by more than 2 %; say which one is right.

    `from_file` and `given` are µm per pixel, across and down.
    """

    def __init__(self, *, path: str, from_file: tuple[float, float], given: tuple[float, float]) -> None:
        ours, theirs = (
            " x ".join(f"{mpp:.4g}" for mpp in dict.fromkeys(each)) for each in (from_file, given)
        )
        super().__init__(
            f"its file says {ours} µm per pixel, and {theirs} was given",
            path=path,
            remedy="say for this slide which one is right: mpp_source 'file' or 'given'",
        )
        self.from_file = from_file
        self.given = given


class InvalidSubmission(AignosticsError):
    """A run request has faults; `faults` lists every one of them, and nothing was sent."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        listing = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(f"the run was not submitted, {count} to mend first:\n{listing}")


class AuthenticationError(AignosticsError):
    """No usable access token could be had."""


class LoginRequired(AuthenticationError):
    """No credential is left that could give a token; sign in again."""


class LoginDenied(AuthenticationError):
    """The identity provider refused the person, the client, or what it asked for."""


class LoginTimeout(AuthenticationError):
    """Nobody signed in in time."""


class TokenStoreError(AuthenticationError):
    """The place where logins are kept can't be used."""


class TokenEndpointUnavailable(AuthenticationError):
    """The identity provider can't be reached or is failing; `retry_after` is in seconds where it said so."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    @property
    def is_transient(self) -> bool:
        """Always true."""
        return True


class ConnectionFailed(AignosticsError):
    """No answer came. `request_sent` tells whether the request may have reached the server."""

    def __init__(self, message: str, *, method: str, path: str, request_sent: bool) -> None:
        super().__init__(message)
        self.method = method
        self.path = path
        self.request_sent = request_sent

    @property
    def is_transient(self) -> bool:
        """Always true."""
        return True


class RequestTimeout(ConnectionFailed):
    """No answer came in time."""


class InvalidResponse(AignosticsError):
    """An answer that does not fit the contract: `operation`, `status` and an `excerpt` of its body."""

    def __init__(self, reason: str, *, operation: str, status: int, excerpt: str) -> None:
        super().__init__(
            f"{operation}: the answer (status {status}) does not fit the contract: {reason}. "
            f"Is the API root right, and is this the newest release of the SDK? Body: {excerpt!r}"
        )
        self.reason = reason
        self.operation = operation
        self.status = status
        self.excerpt = excerpt


class InvalidItems(InvalidResponse):
    """Some entries of a list can't be read; every other entry was given before this was raised."""

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

    Carries `status`, `method`, `path` (without query), `request_id`, `detail` (the server's own words,
    redacted) and `retry_after` in seconds, the last three only where the server gave them. `answered_by` is
    "api" for an error in the API's own JSON, "gateway" for one in plain text or without a body, else
    "unknown".
    """

    advice = "Look at the server's words, and report the request id to the platform's support."

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
        """Whether `status` is one that is likely to pass."""
        return is_transient_status(self.status)


class BadRequest(APIStatusError):
    """400: the server can't make sense of the request."""

    advice = "Mend the request; repeating it will not help."


class Unauthorized(APIStatusError):
    """401: the token is missing, expired or of another audience, and a new one did not help."""

    advice = "Sign in again, and check that the token belongs to this API root."


class QuotaExceeded(APIStatusError):
    """402: a quota of slides would be exceeded, and nothing was created; `detail` has the server's words."""

    advice = "Submit fewer items, wait for the next period, or ask the platform's support for a larger quota."


class Forbidden(APIStatusError):
    """403: the token is valid and does not allow this."""

    advice = "Check the organization of the login, its quota, and that the application is assigned to it."


class NotFound(APIStatusError):
    """404: no such run, application or page, or not one of the caller's."""

    advice = "Check the id, and that it belongs to the user and organization of this login."


class RunVanished(NotFound):
    """A run that was there is not there any more; `run_id` says which."""

    advice = "It was there before: was it deleted? What was seen of it still holds."

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return self.path.rpartition("/")[2]


class Conflict(APIStatusError):
    """409: the state of the run does not allow this."""

    advice = "Read the run's details: it may be final already, or not yet."


class Gone(APIStatusError):
    """410: it existed and was deleted."""

    advice = "It was deleted, by this request's first try or by somebody else; there is nothing left to do."


class PreconditionFailed(APIStatusError):
    """412: it was changed since it was read."""

    advice = "Read it again, then repeat the change."


class UnprocessableRequest(APIStatusError):
    """422: the server found faults in the request; `detail` lists them with their places."""

    advice = "Mend the fields that it names; repeating the request will not help."


class TooManyRequests(APIStatusError):
    """429: too many requests."""

    advice = "Wait for `retry_after` seconds where given, then try again with fewer requests in flight."


class ServerError(APIStatusError):
    """5xx: the platform failed, not the request. Statuses that no standard knows count by their number."""

    advice = "Try again later; if it lasts, report the request id to the platform's support."


class SubmissionUnknown(AignosticsError):
    """The reply to a run request was lost: the run may exist, and sending it again may pay twice.

    `await client.runs.find(references=error.references, since=error.sent_at)` tells whether it does.
    `status` is that of a reply that proves nothing, if one came.
    """

    def __init__(
        self,
        *,
        references: Sequence[str],
        application_version_id: str,
        sent_at: datetime,
        reason: str,
        status: int | None = None,
    ) -> None:
        self.references = tuple(references)
        self.application_version_id = application_version_id
        self.sent_at = sent_at
        self.reason = reason
        self.status = status
        super().__init__(
            f"whether the run of {len(self.references)} items with {application_version_id}, sent at "
            f"{sent_at.isoformat(timespec='seconds')}, was created is unknown: {reason}. Do not send it "
            "again unless client.runs.find(references=error.references, since=error.sent_at) finds nothing "
            "some minutes later."
        )


class _RunEnded(AignosticsError):
    def __init__(self, message: str, *, details: RunDetails) -> None:
        super().__init__(message)
        self.details = details


class RunFailed(_RunEnded):
    """The platform rejected the run or gave it up; finished items can still be downloaded."""


class RunCancelled(_RunEnded):
    """The run was cancelled by its user; finished items can still be downloaded."""


class ItemFailed(AignosticsError):
    """An item ended without results; `status` and `error` are the platform's."""

    def __init__(self, *, reference: str, status: str, error: str | None) -> None:
        super().__init__(f"item {reference!r} ended as {status}: {error or 'no reason was given'}")
        self.reference = reference
        self.status = status
        self.error = error


class JobError(AignosticsError):
    """A bulk job can't be opened, or can't go on."""


class JobBusy(JobError):
    """Another process works on the job."""


class JobRefused(JobError):
    """The job was made for another account, server or application version, or by a newer release."""


class JobDatabaseError(JobError):
    """The database of a job can't be written or read."""


class JobStopped(JobError):
    """A job stopped before its end; mend what it names, then resume it. `cause` is the error behind it."""

    def __init__(self, message: str, *, cause: AignosticsError | None = None) -> None:
        super().__init__(f"the job stopped: {message}; then resume it")
        self.cause = cause


class JobStateError(JobError):
    """A step that does not follow from the state there is; nothing was changed."""


class TransferError(AignosticsError):
    """A file could not be moved; `name` says which."""

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


class TransferInterrupted(TransferError):
    """The storage can't be reached, failed, or broke off.

    `status` and `code`, the storage's own name of the error, are those of its answer where there was one.
    """

    def __init__(
        self, message: str, *, name: str, status: int | None = None, code: str | None = None
    ) -> None:
        super().__init__(message, name=name)
        self.status = status
        self.code = code

    @property
    def is_transient(self) -> bool:
        """Whether there was no answer, or one with a status or code that is likely to pass."""
        return self.status is None or is_transient_status(self.status) or is_transient_code(self.code)


class ChecksumMismatch(TransferError):
    """The bytes have another CRC32C than promised; both are in their wire form. No file was left.

    `problem` says what differs where that is not the CRC32C.
    """

    def __init__(self, *, name: str, expected: str, actual: str, problem: str | None = None) -> None:
        told = problem or f"the bytes have CRC32C {actual}, promised was {expected}"
        super().__init__(f"{told}; nothing was kept. Try again, and report it if it lasts", name=name)
        self.expected = expected
        self.actual = actual


class ChecksumMissing(TransferError):
    """The server gave no checksum, so the bytes of this file are as they came."""


class UrlRefused(TransferError):
    """The storage refused a request for good: the signed URL has expired, or does not allow it.

    `problem` is what it answered, `advice` what to do next; `status` is 0 where there was no answer, `code`
    the storage's own name of the error, where it gave one.
    """

    def __init__(
        self, problem: str, *, name: str, status: int, code: str | None = None, advice: str = ""
    ) -> None:
        super().__init__(f"{problem}; {advice}" if advice else problem, name=name)
        self.problem = problem
        self.advice = advice
        self.status = status
        self.code = code


class LocalFileChanged(TransferError):
    """A file changed while it was read; what was sent is not used."""


class DiskFull(TransferError):
    """No space is left in the target folder; nothing was left under a final name."""


class UnsafePath(TransferError):
    """A name would leave the target folder."""


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
    """Return the class of the tree for an HTTP status of 300 or more, known to IANA or not."""
    if status >= 500:
        return ServerError
    return _BY_STATUS.get(status, APIStatusError)
