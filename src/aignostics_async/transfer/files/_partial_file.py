"""A file under way: hidden beside its final name, locked, and resumable after a crash."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..._core._crc32c import Crc32c
from ..._core._file_lock import try_lock
from ..._core._logging import get_logger
from ..._core._portable import free_space, open_file, read_at, sync
from ...errors import DiskFull, TransferInterrupted
from .._cancel_token import Cancelled
from .._ranges import Span
from ._file_io import write_at
from ._resume_record import Record, load_record

if TYPE_CHECKING:
    from .._cancel_token import CancelToken

_log = get_logger("aignostics_async")

_PIECE = 1024 * 1024  # bytes
_SAVE_INTERVAL = 1.0  # seconds
# What is worth keeping after a failure; less is fetched again as fast as it is checked.
_WORTH_KEEPING = 8 * 1024 * 1024
_FLAGS = os.O_RDWR | os.O_CREAT
_MAX_OPENINGS = 100
_NONE = -1  # in place of a descriptor


class PartialFile:
    """The partial file of one target, shared by the threads that fill it; its methods block.

        part = PartialFile(Path("results/a.tiff"), "4waSgw==", "a.tiff")
        with part.in_use():
            if part.open(token):
                part.recover(token)
            part.write(memoryview(b"..."), part.spans[0])
        part.close()

    `target` is the path of the complete file, and `path` that of the partial file: `.{target.name}.part`
    beside it, unless `open` has renamed it. `promise` is the CRC32C of the complete file in wire form, or
    None. `name` identifies the file in errors. `total` is its length in bytes and `etag` its ETag; both are
    None while they are not known. `spans` is a list of the ranges of the file with the bytes that are
    written, and `lock` is to be held while they change. `device` is the number of the file system, 0 before
    `open`. Creating it does no I/O. A thread uses the descriptor inside `in_use`; after `close`, the last
    one to leave closes it.
    """

    def __init__(self, target: Path, promise: str | None, name: str) -> None:
        self.target = target
        self.path = part_path(target)
        self.promise = promise
        self.device = 0
        self.name = name
        self.lock = threading.Lock()
        """Held while the spans change."""
        self._descriptor = _NONE
        self._record = _record_of(self.path)
        self._saved = time.monotonic()  # nothing is worth a record yet
        self._use_lock = threading.Lock()
        self._users = 0
        self._is_closing = False
        self._is_over = True
        """Whether `close` leaves the file alone: because it was finished, or because nothing was begun."""
        self._is_worthless = False
        self.forget()

    def open(self, token: CancelToken) -> bool:
        """Open the partial file, if it is not, and return whether there are bytes to `recover` first.

        Only inside `in_use`. The file is locked. On a file system without locks it is claimed by renaming it,
        and each process logs a warning once for each file system. One that has further hard links is
        replaced.

        Raises TransferInterrupted while another download has locked the file, here or in another process, or
        if others replace it again and again; OSError if it can't be opened; and Cancelled if `token` is
        cancelled.
        """
        if self._descriptor == _NONE:
            self._descriptor = self._opened(token)
            self._saved = time.monotonic()  # nothing is worth a record yet
            status = os.fstat(self._descriptor)
            self.device, self._is_over = status.st_dev, status.st_size > 0
        return self._is_over

    def _opened(self, token: CancelToken) -> int:
        for _ in range(_MAX_OPENINGS):
            token.check()
            descriptor = open_file(self.path, _FLAGS)
            try:
                is_locked = try_lock(descriptor, self.path)
                is_ours = is_locked and _is_at(descriptor, self.path)
                if is_ours and os.fstat(descriptor).st_nlink > 1:
                    self.path.unlink()  # its bytes are another file's too, as in a backup by hard links
                    is_ours = False
            except BaseException:
                os.close(descriptor)
                raise
            if is_ours:
                return descriptor
            os.close(descriptor)
            if is_locked is False:
                raise TransferInterrupted("another download of it is under way", name=self.name)
            if is_locked is None:
                _warn_of_missing_locks(self.path.parent.stat().st_dev)
                self.path, descriptor = _claim(self.path)
                self._record = _record_of(self.path)
                return descriptor
            # Else it was finished, discarded or not only ours; the next one is.
        message = "another file is in the place of its partial file each time; choose another folder"
        raise TransferInterrupted(message, name=self.name)

    # What is there

    def forget(self) -> None:
        """Start over with one empty span, and forget the length and ETag of the file.

        Does no I/O: the bytes on the disk stay, and are overwritten. Call it while no other thread uses the
        spans.
        """
        self.total: int | None = None
        self.etag: str | None = None
        self.spans: list[Span] = [Span(0)]

    def forget_bytes(self, span: Span) -> None:
        """Empty the only span, and forget the length and ETag of the file.

        `span` must be the only one of `spans`. Unlike `forget`, it keeps the `Span`, for the thread that
        fetches it.
        """
        self.total, self.etag, span.end, span.done = None, None, None, Crc32c()

    @property
    def done(self) -> int:
        """The number of bytes that are written, over all spans."""
        return sum(span.done.length for span in self.spans)

    @property
    def outstanding(self) -> int:
        """The number of bytes still to be written; 0 while the length of the file is unknown."""
        return 0 if self.total is None else self.total - self.done

    @property
    def is_identified(self) -> bool:
        """Whether later bytes can be recognised as part of the same file, by its checksum or its ETag."""
        return self.promise is not None or self.etag is not None

    def recover(self, token: CancelToken) -> None:
        """Take over the bytes of an earlier download that still match their recorded checksums.

        Only inside `in_use`, after `open`, and while no other thread uses the spans. `spans`, `total` and
        `etag` are then those of the record, with an empty span where bytes don't match. Without a usable
        record the file is emptied. Costs reading the record and the bytes. Raises OSError, and Cancelled if
        `token` is cancelled.
        """
        record = load_record(self._record)
        if record is None or record.promise != self.promise or (record.promise is record.etag is None):
            os.ftruncate(self._descriptor, 0)
        else:
            spans = [
                span if self._checksum(span, token) == span.done else Span(span.start, span.end)
                for span in record.spans
            ]
            self.total, self.etag, self.spans = record.total, record.etag, spans
        self._is_over = False

    def _checksum(self, span: Span, token: CancelToken) -> Crc32c:
        found = Crc32c()
        buffer = memoryview(bytearray(_PIECE))
        while found.length < span.done.length:
            token.check()
            piece = buffer[: span.done.length - found.length]
            count = read_at(self._descriptor, piece, span.start + found.length)
            if not count:
                break
            found.update(piece[:count])
        return found

    def write(self, view: memoryview, span: Span) -> None:
        """Write bytes at the position of a span, and extend its checksum.

            with part.in_use():
                part.write(memoryview(b"..."), part.spans[0])

        Only the thread that fetches the span may call it, inside `in_use` and after `open`. Raises OSError if
        the disk is full or fails; the span is then unchanged.
        """
        write_at(self._descriptor, view, span.position)
        span.grow(view)

    def save(self, *, now: bool = False) -> None:
        """Record which bytes are written, in a JSON file beside the partial file.

        Does nothing while the length of the file is unknown, nor within 1 s of `open` or the last attempt,
        unless `now` is True (False by default). The record is replaced atomically, without an fsync. Raises
        OSError if it can't be written.
        """
        with self.lock:
            if self.total is None or (not now and time.monotonic() < self._saved + _SAVE_INTERVAL):
                return
            self._saved = time.monotonic()
            record = Record(self.promise, self.total, self.etag, tuple(self.spans))
            # What is there already may be a link to any file of the user's.
            self._new_record.unlink(missing_ok=True)
            with self._new_record.open("xb") as file:
                file.write(record.to_bytes())
            self._new_record.replace(self._record)

    @property
    def _new_record(self) -> Path:
        """The record while it is written."""
        return self._record.with_name(f"{self._record.name}.new")

    def _delete_record(self) -> None:
        """Delete the record, and what a kill or a full disk left of one that was being written."""
        self._record.unlink(missing_ok=True)
        self._new_record.unlink(missing_ok=True)

    # Its end

    @property
    def is_in_use(self) -> bool:
        """Whether a thread is inside `in_use`."""
        return self._users > 0

    @property
    def is_closing(self) -> bool:
        """Whether `close` was called."""
        return self._is_closing

    @property
    def is_open(self) -> bool:
        """Whether there is a descriptor to close, or a thread that may open one."""
        return self._descriptor != _NONE or self.is_in_use

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the descriptor open while the block runs.

            with part.in_use():
                part.write(view, span)

        Several threads may be inside at once; after `close`, the last one to leave closes the file. Raises
        Cancelled if `close` was called before the block.
        """
        with self._use_lock:
            if self._is_closing:
                raise Cancelled
            self._users += 1
        try:
            yield
        finally:
            with self._use_lock:
                self._users -= 1
                is_last = self._users == 0
            if is_last and self.is_closing:
                self._close()

    def finish(self) -> None:
        """Rename the complete file to its target, once its bytes are on the disk.

        Only inside `in_use`, after `open`, with `total` set, to which the file is cut or extended. It does
        not verify the file. The record is deleted, and the target is replaced. Costs one fsync. Raises
        TransferInterrupted if another process has taken the partial file away, and OSError if the disk fails
        or the target can't be replaced.
        """
        descriptor = self._descriptor
        if os.fstat(descriptor).st_size != self.total:
            os.ftruncate(descriptor, self.total or 0)
        sync(descriptor)
        if not _is_at(descriptor, self.path):
            message = "another process has taken its partial file away; try again"
            raise TransferInterrupted(message, name=self.name)
        # In this order: what a kill in between leaves, `clear_abandoned` knows as its own.
        self.path.replace(self.target)
        self._is_over = True
        with contextlib.suppress(OSError):  # the file is there, and whole
            self._delete_record()

    def give_up(self) -> None:
        """Make `close` delete a file that it would keep to be resumed."""
        self._is_worthless = True

    def discard(self) -> None:
        """Delete the partial file and its record; files that are missing are no error.

        The descriptor stays open until `close`. Raises OSError if one of them can't be deleted.
        """
        self._is_over = True
        self.path.unlink(missing_ok=True)
        self._delete_record()

    def close(self) -> None:
        """Close the file once no thread uses it; closing it twice does nothing.

        A file that is not finished is kept with its record if its length is known, it has a checksum or an
        ETag, 8 MiB or more are written, and `give_up` was not called; otherwise it is deleted. Bytes of an
        earlier download that were not recovered stay as they are. A file that can't be recorded or deleted is
        left, and raises nothing.
        """
        with self._use_lock:
            is_first, self._is_closing = not self._is_closing, True
            is_unused = not self._users
        if is_first and is_unused:
            self._close()

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, _NONE
        if descriptor == _NONE:
            return
        try:
            # Nothing more can be done for a file that can't be saved or deleted.
            with contextlib.suppress(OSError):
                if not self._is_over and _is_at(descriptor, self.path):
                    self._keep_or_discard()
        finally:
            os.close(descriptor)

    def count_among(self, parts: set[PartialFile]) -> None:
        """Add the file to `parts`, the files under way whose needs `check_space` sums up.

        Raises Cancelled if `close` was called.
        """
        with self._use_lock:
            if self._is_closing:
                raise Cancelled
            parts.add(self)

    def _keep_or_discard(self) -> None:
        # Without its length there is no record, and without a record nothing can be resumed.
        is_useful = self.total is not None and self.is_identified and self.done >= _WORTH_KEEPING
        if not is_useful or self._is_worthless:
            self.discard()
            return
        self.save(now=True)
        if self.path != part_path(self.target):  # it was claimed, and is given back
            self.path.replace(part_path(self.target))
            self._record.replace(record_path(self.target))


def part_path(target: Path) -> Path:
    """Return where the bytes of a target are until it is complete."""
    return target.with_name(f".{target.name}.part")


def record_path(target: Path) -> Path:
    """Return where the record of a target's partial file is."""
    return _record_of(part_path(target))


def _record_of(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def check_space(part: PartialFile, all_parts: Iterable[PartialFile]) -> None:
    """Raise DiskFull if the disk has no room for this file beside all others that are under way."""
    free = free_space(part.target.parent)
    needed = sum(each.outstanding for each in all_parts if each.device == part.device)
    if free is not None and needed > free:
        raise DiskFull(
            f"the files under way need {needed:,} bytes more in {part.target.parent} and {free:,} are free; "
            "make room and download again",
            name=part.name,
        )


def _claim(path: Path) -> tuple[Path, int]:
    """Rename a partial file, which only one process can do; returns its new name and descriptor."""
    own = path.with_name(f"{path.stem}.{secrets.token_hex(4)}.part")
    with contextlib.suppress(FileNotFoundError):
        path.rename(own)
        _record_of(path).rename(_record_of(own))
    return own, open_file(own, _FLAGS)


@cache
def _warn_of_missing_locks(_device: int) -> None:
    """Log that a file system offers no locks, once for each."""
    _log.warning(
        "the file system of the target folder offers no file locks: downloads continue, but processes "
        "that download the same file at the same time each download all of it"
    )


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file is still the one under its name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
