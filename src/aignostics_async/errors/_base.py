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
        "conditionalrequestconflict",
        "crc64mismatch",
        "incompletebody",
        "internalerror",
        "md5mismatch",
        "operationaborted",
        "operationtimedout",
        "ratelimitexceeded",
        "requestlimitexceeded",
        "requesttimeout",  # the body came too slowly
        "serverbusy",
        "serviceunavailable",
        "slowdown",
        "throttling",
        "throttlingexception",
        "too_many_requests",
        "toomanyrequests",
        "userratelimitexceeded",
        "xamzcontentchecksummismatch",
    }
)


def is_transient_code(code: str | None) -> bool:
    """Return whether a failure with this error code of an object store is likely to pass by itself.

        is_transient_code("SlowDown")  # True

    Knows those codes of S3, Google Cloud Storage and Azure, in capitals or not. False for other codes and
    None.
    """
    return code is not None and code.casefold() in _TRANSIENT_CODES


class AignosticsError(Exception):
    """The base class of all errors that this package defines.

        try:
            run = await client.runs.submit("he-tme:v1.0.0", items, store="s3://slides")
        except AignosticsError as error:
            print(error, "try again later" if error.is_transient else "")

    Where several failures are raised together, they are in an ExceptionGroup, for `except*`. What a callback
    of yours raises is raised as it is. Instances can be pickled and hold no token and no signed URL.
    """

    @property
    def is_transient(self) -> bool:
        """Whether the failure is likely to pass by itself, so that the same call may succeed later.

        True for lost connections, for every TokenEndpointUnavailable and PlatformDown, for the statuses 408,
        425, 429, 500, 502, 503, 504, and 520 and above of the API or a storage, and for the storage's error
        codes that `errors.is_transient_code` knows. It does not mean that repeating is safe: a POST may have
        taken effect.
        """
        return False

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception pickles by calling the class with self.args, which fails for keyword-only arguments.
        return _revive, (type(self), self.args, self.__dict__.copy())


class ConfigurationError(AignosticsError):
    """A setting, credential or address is missing or invalid; the message names it and says what to set."""


class MissingExtra(ConfigurationError):
    """An optional dependency is not installed.

    `extra` is the name of the extra of this package that installs it, such as `slides`.
    """

    def __init__(self, purpose: str, *, extra: str) -> None:
        # From a checkout: nobody has registered the distribution's name at a package index yet.
        super().__init__(f"{purpose} needs the {extra} extra; in a checkout: pip install '.[{extra}]'")
        self.extra = extra


class UsageError(AignosticsError):
    """A call can't work as written: a wrong argument, a closed client, or another event loop.

    The message says how to write the call.
    """


class NotInContract(UsageError):
    """The contract that the client speaks can't express the call; nothing was changed.

    `contract` is the name of the contract, such as `1.0`. The message says what is missing.
    """

    def __init__(self, what: str, *, contract: str, advice: str = "") -> None:
        told = f"; {advice}" if advice else ""
        super().__init__(f"{what} is not in contract {contract}, which this client speaks{told}")
        self.contract = contract


def add_advice(error: AignosticsError, advice: str) -> None:
    """Append a sentence to the message of an error, unless the message contains it.

        add_advice(error, "Sign in again.")

    Changes the error in place.
    """
    message = str(error)
    if advice not in message:
        error.args = (f"{message} {advice}", *error.args[1:])
