"""The checksum of an object as it stands in a store, read and not kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .._core._crc32c import Crc32c
from .._http._retry import repeat
from ._limits import LARGEST_PIECE

if TYPE_CHECKING:
    from ._cancel_token import CancelToken
    from ._engine import Engine


async def read_back(engine: Engine, url: str, name: str) -> Crc32c:
    """Return the checksum of what a signed URL gives; costs its whole transfer and one MiB of memory."""

    def read(token: CancelToken) -> Crc32c:
        digest, buffer = Crc32c(), engine.buffer()[:LARGEST_PIECE]
        with engine.connections.exchange("GET", url, token=token, name=name) as answer:
            while count := answer.read_into(buffer):
                token.check()
                digest.update(buffer[:count])
                token.moved += count
                token.pause(engine.bandwidth.take(count, time.monotonic()))
        return digest

    return await repeat(engine.settings.retries, "GET", f"reading back {name}", lambda: engine.run(read))
