"""Requests to a storage that write no file: small ones, and reading an object back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from attrs import frozen

from .._core._crc32c import Crc32c
from .._http._retry import repeat
from ..errors import UrlRefused
from ._limits import MAX_PIECE
from ._object_facts import ObjectFacts, is_ambiguous, read_facts

if TYPE_CHECKING:
    from ._cancel_token import CancelToken
    from ._engine import Engine

_MAX_BODY = 16 * 1024 * 1024  # bytes; a listing of 1,000 parts is a tenth of that


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
    is_idempotent: bool = False,
    slow: float = 0,
) -> BufferedResponse:
    """Send a small request to a signed URL and return its answer, which is 2xx.

    It is repeated as the settings say, a POST only if it was never sent or `is_idempotent`. For `slow`
    seconds the answer may come at any rate, as long as no pause is longer than the read timeout. Raises
    UrlRefused and TransferInterrupted, the latter also for an answer that is shorter than its length.
    """
    fields = dict(headers or {})
    if body or method in ("POST", "PUT"):
        fields["Content-Length"] = str(len(body))

    def exchange(token: CancelToken) -> BufferedResponse:
        with engine.connections.exchange(
            method, url, token=token, name=name, headers=fields, send=lambda write: write(memoryview(body))
        ) as response:
            response.drips_until = time.monotonic() + slow
            return BufferedResponse(response.headers, response.read_all(_MAX_BODY))

    # The policy knows methods only, and repeats every PUT.
    repeated_as = "PUT" if is_idempotent else method
    return await repeat(
        engine.settings.retries, repeated_as, f"{method} {name}", lambda: engine.run_file_io(exchange)
    )


async def probe_object(engine: Engine, url: str, name: str) -> ObjectFacts:
    """Return what a storage says about the object behind a signed URL for GET; reads one byte of it.

    Raises UrlRefused, with the status 404 where there is no such object, and TransferInterrupted.
    """

    def probe(token: CancelToken, headers: Mapping[str, str]) -> Mapping[str, str]:
        with engine.connections.exchange("GET", url, token=token, name=name, headers=headers) as response:
            return response.headers

    async def ask(headers: Mapping[str, str]) -> Mapping[str, str]:
        asked = partial(probe, headers=headers)
        return await repeat(engine.settings.retries, "GET", f"GET {name}", lambda: engine.run_file_io(asked))

    try:
        answer = await ask({"Range": "bytes=0-0"})
    except UrlRefused as refused:
        if refused.status != 416:  # an empty object has no first byte
            raise
        return read_facts(await ask({}))
    # A checksum beside a part may be that of the part. The rest of the whole is not waited for.
    return read_facts(await ask({}) if is_ambiguous(answer) else answer)


async def read_back(engine: Engine, url: str, name: str) -> Crc32c:
    """Return the checksum of what a signed URL gives; costs its whole transfer and 4 MiB of memory."""

    def read(token: CancelToken) -> Crc32c:
        digest, buffer = Crc32c(), engine.buffer()[: engine.bandwidth.piece(MAX_PIECE)]
        with engine.connections.exchange("GET", url, token=token, name=name) as response:
            while count := response.read_into(buffer):
                token.check()
                digest.update(buffer[:count])
                token.moved += count
                token.pause(engine.bandwidth.take(count, time.monotonic()))
        return digest

    return await repeat(engine.settings.retries, "GET", f"reading back {name}", lambda: engine.run(read))
