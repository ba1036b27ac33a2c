"""One file under way: which connection fetches which bytes, and what each answer means for the whole."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from attrs import frozen

from .._core._crc32c import goog_crc32c, readable_crc32c
from .._core._secret import SecretText
from .._core._tasks import plain_task_group
from .._http._retry import AttemptFailed, Outcome, repeat
from ..errors import ChecksumMismatch, ChecksumMissing, TransferInterrupted, UrlRefused
from ._limits import MAX_PIECE, next_piece
from ._ranges import (
    Span,
    combined,
    parse_content_range,
    range_header,
    split,
    strong_etag,
)
from .connections._responses import refusal
from .files._partial_file import check_space
from .files._target_folder import check_place

if TYPE_CHECKING:
    from .._core._crc32c import Crc32c
    from .._core._tasks import PlainTaskGroup
    from ._cancel_token import CancelToken
    from ._engine import Engine
    from .connections._connection import Response
    from .files._partial_file import PartialFile

_MAX_BEGINNINGS = 3
_MIN_PART = 64 * 1024  # bytes; an answer with less of a range than that counts as a failed attempt
_SMALL = 1024 * 1024  # bytes; such a file is finished by the thread that fetched it


@frozen
class DownloadSpec:
    """A file to download: where it comes from, and where it goes."""

    url: Callable[[], Awaitable[str]]
    """Returns a signed URL. Called at the start, and again when the storage refuses the last one."""
    target: Path
    name: str
    """Stands for the file in errors."""
    promise: str | None
    """Its CRC32C in the wire form, if one was promised."""
    progress: Callable[[int, int | None], None]
    """Called with the bytes so far and in all."""
    listed: SecretText | None = None
    """A signed URL to try before any of `url`."""
    prepare: Callable[[], None] | None = None
    """Called in a thread before the target is touched, more than once."""
    find: Callable[[], Crc32c | None] | None = None
    """Called in a thread if something is in the target's place; the checksum of a file to leave as it is."""
    needs_checksum: bool = False
    """Whether a file is worth nothing about whose bytes nobody promised anything."""


@frozen
class FetchedFile:
    """A file that is complete under its name."""

    size: int
    crc32c: str
    verified: bool
    """Whether its CRC32C was promised."""
    is_new: bool = True
    """False for a file that was there before."""


class _Stale(Exception):
    """What is there is of no use: the storage has another file now, or serves no ranges."""

    def __init__(self, *, ranges: bool) -> None:
        super().__init__()
        self.ranges = ranges


class _Unchecked(Exception):
    """Bytes are there already, which may take long to check."""


class RangedDownload:
    """One file under way.

    A small file takes a single call in a thread. One of which something is there already takes a call among
    those on files first, so that no connection waits while it is read.
    """

    def __init__(self, engine: Engine, spec: DownloadSpec, part: PartialFile) -> None:
        self._engine = engine
        self._spec = spec
        self._part = part
        self._is_begun = False
        self._address = _Address(spec.url, spec.listed)
        self._ranges = True
        self._is_splittable = False
        self._told: str | None = None
        self._fetched: FetchedFile | None = None
        self._group: PlainTaskGroup | None = None
        self._waiting: list[Span] = []
        self._min_span = engine.settings.transfers.segment_size

    async def run(self) -> FetchedFile:
        """Fetch the missing bytes, check the whole, and give it its name."""
        if self._spec.listed is not None:  # else a URL is asked for only if the file is not there
            with suppress(_Unchecked):
                return await self._fetched_file()
        found = await self._engine.run_file_io(self._check)
        return found if found is not None else await self._fetched_file()

    async def _fetched_file(self) -> FetchedFile:
        for _ in range(_MAX_BEGINNINGS):
            try:
                await self._fetch()
            except _Stale as stale:
                self._ranges = self._ranges and stale.ranges
                self._is_splittable = False
                self._forget()
            else:
                if self._fetched is None:
                    self._fetched = await self._engine.run_file_io(self._finish)
                return self._fetched
        raise TransferInterrupted(
            "the storage gave another file at each try; is it being replaced?", name=self._spec.name
        )

    def _forget(self) -> None:
        """Start again, unless a thread hangs that may still write what it had."""
        if self._part.is_in_use:
            raise TransferInterrupted("the disk does not take its bytes; try again", name=self._spec.name)
        self._part.forget()
        self._told = None

    async def _fetch(self) -> None:
        async with plain_task_group() as group:
            self._group = group
            missing = [span for span in self._part.spans if not span.is_complete]
            # One connection at first: others join while there is room, and no file waits for them.
            self._waiting = missing[1:]
            if missing:
                await self._work(missing[0])
        self._spec.progress(self._part.done, self._part.total)

    async def _work(self, span: Span) -> None:
        """Fill a span, and then others as long as there are any."""
        current: Span | None = span
        while current is not None:
            await self._fill(current)
            current = self._next() if self._waiting or self._engine.has_room else None

    def _next(self) -> Span | None:
        """Return a span that no connection fetches: a gap, or half of the slowest."""
        if self._waiting:
            return self._waiting.pop()
        if not (self._is_splittable and self._part.is_identified):
            return None
        with self._part.lock:
            half = split(self._part.spans, self._min_span)
            if half is not None:
                self._part.spans.append(half)
        return half

    def _tick(self) -> None:
        """Report the progress, and let another connection join if there is one to spare."""
        self._spec.progress(self._part.done, self._part.total)
        if self._engine.has_room and self._group is not None and (span := self._next()) is not None:
            self._group.start_soon(self._work, span)

    async def _fill(self, span: Span) -> None:
        await repeat(
            self._engine.settings.retries,
            "GET",
            f"download of {self._spec.name}",
            lambda: self._attempt(span),
            moved=lambda: span.position,
        )

    async def _attempt(self, span: Span) -> None:
        """Fetch a span once, and again at once while a refused URL is replaced by a fresh one."""
        while not span.is_complete:
            if span.position and not (self._ranges and self._part.is_identified):
                self._part.forget_bytes(span)
            url = await self._address.get()
            failure: AttemptFailed | None = None
            try:
                await self._engine.run(partial(self._pull, url, span), self._tick)
            except AttemptFailed as failed:
                failure = failed
            if failure is None:
                continue
            if failure.outcome.status == 416 and span.position:
                raise _Stale(ranges=True)  # the file is shorter now than what is there of it
            self._engine.on_throttled(failure.outcome)
            if not (isinstance(failure.error, UrlRefused) and self._address.refuse(url, self._part.done)):
                raise failure

    # In a worker thread

    def _pull(self, url: str, span: Span, token: CancelToken) -> None:
        headers, connections = range_header(span), self._engine.connections
        with self._part.in_use():
            self._begin(token)
            with connections.exchange(
                "GET", url, token=token, name=self._spec.name, headers=headers
            ) as response:
                self._accept(response, span)
                self._drain(response, span, token)
            if len(self._part.spans) == 1 and span.is_complete and span.position <= _SMALL:
                self._fetched = self._finished()

    def _begin(self, token: CancelToken) -> None:
        """Open the partial file. Raises _Unchecked if it has bytes, or something is in the target's place."""
        if self._is_begun:
            return
        if (self._is_taken() and self._spec.find is not None) or self._part.open(token):
            raise _Unchecked
        self._part.count_among(self._engine.parts)
        self._is_begun = True

    def _is_taken(self) -> bool:
        """Prepare the target's place, and return whether something is there."""
        if self._spec.prepare is not None:
            self._spec.prepare()
        return check_place(self._spec.target, self._spec.name)

    def _check(self, token: CancelToken) -> FetchedFile | None:
        """Return the file if it is there as promised, else open its partial file with the bytes it has."""
        if self._is_taken() and self._spec.find is not None and (found := self._spec.find()) is not None:
            return FetchedFile(found.length, found.wire, verified=True, is_new=False)
        with self._part.in_use():
            if self._part.open(token):
                self._part.recover(token)
            self._part.count_among(self._engine.parts)
            self._is_begun = True
        return None

    def _accept(self, response: Response, span: Span) -> None:
        """Check that an answer has the bytes that were asked for, of the file that the others are of."""
        total = response.length
        if response.status == 206:
            told = parse_content_range(response.headers.get("content-range", ""))
            if told is None or told[0] != span.position:
                raise _Stale(ranges=False)
            total = told[2]
        elif response.status != 200:
            raise refusal(
                f"the storage answered {response.status}, without a file", self._spec.name, response.status
            )
        elif span.position:
            self._restart(span)
        # Without a length nothing tells a file from its replacement but the checksum.
        etag = None if total is None else strong_etag(response.headers.get("etag"))
        with self._part.lock:
            if self._part.total is None:
                self._part.total, self._part.etag, span.end = total, etag, total
                check_space(self._part, tuple(self._engine.parts))
            elif self._is_another(total, etag):
                raise _Stale(ranges=True)
        # Not every answer about the same file may say it again.
        self._told = readable_crc32c(goog_crc32c(response.headers.get("x-goog-hash"))) or self._told
        serves_ranges = response.status == 206 or response.headers.get("accept-ranges") == "bytes"
        self._is_splittable = self._ranges and serves_ranges

    def _is_another(self, total: int | None, etag: str | None) -> bool:
        """Whether an answer is of another file; a promised checksum tells it better than an ETag does.

        The backends of some storages disagree about the ETag of one file.
        """
        return total != self._part.total or (self._part.promise is None and etag != self._part.etag)

    def _restart(self, span: Span) -> None:
        """Take the whole file from a storage that was asked for the rest of it and serves no ranges."""
        if len(self._part.spans) > 1:
            raise _Stale(ranges=False)
        self._ranges = False
        self._part.forget_bytes(span)

    def _drain(self, response: Response, span: Span, token: CancelToken) -> None:
        buffer, piece, begin = self._engine.buffer(), MAX_PIECE // 8, span.position
        while not span.is_complete:
            began = time.monotonic()
            wanted = self._engine.bandwidth.piece(piece)
            wanted = wanted if span.end is None else min(wanted, span.end - span.position)
            count = response.read_into(buffer[:wanted])
            token.check()
            if not count:
                self._end(response, span, span.position - begin)
                return
            self._part.write(buffer[:count], span)
            token.moved += count
            now = time.monotonic()
            piece = next_piece(piece, now - began)
            self._part.save()
            token.pause(self._engine.bandwidth.take(count, now))

    def _end(self, response: Response, span: Span, count: int) -> None:
        """Accept the end of an answer as the file's where the storage did not say how long it is.

        A storage may also send less of a range than it was asked for; the rest is asked for at once, as long
        as that gets on.
        """
        if response.status == 206 and self._ranges and self._part.is_identified and count >= _MIN_PART:
            return
        if span.end is not None:
            message = f"the storage broke off after {self._part.done:,} of {self._part.total:,} bytes"
            raise AttemptFailed(TransferInterrupted(message, name=self._spec.name), Outcome())
        span.end = self._part.total = span.position

    def _finish(self, token: CancelToken) -> FetchedFile:
        with self._part.in_use():
            token.check()
            return self._finished()

    def _finished(self) -> FetchedFile:
        """Check the whole and give it its name; the file is closed when this thread leaves it."""
        part = self._part
        total = part.done if part.total is None else part.total
        digest = combined(part.spans, total)
        promise = part.promise or self._told
        if digest is None or promise not in (None, digest.wire):
            part.discard()
            found = "none" if digest is None else digest.wire
            raise ChecksumMismatch(name=self._spec.name, expected=promise or "none", actual=found)
        if promise is None and self._spec.needs_checksum:
            part.discard()
            raise ChecksumMissing(
                "the storage gave no checksum; allow_unverified=True takes it as it is", name=self._spec.name
            )
        part.finish()
        part.close()
        return FetchedFile(total, digest.wire, promise is not None)


class _Address:
    """The signed URL in use; a refused one is replaced once per stretch of progress."""

    def __init__(self, ask: Callable[[], Awaitable[str]], listed: SecretText | None) -> None:
        self._ask = ask
        self._lock = anyio.Lock(fast_acquire=True)
        self._url = listed
        self._refused_at = -1

    async def get(self) -> str:
        """Return a URL to try; the connections of one file share it."""
        if self._url is not None:
            return self._url
        async with self._lock:
            if self._url is None:
                self._url = SecretText(await self._ask())
            return self._url

    def refuse(self, url: str, done: int) -> bool:
        """Drop a URL that was refused with `done` bytes there; returns whether to try another."""
        if url != self._url:
            return True
        if done == self._refused_at:
            return False
        self._url, self._refused_at = None, done
        return True
