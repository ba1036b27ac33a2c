"""A file to a signed URL: streamed once, its checksum taken in the same pass."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from .._core._crc32c import Crc32c
from .._http._retry import AttemptFailed, repeat
from ._limits import SEND_PIECE, next_piece
from ._renewal import send_renewing
from .files._file_io import check_unchanged, fingerprint, open_source, read_source
from .progress._events import guard_progress

if TYPE_CHECKING:
    from .._core._file_fingerprint import Fingerprint
    from ._cancel_token import CancelToken
    from ._engine import Engine
    from .connections._connection import BodyWriter

_Signed = tuple[str, Mapping[str, str]]  # a URL, and the headers of its request


@frozen
class SentFile:
    """A file that was sent, and what the storage answered; whether it has the bytes is yet to be verified."""

    size: int
    crc32c: str
    """Of the bytes that were sent, in its wire form."""
    headers: Mapping[str, str]
    """Of the answer that completed the upload, by their names in lower case."""
    part_size: int | None = None
    """Bytes of every part but the last; None where the file was sent whole."""


async def put_file(
    engine: Engine,
    url: str,
    source: Path,
    *,
    name: str,
    headers: Mapping[str, str] | None = None,
    progress: Callable[[int], None] | None = None,
    renew: Callable[[], Awaitable[_Signed]] | None = None,
) -> SentFile:
    """Send a file with one PUT, again from its start after a failure that is likely to pass.

    `renew` returns another URL and its headers, and is called once if the first one is refused.

    `progress` is called with the bytes sent so far, which fall back when another try begins; what it raises
    ends the upload and is raised. Memory stays at one MiB whatever the size.

    Raises LocalFileChanged when the file changed meanwhile, else UrlRefused or TransferInterrupted.
    """
    with guard_progress(progress) as report:
        before = await engine.run_file_io(lambda _: fingerprint(source, name))
        put = _Put(engine, url, source, name, before)

        async def attempt() -> SentFile:
            try:
                return await engine.run(put.send, lambda: report(put.done))
            except AttemptFailed as failed:
                engine.on_throttled(failed.outcome)
                raise

        async def send(signed: _Signed) -> SentFile:
            put.url, put.headers = signed
            return await repeat(engine.settings.retries, "PUT", f"upload of {name}", attempt)

        async def another(_refused: _Signed) -> _Signed | None:
            return None if renew is None else await renew()

        sent = await send_renewing((url, headers or {}), another, send)
        report(sent.size)
        return sent


class _Put:
    """One file on its way up. Its thread sends, and the loop reads how much was sent."""

    def __init__(self, engine: Engine, url: str, source: Path, name: str, before: Fingerprint) -> None:
        self._engine = engine
        self.url = url
        self._source = source
        self._name = name
        self._before = before
        self.headers: Mapping[str, str] = {}
        self.done = 0

    def send(self, token: CancelToken) -> SentFile:
        """Send the file once."""
        failure: AttemptFailed | None = None
        digest = Crc32c()
        try:
            sent = self._exchange(token, digest)
        except AttemptFailed as failed:
            failure = failed
        # Before the failure counts: a change of the file may be what cut the attempt short.
        check_unchanged(self._before, self._source, self._name, None if failure else digest)
        if failure is not None:
            raise failure
        return sent

    def _exchange(self, token: CancelToken, digest: Crc32c) -> SentFile:
        with self._engine.connections.exchange(
            "PUT",
            self.url,
            token=token,
            name=self._name,
            headers={**self.headers, "Content-Length": str(self._before.size)},
            send=partial(self._body, digest=digest, token=token),
        ) as response:
            return SentFile(digest.length, digest.wire, response.headers)

    def _body(self, write: BodyWriter, *, digest: Crc32c, token: CancelToken) -> None:
        digest.value, digest.length = 0, 0
        self.done = 0
        with open_source(self._source, self._name) as descriptor:
            buffer, piece = self._engine.buffer(), SEND_PIECE // 4
            while digest.length < self._before.size:
                limit = self._engine.bandwidth.piece(SEND_PIECE)
                wanted = min(piece, limit, self._before.size - digest.length)
                count = read_source(descriptor, buffer[:wanted], digest.length, self._name)
                digest.update(buffer[:count])
                began = time.monotonic()
                write(buffer[:count])
                now = time.monotonic()
                piece = next_piece(piece, now - began)
                token.moved += count
                self.done = digest.length
                token.check()
                token.pause(self._engine.bandwidth.take(count, now))
