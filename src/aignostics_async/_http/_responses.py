"""What a response says besides its data: an error, the time, and when to come back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from .._core._redaction import excerpt
from ..errors import APIStatusError, status_error_class
from ..errors._api import ABSENCES
from ._retry import parse_date, read_retry_after

if TYPE_CHECKING:
    from datetime import datetime

    from ._client import Response

_BEGINNING = 64 * 1024  # bytes; an excerpt shows less


def body_beginning(response: Response) -> str:
    """Return the beginning of a body as text; the charset that it names may be none, such as `undefined`."""
    return response.content[:_BEGINNING].decode("utf-8", "replace")


def status_error(method: str, path: str, response: Response) -> APIStatusError:
    """Return the error for a response with an error status.

    That something is not there, or a listing at its end, is believed of the API alone: a gateway that has no
    route to it answers 404, too.
    """
    headers, who = response.headers, answered_by(response)
    kind = status_error_class(response.status_code)
    return (APIStatusError if who != "api" and issubclass(kind, ABSENCES) else kind)(
        response.status_code,
        method=method,
        path=path,
        detail=_server_words(response),
        request_id=headers.get("x-request-id") or headers.get("x-correlation-id"),
        retry_after=retry_after(response),
        answered_by=who,
    )


def answered_by(response: Response) -> Literal["api", "gateway", "unknown"]:
    """Return who wrote an error: the API does so in JSON with a `detail`, the gateway in plain text.

    A problem document, which may have a `detail`, too, is what gateways and other frameworks write.
    """
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/problem+json" and "detail" in json_object(response):
        return "api"
    return "gateway" if kind == "text/plain" or not response.content else "unknown"


def _server_words(response: Response) -> str:
    """Return the server's words: the places and messages of a validation error, or its text."""
    detail = json_object(response).get("detail")
    if isinstance(detail, list):
        # Newer servers add the offending input, which may be a signed URL, so only these two are used.
        faults = [
            f"{'.'.join(str(part) for part in entry.get('loc', []))}: {entry.get('msg', '')}"
            for entry in detail
            if isinstance(entry, dict) and isinstance(entry.get("loc", []), list)
        ]
        return excerpt("; ".join(faults), 2000)
    return excerpt(str(detail) if detail is not None else body_beginning(response))


def json_object(response: Response) -> dict[str, Any]:
    """Return the JSON object of a response body; an empty one for any other body."""
    try:
        parsed = response.json()
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def retry_after(response: Response) -> float | None:
    """Return the seconds of the Retry-After header, or None."""
    return read_retry_after(response.headers)


def response_date(response: Response) -> datetime | None:
    """Return the server's time when it answered, by its Date header; None if that is missing or no date."""
    return parse_date(response.headers.get("date"))
