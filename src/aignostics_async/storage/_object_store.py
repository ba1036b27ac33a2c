"""The one rule for uploads, shared by every store: an upload is done when the store says so.

What the store says about the object, in its answer to the upload and when it is asked afterwards, is compared
with the file. A contradiction is sent once more and then raised.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from .._core._arguments import as_path
from .._core._backoff import Backoff
from .._core._crc32c import Crc32c, checksum_file
from .._core._logging import get_logger
from .._core._urls import shown_address
from .._identifiers import as_object_key
from ..errors import ChecksumMismatch, ConfigurationError, TransferError, UrlRefused
from ..transfer._multipart_upload import part_size_of
from ..transfer._object_facts import NOTHING, ObjectFacts, written_facts
from ..transfer._renewal import send_renewing
from ..transfer._request import read_back
from ..transfer._upload import SentFile
from ..transfer.files._file_io import check_regular, unreadable
from ..transfer.progress._events import guard_progress
from ._protocol import Deleting, Stored, Verify

if TYPE_CHECKING:
    from datetime import datetime

    from ..transfer._engine import Engine
    from ._context import StoreContext

_log = get_logger("aignostics_async")
_REQUEST_SECONDS = 6 * 3600
_ALWAYS_HASHED = 16 * 1024 * 1024
"""Bytes of a file up to which an MD5 is compared too where the store names a CRC32C."""


_ABSENT = frozenset({404, 410})
_DOES_NOT_TELL = frozenset({400, 401, 403, 405, 501})
"""Answers to a question about an object that leave open whether it is there."""
_PARTS_LOST = frozenset({"InvalidBlockList", "InvalidPart", "NoSuchUpload"})
"""With these a store says that it does not have the parts of an upload any more, or never had them."""


class _Contradicted(Exception):
    """The store contradicts an upload."""

    def __init__(self, error: TransferError) -> None:
        super().__init__()
        self.error = error


class ObjectStore(ABC):
    """A store, open for one client. Subclasses send, ask and sign; the answers are judged here."""

    object_days: int | None = None
    """Days after which the store deletes an object by itself; None if that is not known."""

    def __init__(self, context: StoreContext, place: str, verify: Verify) -> None:
        self._context = context
        self._place = place
        """What the URIs of its objects begin with."""
        self._verify = verify
        self._has_opaque_etags = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._place})"

    # What a kind of store does its own way

    @abstractmethod
    async def _send(self, key: str, source: Path, progress: Callable[[int], None] | None) -> SentFile:
        """Send a file."""

    @abstractmethod
    async def _head(self, key: str) -> ObjectFacts:
        """Ask about an object; raises UrlRefused."""

    @abstractmethod
    async def presign_get(self, uri: str, expires: float) -> str:
        """Return a URL with which anyone can read an object for `expires` seconds. It is a secret."""

    async def credentials_expire_at(self) -> datetime | None:
        """Return when the signing credentials expire; None if never or unknown."""
        return None

    def _advice(self, refused: UrlRefused) -> str:
        """Return what to do about a refused request."""
        return refused.advice

    # The rule

    async def put(self, key: str, source: Path, *, progress: Callable[[int], None] | None = None) -> Stored:
        """Upload a file, replacing any object under the key, and compare what the store reports with it.

        Costs one request more than the upload, and with `verify="read-back"` the transfer of the whole
        object. If the store contradicts the file or has lost parts of it, the file is sent once more. Raises
        ChecksumMismatch if the store then still reports another size or checksum, TransferError if it does
        not have the object, LocalFileChanged, UrlRefused and TransferInterrupted; and UsageError for a key
        that can't be encoded.
        """
        source, key = as_path(source, "source"), as_object_key(key)
        # The guard is the outer one: what a callback raises is no answer of the store.
        with guard_progress(progress) as report, self._refusals():
            try:
                return await self._put(key, source, report)
            except (_Contradicted, UrlRefused) as failed:
                if isinstance(failed, UrlRefused) and failed.code not in _PARTS_LOST:
                    raise
                _log.warning("%s: the store does not have what was sent; it is sent once more", source.name)
            try:
                return await self._put(key, source, report)
            except _Contradicted as contradicted:
                error = contradicted.error
            # A later attempt must not take what is under the key for the file.
            if isinstance(self, Deleting):
                with suppress(TransferError):
                    await self.delete(key)
        raise error

    async def put_once(
        self, key: str, source: Path, *, progress: Callable[[int], None] | None = None
    ) -> Stored:
        """Upload a file unless the store has it under the key already; see `aignostics_async.put_once`."""
        source, key = as_path(source, "source"), as_object_key(key)
        size = await file_size(source)
        with self._refusals():
            facts = await self._ask(key)
            if facts is not None and facts.size == size and (found := await self._find(key, source, facts)):
                return found
        return await self.put(key, source, progress=progress)

    async def stat(self, key: str) -> Stored | None:
        """Return the object under a key, or None if there is none.

        Costs one request. Raises UrlRefused if the store does not tell, as S3 without s3:ListBucket, and
        TransferInterrupted if it can't be reached.
        """
        with self._refusals():
            try:
                facts = await self._head(as_object_key(key))
            except UrlRefused as refused:
                if refused.status != 404:
                    raise
                return None
        crc32c = facts.crc32c or facts.noted_crc32c
        return Stored(self._uri(key), facts.size or 0, crc32c, facts.etag, facts.crc32c is not None)

    async def _put(self, key: str, source: Path, progress: Callable[[int], None] | None) -> Stored:
        sent = await self._send(key, source, progress)
        written = written_facts(sent.headers)
        is_proven = await self._compare(key, source, sent, written)
        asked = await self._confirm(key, source, sent)
        is_proven |= await self._compare(key, source, sent, asked)
        if self._verify == "read-back":
            is_proven = await self._read_back(key, source.name, sent)
        return Stored(self._uri(key), sent.size, sent.crc32c, asked.etag or written.etag, is_proven)

    async def _confirm(self, key: str, source: Path, sent: SentFile) -> ObjectFacts:
        """Ask about an object until the store agrees, as often as a request is tried; return what it said.

        Raises _Contradicted where it does not have the object. A store whose listings lag agrees late.
        """
        for pause in self._pauses():
            await anyio.sleep(pause)
            facts = await self._ask(key)
            if facts is not None and contradiction(facts, sent, source.name) is None:
                return facts
        if facts is None:
            raise _Contradicted(absent(source.name))
        return facts

    def _pauses(self) -> Iterator[float]:
        """Yield the pauses before the attempts of a request, for a store that is consistent late."""
        retries = self._engine.settings.retries
        return Backoff(retries.initial_wait, retries.max_wait).pauses(retries.attempts)

    async def _ask(self, key: str) -> ObjectFacts | None:
        """Return what the store says about an object: None if it has none, NOTHING if it does not tell."""
        return await facts_or_nothing(self._head(key))

    async def _compare(self, key: str, source: Path, sent: SentFile, facts: ObjectFacts) -> bool:
        """Return whether `facts` prove that the store has the bytes; raises _Contradicted."""
        error = contradiction(facts, sent, source.name)
        if error is not None:
            raise _Contradicted(error)
        is_proven = facts.crc32c is not None
        if facts.md5 is None or (is_proven and (sent.size > _ALWAYS_HASHED or self._has_opaque_etags)):
            return is_proven
        if await md5_of(source, facts.md5, sent.part_size) == facts.md5:
            return True
        # Some stores have ETags that look like MD5s and are none, so the bytes decide. Where there is a
        # CRC32C as well, once is enough.
        await self._read_back(key, source.name, sent)
        self._has_opaque_etags = is_proven
        return True

    async def _read_back(self, key: str, name: str, sent: SentFile) -> bool:
        """Return True after reading the object back; raises _Contradicted if it is another one.

        A store may say for a while that it does not have it.
        """
        for pause in self._pauses():
            await anyio.sleep(pause)
            found = await self._read(key, name)
            if found is not None:
                break
        facts = None if found is None else ObjectFacts(found.length, found.wire)
        error = absent(name) if facts is None else contradiction(facts, sent, name)
        if error is not None:
            raise _Contradicted(error)
        return True

    async def _read(self, key: str, name: str) -> Crc32c | None:
        """Return the checksum of an object, or None if there is none."""

        async def sign(_refused: str | None = None) -> str:
            return await self.presign_get(self._uri(key), _REQUEST_SECONDS)

        try:
            return await send_renewing(await sign(), sign, lambda url: read_back(self._engine, url, name))
        except UrlRefused as refused:
            if refused.status not in _ABSENT:
                raise
            return None

    async def _holds(self, key: str, sent: SentFile) -> bool:
        """Whether the store has this file under the key, by reading it back."""
        try:
            return await self._read_back(key, key, sent)
        except _Contradicted:
            return False

    async def _find(self, key: str, source: Path, facts: ObjectFacts) -> Stored | None:
        """Return the object that `facts` are about if it is this file."""
        digest = await _read(source)
        part_size = part_size_of(digest.length, self._engine.settings.transfers.part_size)
        parts = None if digest.length <= part_size else part_size
        sent = SentFile(digest.length, digest.wire, {}, parts)
        if facts.crc32c is None and facts.md5 is None and facts.noted_crc32c is None:
            return None
        try:
            is_proven = await self._compare(key, source, sent, facts)
            if self._verify == "read-back":
                is_proven = await self._read_back(key, source.name, sent)
        except _Contradicted:
            return None
        return Stored(self._uri(key), sent.size, sent.crc32c, facts.etag, is_proven)

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Give a refused request the advice of this kind of store."""
        try:
            yield
        except UrlRefused as refused:
            advice = self._advice(refused)
            if advice == refused.advice:
                raise
            error = UrlRefused(
                refused.problem, name=refused.name, status=refused.status, code=refused.code, advice=advice
            )
        else:
            return
        raise error

    @property
    def _engine(self) -> Engine:
        return self._context.engine

    def _uri(self, key: str) -> str:
        return f"{self._place}{key}"

    def _key_of(self, uri: str) -> str:
        """Return the key in a URI; raises ConfigurationError for one of another store."""
        key = as_object_key(uri).removeprefix(self._place)
        if key == uri:
            raise ConfigurationError(f"{shown_address(uri)} is not in {self!r}")  # it may be a signed URL
        return key


async def facts_or_nothing(asked: Awaitable[ObjectFacts]) -> ObjectFacts | None:
    """Return what a store says about an object: None if it has none, NOTHING if it does not tell."""
    try:
        return await asked
    except UrlRefused as refused:
        if refused.status in _DOES_NOT_TELL:
            return NOTHING
        if refused.status in _ABSENT:
            return None
        raise


def contradiction(facts: ObjectFacts, sent: SentFile, name: str) -> TransferError | None:
    """Return the error for what a store says about an object if that can't be the file sent. Pure."""
    if facts.size is not None and facts.size != sent.size:
        return ChecksumMismatch(
            name=name,
            expected=sent.crc32c,
            actual=f"of {facts.size} bytes",
            problem=f"it has {facts.size} bytes there, not {sent.size}",
        )
    told = facts.crc32c or facts.noted_crc32c
    if told is None or told == sent.crc32c:
        return None
    return ChecksumMismatch(name=name, expected=sent.crc32c, actual=told)


def absent(name: str) -> TransferError:
    text = "the store confirmed the file, and then reported it missing; try again"
    return TransferError(text, name=name)


async def md5_of(source: Path, form: str, part_size: int | None) -> str:
    """Return the MD5 of a file in the form of another one: of the whole, or of its parts' MD5s.

    Reads the file once more, in a thread; MD5 takes some 2 s for a GB. Raises TransferError.
    """

    def digest() -> str:
        # Where the store made parts of its own, nothing is like it.
        size = part_size if "-" in form else None
        try:
            with source.open("rb") as file:
                return _md5_of_parts(file.read, size) if size else hashlib.file_digest(file, _md5).hexdigest()
        except OSError as error:
            raise unreadable(error, source.name) from None

    return await anyio.to_thread.run_sync(digest)


def _md5(data: bytes = b"") -> hashlib._Hash:
    return hashlib.md5(data, usedforsecurity=False)


def _md5_of_parts(read: Callable[[int], bytes], part_size: int) -> str:
    digests: list[bytes] = []
    while part := read(part_size):
        digests.append(_md5(part).digest())
    return f"{_md5(b''.join(digests)).hexdigest()}-{len(digests)}"


async def file_size(source: Path) -> int:
    """Return the bytes of a file. Raises TransferError."""
    await anyio.to_thread.run_sync(check_regular, source, source.name)
    try:
        return (await anyio.Path(source).stat()).st_size
    except OSError as error:
        raise unreadable(error, source.name) from None


async def _read(source: Path) -> Crc32c:
    try:
        return await checksum_file(source)
    except OSError as error:
        raise unreadable(error, source.name) from None
