"""A file on its way: hidden beside its final name, locked, and resumable after a crash."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from .._core._crc32c import Crc32c
from ..errors import DiskFull, TransferError
from ._ranges import Span
from ._resume_record import Record, read_record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._cancel_token import CancelToken

_PIECE = 1024 * 1024  # bytes
_SAVED_EVERY = 1.0  # seconds
# What is worth keeping after a failure; less is fetched again as fast as it is checked.
_WORTH_KEEPING = 8 * 1024 * 1024


class PartialFile:
    """The partial file of one target. Blocking; what workers share in it is safe for several threads."""

    def __init__(self, target: Path, fd: int, promise: str | None) -> None:
        self.target = target
        self.path = part_path(target)
        self.promise = promise
        self.device = os.fstat(fd).st_dev
        self.lock = threading.Lock()
        self._fd = fd
        self._record = record_path(target)
        self._saved = 0.0
        self.is_over = False
        self._is_worthless = False
        self.forget()

    @classmethod
    def open(cls, token: CancelToken, target: Path, promise: str | None, name: str) -> Self:
        """Open the partial file of a target, with what an earlier download left of it and still checks.

        Raises TransferError while another download of it, here or in another process, is under way.
        """
        token.check()
        path = part_path(target)
        while True:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_at(fd, path):
                    part = cls(target, fd, promise)
                    part.recover(token)
                    return part
            except BlockingIOError:
                os.close(fd)
                raise TransferError("another download of it is under way", name=name) from None
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)  # it was finished, or thrown away, between the two steps

    # What is there

    def forget(self) -> None:
        """Begin anew: nothing is there, and nothing is known of the file."""
        self.total: int | None = None
        self.etag: str | None = None
        self.spans: list[Span] = [Span(0)]

    def forget_bytes(self, span: Span) -> None:
        """Begin anew with the one span that there is."""
        self.total, self.etag, span.end, span.done = None, None, None, Crc32c()

    @property
    def done(self) -> int:
        """Bytes that are there."""
        return sum(span.done.length for span in self.spans)

    @property
    def outstanding(self) -> int:
        """Bytes that are still to be written."""
        return 0 if self.total is None else self.total - self.done

    @property
    def is_identified(self) -> bool:
        """Whether what comes later can be told to be of the same file as what is there."""
        return self.promise is not None or self.etag is not None

    def recover(self, token: CancelToken) -> None:
        """Take over the spans of the record whose bytes still have its checksums."""
        try:
            record = read_record(self._record.read_bytes())
        except OSError:
            record = None
        if record is None or record.promise != self.promise or (record.promise is record.etag is None):
            os.ftruncate(self._fd, 0)
            return
        self.total, self.etag = record.total, record.etag
        self.spans = [
            span if self._checksum(span, token) == span.done else Span(span.start, span.end)
            for span in record.spans
        ]

    def _checksum(self, span: Span, token: CancelToken) -> Crc32c:
        found = Crc32c()
        buffer = memoryview(bytearray(_PIECE))
        while found.length < span.done.length:
            token.check()
            piece = buffer[: span.done.length - found.length]
            count = os.preadv(self._fd, [piece], span.start + found.length)
            if not count:
                break
            found.update(piece[:count])
        return found

    def write(self, view: memoryview, span: Span) -> None:
        """Put bytes where a span ends so far; spans meet in one file, so each write says where it goes."""
        rest, at = view, span.position
        while rest:
            count = os.pwrite(self._fd, rest, at)
            rest, at = rest[count:], at + count
        span.grow(view)

    # The record

    def save(self, *, now: bool = False) -> None:
        """Write down what is there, once a second at most."""
        with self.lock:
            if self.total is None or (not now and time.monotonic() < self._saved + _SAVED_EVERY):
                return
            self._saved = time.monotonic()
            record = Record(self.promise, self.total, self.etag, tuple(self.spans))
            fresh = self._record.with_name(f"{self._record.name}.new")
            fresh.write_bytes(record.to_bytes())
            fresh.replace(self._record)

    # Its end

    def finish(self) -> None:
        """Give the file its final name; its bytes are on the disk before that."""
        os.ftruncate(self._fd, self.total or 0)
        os.fsync(self._fd)
        # In this order: a kill in between leaves nothing that nobody would clear.
        self._record.unlink(missing_ok=True)
        self.path.replace(self.target)
        self.is_over = True

    def give_up(self) -> None:
        """Let `close` delete the file, whatever is there of it."""
        self._is_worthless = True

    def discard(self) -> None:
        """Delete the partial file."""
        self.is_over = True
        self.path.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file. One that is worth resuming is kept, with its record; any other is deleted."""
        try:
            if not self.is_over:
                if self.is_identified and self.done >= _WORTH_KEEPING and not self._is_worthless:
                    self.save(now=True)
                else:
                    self.discard()
        finally:
            os.close(self._fd)


def part_path(target: Path) -> Path:
    """Return where the bytes of a target stand until it is complete."""
    return target.with_name(f".{target.name}.part")


def record_path(target: Path) -> Path:
    """Return where the record of a partial file stands."""
    return target.with_name(f".{target.name}.part.json")


def check_space(part: PartialFile, all_parts: Iterable[PartialFile]) -> None:
    """Raise DiskFull unless the disk has room for this file beside all others that are under way."""
    disk = os.statvfs(part.target.parent)
    free = disk.f_bavail * disk.f_frsize
    needed = sum(each.outstanding for each in all_parts if each.device == part.device)
    if needed > free:
        raise DiskFull(
            f"the files under way need {needed:,} bytes more in {part.target.parent} and {free:,} are free; "
            "make room and download again",
            name=part.target.name,
        )


def clear_abandoned(folder: Path, older_than: float) -> None:
    """Delete partial files that nobody has touched for so many seconds."""
    for pattern in (".*.part", ".*.part.json", ".*.part.json.new"):
        for path in folder.glob(pattern):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > older_than:
                    path.unlink()


def local_error(error: OSError, target: Path, name: str) -> TransferError:
    """Return the error of our tree for one of the file system's."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"no space is left in {target.parent}; make room and download again", name=name)
    return TransferError(f"it can't be written to {target.parent} ({error.strerror})", name=name)


def _is_at(fd: int, path: Path) -> bool:
    """Whether an open file is still the one under its name."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False
