"""A file to a store that checks what it receives: read once, in parts, several of them in flight.

A part is read into memory, hashed, and sent with its checksum in a header; the store refuses it if it
received other bytes. Memory is the parts in flight times their size.
"""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import anyio
from attrs import define, field, frozen

from .._core._crc32c import Crc32c, checksum_segments
from .._core._tasks import run_all
from .._http._retry import AttemptFailed, Outcome, repeat
from ..errors import AignosticsError, ChecksumMismatch
from ._engine import new_buffer
from ._limits import SEND_PIECE
from ._object_facts import ObjectFacts, written_facts
from ._renewal import send_renewing
from ._upload import SentFile
from .files._file_io import check_unchanged, fingerprint, open_source, read_source
from .progress._events import guard_progress

if TYPE_CHECKING:
    from .._core._file_fingerprint import Fingerprint
    from ._cancel_token import CancelToken
    from ._engine import Engine
    from .connections._connection import BodyWriter


_MIN_PART = 5 * 1024 * 1024  # bytes of every part but the last; no store takes smaller ones
_MAX_PARTS = 10_000  # of one upload
_ABORT_SECONDS = 10


@frozen
class SentPart:
    """A part that was sent: its number, its checksum in the wire form, and what the storage answered."""

    number: int
    crc32c: str
    headers: Mapping[str, str]
    """Of the answer, by their names in lower case."""

    @property
    def etag(self) -> str:
        """The storage's name of the part."""
        return self.headers.get("etag", "")


@frozen
class SignedRequest:
    """A signed PUT: its URL, and the headers that are part of the signature."""

    url: str = field(repr=False)
    headers: Mapping[str, str]


class UploadTarget(Protocol):
    """Where a file goes. `whole` and `part` sign in a worker thread, the others may send requests.

    What a signer is, each kind of target knows for itself.
    """

    async def signer(self) -> Any:
        """Return the key that is valid now, before each body is sent: many parts may outlive one key."""
        ...

    async def another_signer(self, signer: Any, /) -> Any | None:
        """Return the key to send a refused body with once more; None if only the same one can be had."""
        ...

    def whole(self, signer: Any, digest: Crc32c) -> SignedRequest:
        """Return the request that sends the whole file."""
        ...

    def part(self, signer: Any, upload: str, number: int, digest: Crc32c) -> SignedRequest:
        """Return the request that sends one part; numbers begin with 1."""
        ...

    async def begin(self) -> str:
        """Begin an upload in parts and return its id."""
        ...

    async def complete(
        self, upload: str, parts: Sequence[SentPart], whole: Crc32c, part_size: int
    ) -> Mapping[str, str]:
        """Make one object of the parts, and return what the storage says about it, as headers."""
        ...

    async def abort(self, upload: str) -> None:
        """Abort the upload, so that the store drops its parts."""
        ...


async def send_file(
    engine: Engine,
    target: UploadTarget,
    source: Path,
    *,
    name: str,
    progress: Callable[[int], None] | None = None,
) -> SentFile:
    """Send a file whole if it fits one part, else in parts; an upload that fails is aborted.

    `progress` is called with the bytes sent so far, which fall back when a part is sent again; what it raises
    ends the upload and is raised. Aborting takes ten seconds at most.

    Raises LocalFileChanged when the file changed meanwhile, ChecksumMismatch when the storage names another
    checksum for a part at every try, else what the parts raise.
    """
    with guard_progress(progress) as report:
        before = await engine.run_file_io(lambda _: fingerprint(source, name))
        sending = _MultipartUpload(engine, target, source, name, before.size, report)
        if before.size <= sending.part_size:
            part, whole = await sending.send(None, 1)
            headers, part_size = part.headers, None
            await _check(engine, before, source, name, whole)
        else:
            upload = await target.begin()
            try:
                sent = await sending.send_parts(upload)
                whole = checksum_segments(digest for _, digest in sent)
                await _check(engine, before, source, name, whole)
                part_size = sending.part_size
                headers = await target.complete(upload, [part for part, _ in sent], whole, part_size)
            except GeneratorExit:  # nothing can be waited for any more
                raise
            except BaseException:
                await _abort(target, upload)
                raise
        return SentFile(before.size, whole.wire, headers, part_size)


def part_size_of(size: int, wanted: int) -> int:
    """Return the bytes of a part for a file of this size; a file that is not larger is sent whole."""
    return max(wanted, _MIN_PART, -(-size // _MAX_PARTS))


async def _check(engine: Engine, before: Fingerprint, source: Path, name: str, sent: Crc32c) -> None:
    await engine.run_file_io(lambda _: check_unchanged(before, source, name, sent))


async def _abort(target: UploadTarget, upload: str) -> None:
    """Abort an upload, also while cancelled; what failed before is what counts."""
    with anyio.move_on_after(_ABORT_SECONDS, shield=True):
        with contextlib.suppress(AignosticsError):
            await target.abort(upload)


@define(eq=False)
class _MultipartUpload:
    """A file on its way in parts: the buffers in use, and how much has arrived."""

    _engine: Engine
    _target: UploadTarget
    _source: Path
    _name: str
    _size: int
    _report: Callable[[int], None]
    part_size: int = field(init=False)
    _arrived: dict[int, int] = field(init=False, factory=dict)
    _buffers: queue.SimpleQueue[memoryview] = field(init=False, factory=queue.SimpleQueue)
    """Fresh memory costs more than the copy into it, so the parts take turns."""

    def __attrs_post_init__(self) -> None:
        self.part_size = part_size_of(self._size, self._engine.settings.transfers.part_size)

    async def send_parts(self, upload: str) -> list[tuple[SentPart, Crc32c]]:
        """Send all parts, several at once."""
        numbers = range(1, -(-self._size // self.part_size) + 1)
        return await run_all(
            [partial(self.send, upload, number) for number in numbers],
            limit=self._engine.settings.transfers.max_concurrency,
        )

    async def send(self, upload: str | None, number: int) -> tuple[SentPart, Crc32c]:
        """Send one part, or the whole file if there is no upload, again after a failure that may pass."""
        what = f"upload of {self._name}, part {number}"

        async def send(signer: Any) -> tuple[SentPart, Crc32c]:
            attempt = partial(self._send_once, signer, upload, number)
            return await repeat(self._engine.settings.retries, "PUT", what, attempt)

        sent = await send_renewing(await self._target.signer(), self._target.another_signer, send)
        self._tick()
        return sent

    async def _send_once(self, signer: Any, upload: str | None, number: int) -> tuple[SentPart, Crc32c]:
        try:
            return await self._engine.run(partial(self._send, signer, upload, number), self._tick)
        except AttemptFailed as failed:
            self._engine.on_throttled(failed.outcome)
            raise

    def _tick(self) -> None:
        self._report(sum(self._arrived.values()))

    # In a worker thread

    def _send(
        self, signer: Any, upload: str | None, number: int, token: CancelToken
    ) -> tuple[SentPart, Crc32c]:
        buffer = self._buffer()
        try:
            view = self._read(buffer, number, token)
            digest = Crc32c()
            for start in range(0, len(view), SEND_PIECE):
                digest.update(view[start : start + SEND_PIECE])
            request = (
                self._target.whole(signer, digest)
                if upload is None
                else self._target.part(signer, upload, number, digest)
            )
            with self._engine.connections.exchange(
                "PUT",
                request.url,
                token=token,
                name=self._name,
                headers={**request.headers, "Content-Length": str(len(view))},
                send=lambda write: self._write(view, write, number, token),
            ) as response:
                if upload is not None:
                    self._check_part(written_facts(response.headers), view, digest)
                return SentPart(number, digest.wire, response.headers), digest
        finally:
            self._buffers.put(buffer)

    def _check_part(self, told: ObjectFacts, view: memoryview, digest: Crc32c) -> None:
        """Raise AttemptFailed if the storage names another checksum for a part than it has."""
        actual = None if told.crc32c in (None, digest.wire) else told.crc32c
        # An ETag may look like an MD5 and be none, which only the whole object can show.
        if told.crc32c is None and told.md5 is not None and told.md5 != (told.etag or "").strip('"').lower():
            actual = None if told.md5 == md5(view, usedforsecurity=False).hexdigest() else told.md5
        if actual is not None:
            mismatch = ChecksumMismatch(name=self._name, expected=digest.wire, actual=actual)
            raise AttemptFailed(mismatch, Outcome(is_transient=True))

    def _buffer(self) -> memoryview:
        try:
            return self._buffers.get_nowait()
        except queue.Empty:
            return new_buffer(min(self.part_size, self._size))

    def _read(self, view: memoryview, number: int, token: CancelToken) -> memoryview:
        start = (number - 1) * self.part_size
        view = view[: min(self.part_size, self._size - start)]
        with open_source(self._source, self._name) as descriptor:
            done = 0
            while done < len(view):
                token.check()
                done += read_source(descriptor, view[done:][:SEND_PIECE], start + done, self._name)
        return view

    def _write(self, view: memoryview, write: BodyWriter, number: int, token: CancelToken) -> None:
        self._arrived[number] = 0
        while view:
            piece = view[: self._engine.bandwidth.piece(SEND_PIECE // 4)]
            view = view[len(piece) :]
            write(piece)
            token.moved += len(piece)
            self._arrived[number] += len(piece)
            token.check()
            token.pause(self._engine.bandwidth.take(len(piece), time.monotonic()))
