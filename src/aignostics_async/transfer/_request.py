"""A request to a storage that moves no file: what there is, and the steps of an upload in parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from .._http._retry import repeat

if TYPE_CHECKING:
    from ._cancel_token import CancelToken
    from ._engine import Engine

_LONGEST = 16 * 1024 * 1024  # a listing of 1,000 parts is a tenth of that


@frozen
class BufferedResponse:
    """An answer that was read: headers by their names in lower case, and the body."""

    headers: Mapping[str, str]
    body: bytes


async def send_request(
    engine: Engine,
    method: str,
    url: str,
    *,
    name: str,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
) -> BufferedResponse:
    """Send a small request to a signed URL and return its answer, which is 2xx.

    Repeated as the settings say, a POST only if it was never sent. Raises UrlRefused and TransferInterrupted.
    """
    fields = dict(headers or {})
    if body or method in ("POST", "PUT"):
        fields["Content-Length"] = str(len(body))

    def exchange(token: CancelToken) -> BufferedResponse:
        with engine.connections.exchange(
            method, url, token=token, name=name, headers=fields, send=lambda write: write(memoryview(body))
        ) as answer:
            buffer = bytearray(_LONGEST if answer.length is None else min(answer.length, _LONGEST))
            count = answer.read_into(memoryview(buffer)) if buffer else 0
            return BufferedResponse(answer.headers, bytes(buffer[:count]))

    return await repeat(
        engine.settings.retries, method, f"{method} {name}", lambda: engine.run_file_io(exchange)
    )
