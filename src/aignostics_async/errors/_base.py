"""The root of the error tree, errors of use and configuration, and what is transient."""

from __future__ import annotations

from typing import Any


def _revive(cls: type[AignosticsError], args: tuple[Any, ...], state: dict[str, Any]) -> AignosticsError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


# 408, 425, 429 and 503 ask for another attempt. The others mean a gateway or server in trouble.
_TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


def is_transient_status(status: int) -> bool:
    """Return whether a failure with this HTTP status is likely to pass by itself.

        is_transient_status(503)  # True

    True for 408, 425, 429, 500, 502, 503, 504, and 520 and above.
    """
    # No standard defines statuses from 520 on; gateways use them for their own failures.
    return status in _TRANSIENT_STATUSES or status >= 520


# Codes of object stores for failures that are likely to pass, whatever the status beside them. The stores
# differ in the case of their letters.
_TRANSIENT_CODES = frozenset(
    {
        "backenderror",
        "baddigest",  # the bytes changed on the way
        "bandwidthlimitexceeded",
        "clientdisconnected",  # MinIO, whose proxy lost the body
        "conditionalrequestconflict",
        "crc64mismatch",
        "ec2throttledexception",
        "incompletebody",
        "internalerror",
        "internalservererror",
        "limitexceededexception",
        "md5mismatch",
        "operationaborted",
        "operationtimedout",
        "priorrequestnotcomplete",
        "provisionedthroughputexceededexception",
        "ratelimitexceeded",
        "requestlimitexceeded",
        "requestthrottled",
        "requestthrottledexception",
        "requesttimeout",  # the body came too slowly
        "requesttimeoutexception",
        "serverbusy",
        "serviceunavailable",
        "slowdown",
        "slowdownread",
        "slowdownwrite",
        "throttledexception",
        "throttling",
        "throttlingexception",
        "too_many_requests",
        "toomanyrequests",
        "toomanyrequestsexception",
        "transactioninprogressexception",
        "userratelimitexceeded",
        "xamzcontentchecksummismatch",
        "xamzcontentsha256mismatch",  # the bytes changed on the way
    }
)


def is_transient_code(code: str | None) -> bool:
    """Return whether a failure with this error code of an object store is likely to pass by itself.

        is_transient_code("SlowDown")  # True

    True for common codes of S3, Google Cloud Storage and Azure for throttling, timeouts, failures of their
    own, conflicts of requests, and bytes that were damaged on the way, in any case of the letters. False for
    every other code and for None.
    """
    return code is not None and code.casefold() in _TRANSIENT_CODES


class AignosticsError(Exception):
    """The base class of the errors of this package, which are in `aignostics_async.errors`.

        try:
            run = await client.runs.submit("he-tme:v1.0.0", items, store="s3://slides")
        except AignosticsError as error:
            print(error, "try again later" if error.is_transient else "")

    The message is for people, and shows no token and no signed URL. Methods that raise several errors in an
    ExceptionGroup, which `except*` handles, say so. Instances can be pickled.
    """

    @property
    def is_transient(self) -> bool:
        """Whether the failure is likely to pass by itself, so that the same call may succeed later.

        True for ConnectionFailed, TokenEndpointUnavailable and PlatformDown; for an APIStatusError or
        TransferInterrupted with a status that `errors.is_transient_status` knows; for an APIStatusError
        with the status 404 or 410 that is neither NotFound nor Gone; and for a TransferInterrupted with the
        `status` None, or a `code` that `errors.is_transient_code` knows. It does not mean that repeating is
        safe: a POST may have taken effect.
        """
        return False

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception pickles by calling the class with self.args, which fails for keyword-only arguments.
        return _revive, (type(self), self.args, self.__dict__.copy())


class ConfigurationError(AignosticsError):
    """A missing or invalid setting, credential or address.

    Raised while a `Client`, its settings, a token source or a store is created or opened, and by functions
    that read environment variables; also by later calls whose token source, store, proxy or processes can't
    be used. The message names what is wrong.
    """


class MissingExtra(ConfigurationError):
    """An optional dependency that is not installed.

        try:
            store = KeyringStore()
        except MissingExtra as error:
            print(error.extra, error)

    Raised when a feature is used whose extra is missing. `extra` is the name of the extra of this package,
    such as `slides`; the message has a command that adds it.
    """

    def __init__(self, purpose: str, *, extra: str) -> None:
        from ._installation import install_command  # takes longer to import than all errors together

        super().__init__(f"{purpose} needs the {extra} extra; install it: {install_command(extra)}")
        self.extra = extra


class UsageError(AignosticsError):
    """A call that can't work as written, mostly because of a wrong argument, a closed client, or another
    event loop.

    Change the call as the message says; repeating it will not help.
    """


class NotInContract(UsageError):
    """A call that the contract of the client can't express.

        try:
            me = await client.me()
        except NotInContract as error:
            print(error.contract, error)

    Raised by the call itself, or by a pager when it is iterated. `contract` is the name of the client's
    contract, `1.0` or `1.8`. The message says what the contract lacks. If the deployment speaks a newer
    contract, create the client with that.
    """

    def __init__(self, what: str, *, contract: str, advice: str = "") -> None:
        told = f"; {advice}" if advice else ""
        super().__init__(f"contract {contract}, which this client speaks, does not offer {what}{told}")
        self.contract = contract


def add_advice(error: AignosticsError, advice: str) -> None:
    """Append a sentence to the message of an error, unless the message contains it already.

        add_advice(error, "Sign in again.")

    Changes the error in place; a space is put before the sentence.
    """
    message = str(error)
    if advice not in message:
        error.args = (f"{message} {advice}", *error.args[1:])
