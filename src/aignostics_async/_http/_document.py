"""What a deployment shows to everybody: its OpenAPI document, and its health. No token is sent here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

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
    from ._client import Response

PATH = "/api/v1/openapi.json"
_HEALTH = "/health"
_PATIENCE = 30.0  # seconds for a whole answer, however steadily it drips
_MAX_SIZE = 16 * 1024 * 1024  # bytes; documents have some hundred thousand


async def fetch_document(root: str, settings: Settings) -> bytes:
    """Return the document of a deployment. Raises ConnectionFailed, APIStatusError and InvalidResponse."""
    response = await _fetch(root, PATH, settings, "read the contract")
    if not response.is_success:
        raise status_error("GET", PATH, response)
    return response.content


async def fetch_health(root: str, settings: Settings) -> Response:
    """Return what a deployment answers about its health, whatever the status of the answer.

    Raises ConnectionFailed and InvalidResponse.
    """
    return await _fetch(root, _HEALTH, settings, "read the health")


async def _fetch(root: str, path: str, settings: Settings, operation: str) -> Response:
    headers = {"Accept": "application/json", "User-Agent": user_agent(settings.user_agent)}
    request = build_request(settings, "GET", root + path, headers=headers)
    failed: NoResponse | None = None
    async with open_client(settings, ssl_context(settings), root) as client:
        try:
            with anyio.fail_after(_PATIENCE):
                response = await send_request(client, request, max_body=_MAX_SIZE)
        except TimeoutError:
            failed = NoResponse("it is too slow", was_sent=True, is_timeout=True)
        except NoResponse as failure:
            failed = failure
        except UndecodableResponse:
            response = None
    if failed is not None:
        kind = RequestTimeout if failed.is_timeout else ConnectionFailed
        told = f"{root} gave no answer ({failed.reason}); check address and network"
        raise kind(told, method="GET", path=path, request_sent=failed.was_sent)
    if response is None or len(response.content) >= _MAX_SIZE:
        reason = "it can't be decoded, or is too large"
        raise InvalidResponse(reason, operation=operation)
    return response
