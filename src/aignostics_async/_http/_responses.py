"""What an answer of the API says besides its data: what went wrong, and when to come back."""

from __future__ import annotations

import re
from collections.abc import Container
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl

from attrs import field, frozen

from .._core._redaction import excerpt
from .._core._secret import Secret
from ..errors import APIStatusError, status_error_class
from ._retry import parse_retry_after

if TYPE_CHECKING:
    from ._pool import Response

_PUBLIC_FIELDS = frozenset({"audience", "client_id", "grant_type", "organization", "redirect_uri", "scope"})
_OAUTH_ERROR = re.compile(r"[a-z_]{1,60}")


@frozen
class FormAnswer:
    """What an identity provider answers to a form; `fields` may hold secrets and do not show."""

    url: str
    status: int
    fields: dict[str, Any] = field(repr=False)
    description: str
    """Its words about an error, without anything that was sent."""
    retry_after: float | None

    def secret(self, name: str) -> Secret | None:
        """Return a field that holds a secret; None where there is no such text."""
        value = self.fields.get(name)
        return Secret(value) if isinstance(value, str) and value else None

    @property
    def error(self) -> str:
        """The OAuth error, or nothing."""
        error = self.fields.get("error")
        return error if isinstance(error, str) and _OAUTH_ERROR.fullmatch(error) else ""


def form_answer(response: Response, sent: Secret) -> FormAnswer:
    """Return what a response to a form says."""
    fields = json_object(response)
    return FormAnswer(
        str(response.request.url),
        response.status_code,
        fields,
        excerpt(without_values(str(fields.get("error_description") or ""), sent.reveal(), _PUBLIC_FIELDS)),
        retry_after(response),
    )


def without_values(text: str, query: str, public: Container[str] = ()) -> str:
    """Return a text without the values of a query or form, which a server may repeat, but the public ones."""
    for secret in (query, *(value for name, value in parse_qsl(query) if name not in public)):
        if len(secret) >= 4:
            text = text.replace(secret, "[redacted]")
    return text


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
        answered_by=_answered_by(response),
    )


def _answered_by(response: Response) -> Literal["api", "gateway", "unknown"]:
    """Return who wrote an error: the API does so in JSON with a `detail`, the gateway in plain text."""
    if "detail" in json_object(response):
        return "api"
    is_text = response.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/plain"
    return "gateway" if is_text or not response.content else "unknown"


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
