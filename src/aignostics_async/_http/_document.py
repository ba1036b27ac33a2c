"""The OpenAPI document that a deployment shows to everybody. No token is sent here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._version import user_agent
from ..errors import ConnectionFailed, InvalidResponse, RequestTimeout
from ._client import (
    NoResponse,
    UndecodableResponse,
    build_request,
    open_client,
    send_request,
    ssl_context,
)
from ._responses import status_error

if TYPE_CHECKING:
    from .._config import Settings

PATH = "/api/v1/openapi.json"
_MAX_SIZE = 16 * 1024 * 1024  # bytes; documents have some hundred thousand


async def fetch_document(root: str, settings: Settings) -> bytes:
    """Return the document of a deployment. Raises ConnectionFailed, APIStatusError and InvalidResponse."""
    headers = {"Accept": "application/json", "User-Agent": user_agent(settings.user_agent)}
    request = build_request(settings, "GET", root + PATH, headers=headers)
    failed: NoResponse | None = None
    async with open_client(settings, ssl_context(settings), root) as client:
        try:
            response = await send_request(client, request, max_body=_MAX_SIZE)
        except NoResponse as failure:
            failed = failure
        except UndecodableResponse:
            response = None
    if failed is not None:
        kind = RequestTimeout if failed.is_timeout else ConnectionFailed
        told = f"{root} gave no answer ({failed.reason}); check address and network"
        raise kind(told, method="GET", path=PATH, request_sent=failed.was_sent)
    if response is None or len(response.content) >= _MAX_SIZE:
        reason = "it can't be decoded, or is too large for a specification"
        raise InvalidResponse(reason, operation="read the contract", status=200, excerpt="")
    if not response.is_success:
        raise status_error("GET", PATH, response)
    return response.content
