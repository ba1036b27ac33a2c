"""Requests, the half that all lines of the contract share: secret bodies, calls of generated operations."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from attrs import frozen

from .._core._json import encode_json
from .._core._redaction import excerpt
from .._core._secret import SecretText
from ..errors import UsageError
from ._decoding import DECODE_ERRORS, contract_violation, why

if TYPE_CHECKING:
    from .._http._api_pool import ApiPool
    from ._protocol import Operation

_P = ParamSpec("_P")
_T = TypeVar("_T")


@frozen
class GeneratedPackage:
    """The package of a line of the contract: its name, the line's, and what its decoders take as client."""

    name: str
    line: str
    client: object


async def call_operation(
    api: ApiPool,
    package: GeneratedPackage,
    operation: Operation[_P, _T],
    *args: _P.args,
    **kwargs: _P.kwargs,
) -> _T:
    """Send the request of a generated operation, and return its generated model."""
    path = str(getattr(operation, "__name__", operation))
    name = path.rpartition(".")[2].replace("_", " ")
    try:
        _check_package(operation, path, package)
        request = sealed(operation._get_kwargs, *args, **kwargs)  # noqa: SLF001 - a generated function
    finally:
        del args, kwargs  # they may hold signed URLs, and tracebacks show the variables of this frame
    response = await api.send(name, **request)
    if not response.content:
        # The generated decoder would try to read JSON from nothing.
        return None  # type: ignore[return-value]
    try:
        return operation._parse_response(client=package.client, response=response)  # noqa: SLF001
    except DECODE_ERRORS as error:
        reason = why(error)
    raise contract_violation(name, response, reason)


def _check_package(operation: object, path: str, package: GeneratedPackage) -> None:
    """Raise UsageError for what is no operation, or one in the package of another line."""
    if not hasattr(operation, "_get_kwargs"):
        raise UsageError(f"{excerpt(path)} is no operation; import one from {package.name}.api.public")
    top = path.partition(".")[0]
    if top != package.name and top.startswith("aignostics_api"):
        raise UsageError(
            f"{path} is of another contract than {package.line}, which this client speaks; import the "
            f"operation from {package.name}.api.public, or make the client with the other contract"
        )


def sealed(build: Callable[_P, dict[str, Any]], *args: _P.args, **kwargs: _P.kwargs) -> dict[str, Any]:
    """Return the arguments of a request with its body as a Secret, and a share token as a SecretText.

    A body may hold signed URLs, and tracebacks show the variables of their frames: the errors raised here
    come without the frames that hold a body. Raises UsageError for arguments that make no request.
    """
    try:
        return _with_secrets(build(*args, **kwargs))
    except UsageError as error:
        failure = error.with_traceback(None)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        words = excerpt(f"{type(error).__name__}: {error}")
        failure = UsageError(f"the request can't be built from these arguments ({words})")
    del args, kwargs
    raise failure


def _with_secrets(request: dict[str, Any]) -> dict[str, Any]:
    """Return a request whose body, and whose share token in the query, its repr does not show."""
    fields = {name: value for name, value in request.items() if name != "json"}
    if "params" in request:
        fields["params"] = {
            name: SecretText(value) if "token" in name else value for name, value in request["params"].items()
        }
    return {**fields, "body": encode_json(request["json"])} if "json" in request else fields


def sort_fields(
    sort: Iterable[str], known: Collection[str], *, aliases: Collection[str] = ()
) -> list[tuple[str, str]]:
    """Return the sign and the name of each field to sort by; raises UsageError for one that is not known.

    `aliases` are names that are taken, too, and not listed by the error.
    """
    fields = [sign_and_field(each) for each in sort]
    for _, field in fields:
        if field not in known and field not in aliases:
            raise UsageError(f"nothing is sorted by {field!r}; there are {', '.join(known)}")
    return fields


def sign_and_field(text: str) -> tuple[str, str]:
    """Return the sign of a field to sort by, which may be empty, and its name."""
    return (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
