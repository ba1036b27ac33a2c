"""From responses to models, the half that all lines of the contract share.

What does not fit the contract is an InvalidResponse or an InvalidItem. Responses become generated models by
their `from_dict`, and these become the models of `models.py` by the translation of each line. What the
generated decoder accepts unchecked is checked by the functions at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from anyio.lowlevel import checkpoint

from .._core._json import (
    BrokenEntry,
    NoJson,
    beginning,
    decode_json,
    entries,
)
from .._core._pager import Page, PageRequest
from .._core._redaction import excerpt, redact
from .._http._responses import body_beginning, response_date
from ..errors import InvalidResponse
from ..models import InvalidItem

if TYPE_CHECKING:
    from .._http._client import Response
    from ..models import RunDetails
    from ._mismatch import Signature

MAX_ERROR_LENGTH = 4_000  # characters of an item's error; the rest is cut off
_T = TypeVar("_T")

# What a generated decoder raises for an unexpected value.
DECODE_ERRORS = (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError)
# How long a page is decoded before other tasks of the event loop run.
_SLICE_SECONDS = 0.002

clock = perf_counter


async def page_of(
    operation: str,
    response: Response,
    request: PageRequest,
    decode: Callable[[dict[str, Any]], _T],
    other: Signature | None = None,
) -> Page[_T]:
    """Return the page in a response of a list operation; other tasks run meanwhile, whatever its size.

    `other` is the contract that the server may speak instead. Raises InvalidResponse if it is no list.
    """
    items: list[_T] = []
    invalid: list[InvalidItem] = []
    pause = clock() + _SLICE_SECONDS
    entry: Any = None
    try:
        for index, entry in enumerate(entries(response.content)):
            try:
                if isinstance(entry, BrokenEntry):
                    raise entry
                items.append(decode(entry))
            except DECODE_ERRORS as error:
                invalid.append(InvalidItem(index, why(error, entry, other), excerpt(beginning(entry))))
            if clock() >= pause:
                await checkpoint()
                pause = clock() + _SLICE_SECONDS
        return Page(request.number, tuple(items), tuple(invalid), response_date(response))
    except NoJson as error:
        reason = str(error)
    finally:
        del entry  # it may hold signed URLs, and tracebacks show the variables of this frame
    raise contract_violation(operation, response, reason)


async def page_again(
    operation: str,
    response: Response,
    request: PageRequest,
    decode: Callable[[dict[str, Any]], _T],
    *,
    before: dict[int, tuple[bytes, Page[_T]]],
    other: Signature | None,
) -> Page[_T]:
    """Return the page in a response like `page_of`, and decode it only if its body changed.

    `before` maps a page number to its last body and page, and is updated.
    """
    content, known = before.get(request.number, (b"", None))
    if known is None or content != response.content:
        known = await page_of(operation, response, request, decode, other)
        before[request.number] = response.content, known
    return known


def created(
    operation: str,
    response: Response,
    decode: Callable[[dict[str, Any]], _T],
    other: Signature | None = None,
) -> _T:
    """Return the decoded body of a 201; raises InvalidResponse, for another 2xx does not promise a run."""
    if response.status_code != 201:
        raise contract_violation(operation, response, f"201 was expected, not {response.status_code}")
    return one(operation, response, decode, other)


def one(
    operation: str,
    response: Response,
    decode: Callable[[dict[str, Any]], _T],
    other: Signature | None = None,
    *,
    is_secret: bool = False,
) -> _T:
    """Return the decoded body of a response; raises InvalidResponse, which shows nothing of a secret body."""
    raw: Any = None
    try:
        raw = decode_json(response.content)
        return decode(raw)
    except NoJson as error:
        reason = str(error)
    except DECODE_ERRORS as error:
        reason = why(error, raw, other)
    finally:
        del raw  # it may hold signed URLs, and tracebacks show the variables of this frame
    if is_secret:
        raise InvalidResponse(reason, operation=operation, status=response.status_code, excerpt="")
    raise contract_violation(operation, response, reason)


def run_of(own_id: str, decode: Callable[[dict[str, Any]], RunDetails], raw: dict[str, Any]) -> RunDetails:
    """Decode the details of a run; raises ValueError for another one: who waits would wait for ever."""
    details = decode(raw)
    if details.run_id != own_id:
        raise ValueError(f"it is run {details.run_id}")
    return details


def contract_violation(operation: str, response: Response, reason: str) -> InvalidResponse:
    """Return the error for a response that does not fit the contract."""
    return InvalidResponse(
        reason, operation=operation, status=response.status_code, excerpt=excerpt(body_beginning(response))
    )


def why(error: Exception, entry: Any = None, other: Signature | None = None) -> str:
    """Return why decoding of an entry failed, without secrets that the error may quote."""
    if isinstance(error, BrokenEntry):
        return str(error)
    advice = f". {other.advice}" if other is not None and other.shows_in(entry) else ""
    if isinstance(error, KeyError):
        return excerpt(f"the field {error.args[0]!r} is missing", 200) + advice
    return excerpt(f"{type(error).__name__}: {error}", 200) + advice


def text(given: object, field: str) -> str:
    """Return a text; raises TypeError for anything else, since the generated decoder does not check it."""
    if isinstance(given, str):
        return given
    raise TypeError(f"{field} is no text")


def optional_text(given: object, field: str) -> str | None:
    """Return a text or None; raises TypeError for anything else."""
    return None if given is None else text(given, field)


def error_text(given: object) -> str:
    """Return an error in words, cut off and redacted: it may quote the signed URL of an input."""
    return redact(text(given, "error")[:MAX_ERROR_LENGTH])


def mapping(given: object, field: str) -> Mapping[str, Any]:
    """Return a mapping, an empty one for null; raises TypeError for anything else."""
    if isinstance(given, dict):
        return given
    if given is None:
        return {}
    raise TypeError(f"{field} is no object")


def run_id(given: object, field: str) -> str:
    """Return the id of a run; raises for all but a UUID, which is what the handle of a run accepts."""
    return str(UUID(text(given, field)))


def aware(moment: datetime) -> datetime:
    """Return a time with a zone, UTC where it has none; raises for anything else."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
