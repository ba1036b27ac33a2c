"""A file to a signed URL: streamed, its checksum taken in the same pass, nothing assumed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
from attrs import frozen

from .._crc32c import Crc32c
from .._errors import ChecksumMismatch, LocalFileChanged, TransferError
from .._retry import AttemptFailed, Outcome, repeat

if TYPE_CHECKING:
    from .._config import Retries
    from .._http import StoragePool

# A hop to a thread costs about 0.1 ms, so it is taken once per MiB.
_PIECE = 1024 * 1024


@frozen
class Sent:
    """A file that arrived: its size, the checksum of the bytes sent, and whether the store says the same."""

    size: int
    crc32c: str
    verified: bool
    etag: str | None


async def put_file(
    pool: StoragePool,
    url: str,
    source: Path,
    *,
    name: str,
    retries: Retries,
    progress: Callable[[int], None] | None = None,
) -> Sent:
    """Send a file with one PUT, again from its start after a failure that is likely to pass.

    Memory stays at one MiB whatever the size. Raises ChecksumMismatch when the store answers another
    CRC32C than that of the bytes sent, LocalFileChanged when the file changed meanwhile, else UrlRefused
    or TransferInterrupted.
    """
    before = _fingerprint(source, name)
    size = before[0]

    async def attempt() -> Sent:
        digest = Crc32c()
        failure: AttemptFailed | None = None
        try:
            with source.open("rb", buffering=0) as file:
                async with pool.exchange(
                    "PUT",
                    url,
                    name=name,
                    headers={"Content-Length": str(size)},
                    body=_pieces(file, size, digest, name, progress),
                ) as response:
                    theirs, etag = goog_crc32c(response.headers), response.headers.get("etag")
        except AttemptFailed as failed:
            failure = failed
        except OSError as error:
            raise _unreadable(error, name) from None
        # Asked before the failure counts: a change of the file may be what cut the try short.
        if _fingerprint(source, name) != before:
            raise _changed(name)
        if failure is not None:
            raise failure
        if theirs is not None and theirs != digest.wire:
            mismatch = ChecksumMismatch(name=name, expected=digest.wire, actual=theirs)
            raise AttemptFailed(mismatch, Outcome())
        return Sent(size, digest.wire, theirs is not None, etag)

    return await repeat(retries, "PUT", f"upload of {name}", attempt)


def goog_crc32c(headers: Mapping[str, str]) -> str | None:
    """Return the CRC32C of an `x-goog-hash` header, such as `crc32c=4waSgw==,md5=...`, or None."""
    for part in headers.get("x-goog-hash", "").split(","):
        kind, _, value = part.strip().partition("=")
        if kind == "crc32c" and value:
            return value
    return None


async def _pieces(
    file: RawIOBase, size: int, digest: Crc32c, name: str, progress: Callable[[int], None] | None
) -> AsyncIterator[bytes]:
    # Exactly as many bytes as were announced: the HTTP library has no typed error for any other number.
    while digest.length < size:
        piece = await anyio.to_thread.run_sync(_read_piece, file, size - digest.length, digest)
        if not piece:
            raise _changed(name)
        yield piece
        if progress is not None:
            progress(digest.length)


def _read_piece(file: RawIOBase, most: int, digest: Crc32c) -> bytes:
    piece = file.read(min(_PIECE, most)) or b""
    digest.update(piece)
    return piece


def _unreadable(error: OSError, name: str) -> TransferError:
    return TransferError(f"it can't be read ({error.strerror})", name=name)


def _changed(name: str) -> LocalFileChanged:
    return LocalFileChanged("it changed while it was sent; submit it again once it is complete", name=name)


def _fingerprint(source: Path, name: str) -> tuple[int, int, int]:
    try:
        stat = source.stat()
    except OSError as error:
        raise _unreadable(error, name) from None
    return stat.st_size, stat.st_mtime_ns, stat.st_ino
