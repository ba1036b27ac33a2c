"""What an answer of the API says besides its data: what went wrong, and when to come back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ._errors import APIStatusError, status_error_class
from ._redact import excerpt
from ._retry import parse_retry_after

if TYPE_CHECKING:
    from ._http import Response


def status_error(method: str, path: str, response: Response) -> APIStatusError:
    """Return the error of our tree for an answer that says no."""
    headers = response.headers
    return status_error_class(response.status_code)(
        response.status_code,
        method=method,
        path=path,
        detail=_server_words(response),
        request_id=headers.get("x-request-id") or headers.get("x-correlation-id"),
        retry_after=retry_after(response),
    )


def _server_words(response: Response) -> str:
    """Return what the server said: the places and messages of a validation error, else its own text."""
    detail = json_object(response).get("detail")
    if isinstance(detail, list):
        # Newer servers put the offending input beside these two, signed URLs included: it stays out.
        faults = [
            f"{'.'.join(str(part) for part in entry.get('loc', []))}: {entry.get('msg', '')}"
            for entry in detail
            if isinstance(entry, dict) and isinstance(entry.get("loc", []), list)
        ]
        return excerpt("; ".join(faults), 2000)
    return excerpt(str(detail) if detail is not None else response.text)


def json_object(response: Response) -> dict[str, Any]:
    """Return the JSON object of a body that was read; an empty one for any other body."""
    try:
        parsed = response.json()
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def retry_after(response: Response) -> float | None:
    """Return the seconds after which the server asks to come back, if it does."""
    return parse_retry_after(response.headers.get("retry-after"), datetime.now(UTC))
