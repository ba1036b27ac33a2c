"""A file to a store that checks what it gets: read once, in parts, several of them in flight.

A part is read into memory, hashed, and sent with its checksum in front; the store refuses it if it got
something else. Memory is the parts in flight times their size.
"""

from __future__ import annotations

import contextlib
import os
import queue
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import anyio
from attrs import frozen

from .._core._crc32c import Crc32c, checksum_segments
from .._core._tasks import run_all
from .._http._retry import AttemptFailed, repeat
from ..errors import TransferError
from ._engine import new_buffer
from ._limits import PIECE_TO_SEND
from ._upload import Fingerprint, SentFile, changed, read_piece, unreadable

if TYPE_CHECKING:
    from ._cancel_token import CancelToken
    from ._connection import Send
    from ._engine import Engine


_SMALLEST = 5 * 1024 * 1024  # bytes of every part but the last; no store takes smaller ones
_MOST = 10_000  # parts of one upload


@frozen
class SentPart:
    """A part that the store has: what the store calls it, and its checksum in the wire form."""

    number: int
    etag: str
    crc32c: str


@frozen
class SignedRequest:
    """A signed PUT: where it goes, and the headers that are in its signature."""

    url: str
    headers: Mapping[str, str]


class Target(Protocol):
    """Where a file goes. `whole` and `part` sign in a worker thread, the others ask the store."""

    def whole(self, digest: Crc32c) -> SignedRequest:
        """Return the request that sends the whole file."""
        ...

    def part(self, upload: str, number: int, digest: Crc32c) -> SignedRequest:
        """Return the request that sends one part; numbers begin with 1."""
        ...

    async def begin(self) -> str:
        """Begin an upload in parts and return what the store calls it."""
        ...

    async def complete(self, upload: str, parts: Sequence[SentPart], whole: Crc32c) -> str | None:
        """Make one object of the parts, and return its ETag."""
        ...

    async def abort(self, upload: str) -> None:
        """Give the upload up."""
        ...


async def send_file(
    engine: Engine,
    target: Target,
    source: Path,
    *,
    name: str,
    progress: Callable[[int], None] | None = None,
) -> SentFile:
    """Send a file whole if it fits one part, else in parts; an upload that fails is aborted.

    Raises LocalFileChanged when the file changed meanwhile, else what the parts raise.
    """
    before = Fingerprint.of(source, name)
    settings = engine.settings.transfers
    part_size = max(settings.part_size, _SMALLEST, -(-before.size // _MOST))
    sending = _Sending(engine, target, source, name, part_size)
    sending.size, sending.tell = before.size, progress or (lambda _done: None)
    if before.size <= part_size:
        part, digest = await sending.send(None, 1)
        before.check(source, name)
        return SentFile(before.size, digest.wire, verified=True, etag=part.etag)
    upload = await target.begin()
    try:
        numbers = range(1, -(-before.size // part_size) + 1)
        sent = await run_all(
            [partial(sending.send, upload, number) for number in numbers], limit=settings.max_concurrency
        )
        before.check(source, name)
        whole = checksum_segments(digest for _, digest in sent)
        etag = await target.complete(upload, [part for part, _ in sent], whole)
    except BaseException:
        await _give_up(target, upload)
        raise
    return SentFile(before.size, whole.wire, verified=True, etag=etag)


async def _give_up(target: Target, upload: str) -> None:
    """Abort an upload, within a while and through cancellation; what failed before is what counts."""
    with anyio.move_on_after(10, shield=True):
        with contextlib.suppress(TransferError):
            await target.abort(upload)


class _Sending:
    """A file on its way in parts: the buffers in use, and how much has arrived."""

    size: int
    tell: Callable[[int], None]

    def __init__(self, engine: Engine, target: Target, source: Path, name: str, part_size: int) -> None:
        self._engine = engine
        self._target = target
        self._source = source
        self._name = name
        self._part_size = part_size
        self._arrived: dict[int, int] = {}
        # Fresh memory costs more than the copy into it, so the parts take turns.
        self._buffers: queue.SimpleQueue[memoryview] = queue.SimpleQueue()

    async def send(self, upload: str | None, number: int) -> tuple[SentPart, Crc32c]:
        """Send one part, or the whole file if there is no upload, again after a failure that may pass."""

        async def attempt() -> tuple[SentPart, Crc32c]:
            try:
                return await self._engine.run(partial(self._send, upload, number), self._tick)
            except AttemptFailed as failed:
                self._engine.on_throttled(failed.outcome)
                raise

        what = f"upload of {self._name}, part {number}"
        sent = await repeat(self._engine.settings.retries, "PUT", what, attempt)
        self._tick()
        return sent

    def _tick(self) -> None:
        self.tell(sum(self._arrived.values()))

    def _send(self, upload: str | None, number: int, token: CancelToken) -> tuple[SentPart, Crc32c]:
        buffer = self._buffer()
        try:
            view = self._read(buffer, number, token)
            digest = Crc32c()
            for start in range(0, len(view), PIECE_TO_SEND):
                digest.update(view[start : start + PIECE_TO_SEND])
            request = (
                self._target.whole(digest) if upload is None else self._target.part(upload, number, digest)
            )
            with self._engine.connections.exchange(
                "PUT",
                request.url,
                token=token,
                name=self._name,
                headers={**request.headers, "Content-Length": str(len(view))},
                send=lambda write: self._write(view, write, number, token),
            ) as answer:
                return SentPart(number, answer.headers.get("etag", ""), digest.wire), digest
        finally:
            self._buffers.put(buffer)

    def _buffer(self) -> memoryview:
        try:
            return self._buffers.get_nowait()
        except queue.Empty:
            return new_buffer(min(self._part_size, self.size))

    def _read(self, view: memoryview, number: int, token: CancelToken) -> memoryview:
        start = (number - 1) * self._part_size
        view = view[: min(self._part_size, self.size - start)]
        try:
            fd = os.open(self._source, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise unreadable(error, self._name) from None
        try:
            os.lseek(fd, start, os.SEEK_SET)
            there = 0
            while there < len(view):
                token.check()
                count = read_piece(fd, view[there:][:PIECE_TO_SEND], self._name)
                if not count:
                    raise changed(self._name)
                there += count
        finally:
            os.close(fd)
        return view

    def _write(self, view: memoryview, write: Send, number: int, token: CancelToken) -> None:
        self._arrived[number] = 0
        for start in range(0, len(view), PIECE_TO_SEND // 4):
            piece = view[start : start + PIECE_TO_SEND // 4]
            write(piece)
            token.moved += len(piece)
            self._arrived[number] += len(piece)
            token.check()
            token.pause(self._engine.bandwidth.take(len(piece), time.monotonic()))
