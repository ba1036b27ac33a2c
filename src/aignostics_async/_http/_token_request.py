"""One form to an identity provider, and what it answers. No API token is sent here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import anyio
from attrs import field, frozen

from .._core._redaction import excerpt, without_values
from .._core._secret import Secret
from .._version import user_agent
from ..errors import TokenEndpointUnavailable
from ._client import NoResponse, UndecodableResponse, build_request, open_client, send_request
from ._responses import json_object, retry_after

if TYPE_CHECKING:
    import ssl

    from .._config import Settings
    from ._client import Response

_MAX_SECONDS = 20
_MAX_BODY = 1024 * 1024  # bytes of an identity provider's answer; it has some thousand
_PUBLIC_FIELDS = frozenset({"audience", "client_id", "grant_type", "organization", "redirect_uri", "scope"})
_OAUTH_ERROR = re.compile(r"[a-z_]{1,60}")


@frozen
class FormResponse:
    """What an identity provider answers to a form; `fields` may hold secrets and do not show."""

    url: str
    status: int
    fields: dict[str, Any] = field(repr=False)
    description: str
    """Its words about an error, without anything that was sent."""
    retry_after: float | None

    def secret(self, name: str) -> Secret | None:
        """Return a field that holds a secret; None if it is missing or no text."""
        value = self.fields.get(name)
        return Secret(value) if isinstance(value, str) and value else None

    @property
    def error(self) -> str:
        """The OAuth error code, or an empty text."""
        error = self.fields.get("error")
        return error if isinstance(error, str) and _OAUTH_ERROR.fullmatch(error) else ""


async def post_form(
    url: str, body: Secret, settings: Settings, context: ssl.SSLContext, *, repeat: bool = False
) -> FormResponse:
    """Send a form to an identity provider and return its answer, of any status; takes 20 s at most.

    With `repeat` a request whose answer was lost is sent once more, at once. Raises TokenEndpointUnavailable
    when no answer came.
    """
    reason = "no answer in time"
    with anyio.move_on_after(_MAX_SECONDS):
        for _ in range(2 if repeat else 1):
            try:
                return await _send(url, body, settings, context)
            except UndecodableResponse:
                reason = "its encoding is broken"
            except NoResponse as failure:
                reason = failure.reason
                if not failure.was_sent:
                    break
    raise TokenEndpointUnavailable(f"the token endpoint {url} gave no answer ({reason}); try again later")


async def _send(url: str, body: Secret, settings: Settings, context: ssl.SSLContext) -> FormResponse:
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
        "User-Agent": user_agent(settings.user_agent),
    }
    request = build_request(settings, "POST", url, headers=headers, body=body)
    async with open_client(settings, context, url) as client:
        return _form_response(await send_request(client, request, max_body=_MAX_BODY), body)


def _form_response(response: Response, sent: Secret) -> FormResponse:
    fields = json_object(response)
    return FormResponse(
        str(response.request.url),
        response.status_code,
        fields,
        excerpt(without_values(str(fields.get("error_description") or ""), sent.reveal(), _PUBLIC_FIELDS)),
        retry_after(response),
    )
