"""One file under way: which connection fetches which bytes, and what each answer means for the whole."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from attrs import frozen

from .._core._crc32c import goog_crc32c, readable_crc32c
from .._core._tasks import plain_task_group
from .._http._retry import AttemptFailed, Outcome, repeat
from ..errors import ChecksumMismatch, TransferInterrupted, UrlRefused
from ._limits import LARGEST_PIECE, next_piece
from ._partial_file import PartialFile, check_space
from ._ranges import (
    Span,
    combined,
    parse_content_range,
    range_header,
    split,
    strong_etag,
)

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from ._cancel_token import CancelToken
    from ._connection import Response
    from ._engine import Engine

_BEGINNINGS = 3


@frozen
class DownloadSpec:
    """What is wanted: a file, where it comes from, and where it goes."""

    url: Callable[[], Awaitable[str]]
    """Gives a signed URL; asked at the start, and again when the storage refuses the one that it gave."""
    target: Path
    name: str
    """Stands for the file in errors."""
    promise: str | None
    """Its CRC32C in the wire form, where somebody promised one."""
    progress: Callable[[int, int | None], None]
    """Told the bytes so far and in all."""


@frozen
class FetchedFile:
    """A file that is complete under its name: its size, its checksum, and whether that was promised."""

    size: int
    crc32c: str
    verified: bool


class _Stale(Exception):
    """What is there is of no use: the storage has another file now, or does not serve ranges."""

    def __init__(self, *, ranges: bool) -> None:
        super().__init__()
        self.ranges = ranges


class RangedDownload:
    """One file under way."""

    def __init__(self, engine: Engine, order: DownloadSpec, part: PartialFile) -> None:
        self._engine = engine
        self._order = order
        self._part = part
        self._address = _Address(order.url)
        self._ranges = True
        self._splittable = False
        self._told: str | None = None
        self._group: TaskGroup | None = None
        self._waiting: list[Span] = []
        self._least = engine.settings.transfers.segment_size

    async def run(self) -> FetchedFile:
        """RangedDownload what is missing, check the whole, and give it its name."""
        for _ in range(_BEGINNINGS):
            try:
                await self._fetch()
            except _Stale as stale:
                self._ranges = self._ranges and stale.ranges
                self._splittable = False
                self._part.forget()
            else:
                return await self._engine.run_file_io(self._finish)
        raise TransferInterrupted(
            "the storage gave another file at each try; is it being replaced?", name=self._order.name
        )

    async def _fetch(self) -> None:
        async with plain_task_group() as group:
            self._group = group
            missing = [span for span in self._part.spans if not span.is_complete]
            # One connection at first: others join while there is room, and no file waits for them.
            self._waiting = missing[1:]
            if missing:
                group.start_soon(self._work, missing[0])
        self._order.progress(self._part.done, self._part.total)

    async def _work(self, span: Span) -> None:
        """Fill a span, and then others as long as there are any."""
        following: Span | None = span
        while following is not None:
            await self._fill(following)
            following = self._next() if self._waiting or self._engine.has_room else None

    def _next(self) -> Span | None:
        """Return what another connection could fetch: a gap that nobody is at, or half of what is slowest."""
        if self._waiting:
            return self._waiting.pop()
        if not (self._splittable and self._part.is_identified):
            return None
        with self._part.lock:
            half = split(self._part.spans, self._least)
            if half is not None:
                self._part.spans.append(half)
        return half

    def _tick(self) -> None:
        """Tell the progress, and let another connection join if there is one to spare."""
        self._order.progress(self._part.done, self._part.total)
        if self._engine.has_room and self._group is not None and (span := self._next()) is not None:
            self._group.start_soon(self._work, span)

    async def _fill(self, span: Span) -> None:
        await repeat(
            self._engine.settings.retries,
            "GET",
            f"download of {self._order.name}",
            lambda: self._attempt(span),
            moved=lambda: span.position,
        )

    async def _attempt(self, span: Span) -> None:
        if span.position and not (self._ranges and self._part.is_identified):
            self._part.forget_bytes(span)
        url = await self._address.get()
        failure: AttemptFailed | None = None
        try:
            await self._engine.run(partial(self._pull, url, span), self._tick)
        except AttemptFailed as failed:
            failure = failed
        if failure is None:
            return
        if failure.outcome.status == 416 and span.position:
            raise _Stale(ranges=True)  # the file has become shorter than what is there of it
        self._engine.on_throttled(failure.outcome)
        if isinstance(failure.error, UrlRefused) and self._address.refuse(url, self._part.done):
            failure = AttemptFailed(failure.error, Outcome(retry_after=0))
        raise failure

    # In a worker thread

    def _pull(self, url: str, span: Span, token: CancelToken) -> None:
        with self._engine.connections.exchange(
            "GET", url, token=token, name=self._order.name, headers=range_header(span)
        ) as answer:
            self._accept(answer, span)
            self._drain(answer, span, token)

    def _accept(self, answer: Response, span: Span) -> None:
        """Check that an answer is the bytes that were asked for, of the file that the others are of."""
        total = answer.length
        if answer.status == 206:
            told = parse_content_range(answer.headers.get("content-range", ""))
            if told is None or told[0] != span.position:
                raise _Stale(ranges=False)
            total = told[2]
        elif span.position:
            self._begin_anew(span)
        # Without a length nothing tells a file from its replacement but the checksum.
        etag = None if total is None else strong_etag(answer.headers.get("etag"))
        with self._part.lock:
            if self._part.total is None:
                self._part.total, self._part.etag, span.end = total, etag, total
                check_space(self._part, tuple(self._engine.parts))
            elif (total, etag) != (self._part.total, self._part.etag):
                raise _Stale(ranges=True)
        self._told = readable_crc32c(goog_crc32c(answer.headers.get("x-goog-hash")))
        serves_ranges = answer.status == 206 or answer.headers.get("accept-ranges") == "bytes"
        self._splittable = self._ranges and serves_ranges

    def _begin_anew(self, span: Span) -> None:
        """Take the whole file from a storage that was asked for the rest of it and has no ranges."""
        if len(self._part.spans) > 1:
            raise _Stale(ranges=False)
        self._ranges = False
        self._part.forget_bytes(span)

    def _drain(self, answer: Response, span: Span, token: CancelToken) -> None:
        buffer, piece = self._engine.buffer(), LARGEST_PIECE // 8
        while not span.is_complete:
            began = time.monotonic()
            wanted = piece if span.end is None else min(piece, span.end - span.position)
            count = answer.read_into(buffer[:wanted])
            token.check()
            if not count:
                self._end(span)
                return
            self._part.write(buffer[:count], span)
            token.moved += count
            now = time.monotonic()
            piece = next_piece(piece, now - began)
            self._part.save()
            token.pause(self._engine.bandwidth.take(count, now))

    def _end(self, span: Span) -> None:
        """Take in the end of an answer: the file's own where the storage did not say how long it is."""
        if span.end is not None:
            message = f"the storage broke off after {self._part.done:,} of {self._part.total:,} bytes"
            raise AttemptFailed(TransferInterrupted(message, name=self._order.name), Outcome())
        span.end = self._part.total = span.position

    def _finish(self, token: CancelToken) -> FetchedFile:
        token.check()
        part = self._part
        total = part.done if part.total is None else part.total
        digest = combined(part.spans, total)
        promise = part.promise or self._told
        if digest is None or promise not in (None, digest.wire):
            part.discard()
            found = "none" if digest is None else digest.wire
            raise ChecksumMismatch(name=self._order.name, expected=promise or "none", actual=found)
        part.finish()
        return FetchedFile(total, digest.wire, promise is not None)


class _Address:
    """The signed URL that serves now; replaced when it is refused, once per stretch of progress."""

    def __init__(self, ask: Callable[[], Awaitable[str]]) -> None:
        self._ask = ask
        self._lock = anyio.Lock()
        self._url: str | None = None
        self._refused_at = -1

    async def get(self) -> str:
        """Return a URL to try; connections of one file share it."""
        async with self._lock:
            if self._url is None:
                self._url = await self._ask()
            return self._url

    def refuse(self, url: str, done: int) -> bool:
        """Take in that a URL was refused, with so many bytes there; returns whether to try another."""
        if url != self._url:
            return True
        if done == self._refused_at:
            return False
        self._url, self._refused_at = None, done
        return True
