"""A file to a signed URL: streamed, its checksum taken in the same pass, nothing assumed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from .._core._crc32c import Crc32c, goog_crc32c
from .._http._retry import AttemptFailed, Outcome, repeat
from ..errors import ChecksumMismatch, LocalFileChanged, TransferError
from ._limits import PIECE_TO_SEND, next_piece

if TYPE_CHECKING:
    from ._cancel_token import CancelToken
    from ._connection import Response, Send
    from ._engine import Engine


@frozen
class SentFile:
    """A file that arrived: its size, the checksum of the bytes sent, and whether the store says the same."""

    size: int
    crc32c: str
    verified: bool
    etag: str | None


async def put_file(
    engine: Engine,
    url: str,
    source: Path,
    *,
    name: str,
    progress: Callable[[int], None] | None = None,
) -> SentFile:
    """Send a file with one PUT, again from its start after a failure that is likely to pass.

    Memory stays at one MiB whatever the size. Raises ChecksumMismatch when the store answers another
    CRC32C than that of the bytes sent, LocalFileChanged when the file changed meanwhile, else UrlRefused
    or TransferInterrupted.
    """
    before = Fingerprint.of(source, name)
    put = _Put(engine, url, source, name, before.size)

    async def attempt() -> SentFile:
        failure: AttemptFailed | None = None
        try:
            sent = await engine.run(put.send, (lambda: progress(put.done)) if progress else None)
        except AttemptFailed as failed:
            failure = failed
        # Asked before the failure counts: a change of the file may be what cut the try short.
        before.check(source, name)
        if failure is None:
            return sent
        engine.on_throttled(failure.outcome)
        raise failure

    sent = await repeat(engine.settings.retries, "PUT", f"upload of {name}", attempt)
    if progress is not None:
        progress(sent.size)
    return sent


@frozen
class Fingerprint:
    """What changes when a file does."""

    size: int
    modified: int
    inode: int

    @classmethod
    def of(cls, source: Path, name: str) -> Fingerprint:
        """Look at a file; raises TransferError if it is not there."""
        try:
            stat = source.stat()
        except OSError as error:
            raise unreadable(error, name) from None
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ino)

    def check(self, source: Path, name: str) -> None:
        """Raise LocalFileChanged unless the file is as it was."""
        if Fingerprint.of(source, name) != self:
            raise changed(name)


class _Put:
    """One file on its way up; its thread sends, and the loop reads how much was sent."""

    def __init__(self, engine: Engine, url: str, source: Path, name: str, size: int) -> None:
        self._engine = engine
        self._url = url
        self._source = source
        self._name = name
        self._size = size
        self.done = 0

    def send(self, token: CancelToken) -> SentFile:
        """Send the file once."""
        digest = Crc32c()
        with self._engine.connections.exchange(
            "PUT",
            self._url,
            token=token,
            name=self._name,
            headers={"Content-Length": str(self._size)},
            send=lambda write: self._body(write, digest, token),
        ) as answer:
            return self._sent(answer, digest)

    def _body(self, write: Send, digest: Crc32c, token: CancelToken) -> None:
        try:
            fd = os.open(self._source, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise unreadable(error, self._name) from None
        try:
            self._copy(fd, write, digest, token)
        finally:
            os.close(fd)

    def _copy(self, fd: int, write: Send, digest: Crc32c, token: CancelToken) -> None:
        buffer, piece = self._engine.buffer(), PIECE_TO_SEND // 4
        while digest.length < self._size:
            wanted = min(piece, PIECE_TO_SEND, self._size - digest.length)
            count = read_piece(fd, buffer[:wanted], self._name)
            if not count:
                raise changed(self._name)
            digest.update(buffer[:count])
            began = time.monotonic()
            write(buffer[:count])
            now = time.monotonic()
            piece = next_piece(piece, now - began)
            token.moved += count
            self.done = digest.length
            token.check()
            token.pause(self._engine.bandwidth.take(count, now))

    def _sent(self, answer: Response, digest: Crc32c) -> SentFile:
        theirs = goog_crc32c(answer.headers.get("x-goog-hash")) or answer.headers.get("x-amz-checksum-crc32c")
        if digest.length < self._size:
            theirs = "of less than the whole"
        if theirs is not None and theirs != digest.wire:
            mismatch = ChecksumMismatch(name=self._name, expected=digest.wire, actual=theirs)
            raise AttemptFailed(mismatch, Outcome())
        return SentFile(self._size, digest.wire, theirs is not None, answer.headers.get("etag"))


def read_piece(fd: int, view: memoryview, name: str) -> int:
    """Fill `view` from a file and return how many bytes it took; raises TransferError."""
    try:
        return os.readv(fd, [view])
    except OSError as error:
        raise unreadable(error, name) from None


def unreadable(error: OSError, name: str) -> TransferError:
    """Return the error for a file that can't be read."""
    return TransferError(f"it can't be read ({error.strerror})", name=name)


def changed(name: str) -> LocalFileChanged:
    """Return the error for a file that is not what it was."""
    return LocalFileChanged("it changed while it was sent; submit it again once it is complete", name=name)
