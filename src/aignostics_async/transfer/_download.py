"""A signed URL to a file: streamed to a temporary file, verified, then moved under its name."""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
from attrs import frozen

from .._crc32c import Crc32c, decode_crc32c
from .._errors import ChecksumMismatch, DiskFull, TransferError, UrlRefused
from .._retry import AttemptFailed, Outcome, repeat
from ._names import check_inside
from ._upload import goog_crc32c

if TYPE_CHECKING:
    from .._config import Retries
    from .._http import Response, StoragePool

# Pieces come in 64 KiB; they are hashed and written by the MiB, in a thread.
_BATCH = 1024 * 1024
_ABANDONED = 3600.0  # seconds


@frozen
class Fetched:
    """A file that is complete under its name: its size, its checksum, and whether that was promised."""

    size: int
    crc32c: str
    verified: bool


async def fetch_file(
    pool: StoragePool,
    url: Callable[[], Awaitable[str]],
    target: Path,
    *,
    name: str,
    expected: str | None,
    retries: Retries,
    progress: Callable[[int, int | None], None] | None = None,
) -> Fetched:
    """Download to `target`, which appears whole and verified or not at all.

    `url` is asked before each try, so a URL that expired can be replaced by a fresh one. `expected` is the
    promised CRC32C in its wire form; without a readable one, the storage's own `x-goog-hash` counts;
    without either the result is not `verified`. `progress` is told bytes so far and in all. Memory
    stays at two MiB.

    Raises ChecksumMismatch after a second try, UrlRefused, TransferInterrupted and DiskFull.
    """
    promise = _readable(expected)
    once: set[type[TransferError]] = set()

    async def attempt() -> Fetched:
        part = target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            return await _try(part)
        except (ChecksumMismatch, AttemptFailed) as failed:
            error = failed.error if isinstance(failed, AttemptFailed) else failed
            # A fresh URL, or the same bytes once more: worth one further try each.
            if isinstance(error, (ChecksumMismatch, UrlRefused)) and type(error) not in once:
                once.add(type(error))
                failure: Exception = AttemptFailed(error, Outcome(retry_after=0))
            else:
                failure = failed
        except OSError as failed:
            failure = local_error(failed, target, name)
        finally:
            part.unlink(missing_ok=True)
        raise failure

    async def _try(part: Path) -> Fetched:
        digest = Crc32c()
        async with pool.exchange("GET", await url(), name=name) as response:
            promised = promise or _readable(goog_crc32c(response.headers))
            await _save(response, part, digest, progress)
        if promised is not None and promised != digest.wire:
            raise ChecksumMismatch(name=name, expected=promised, actual=digest.wire)
        await anyio.to_thread.run_sync(os.replace, part, target)
        return Fetched(digest.length, digest.wire, promised is not None)

    return await repeat(retries, "GET", f"download of {name}", attempt)


def make_room(root: Path, target: Path) -> None:
    """Make the folder that `target` goes into, and clear it of what a killed download left there.

    Raises UnsafePath if a link leads the folder out of `root`, else TransferError.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        check_inside(root, target)
        for part in target.parent.glob(".*.part"):
            # A download that is under way writes more often than this, if it is alive.
            if time.time() - part.stat().st_mtime > _ABANDONED:
                part.unlink(missing_ok=True)
    except OSError as error:
        raise local_error(error, target, target.name) from None


async def _save(
    response: Response,
    part: Path,
    digest: Crc32c,
    progress: Callable[[int, int | None], None] | None,
) -> None:
    length = response.headers.get("content-length", "")
    total = int(length) if length.isdecimal() else None
    batch = bytearray()
    with part.open("xb", buffering=0) as file:
        async for piece in response.aiter_raw():
            batch += piece
            if len(batch) >= _BATCH:
                await anyio.to_thread.run_sync(_write, file, batch, digest)
                batch = bytearray()
                if progress is not None:
                    progress(digest.length, total)
        await anyio.to_thread.run_sync(_finish, file, batch, digest)
    if progress is not None:
        progress(digest.length, digest.length)


def _write(file: FileIO, batch: bytearray, digest: Crc32c) -> None:
    digest.update(batch)
    rest = memoryview(batch)
    while rest:  # an unbuffered file may take less than it was given
        rest = rest[file.write(rest) :]


def _finish(file: FileIO, batch: bytearray, digest: Crc32c) -> None:
    _write(file, batch, digest)
    os.fsync(file.fileno())


def _readable(promise: str | None) -> str | None:
    """Return a promised checksum if it is one; another text promises nothing."""
    if promise is None:
        return None
    try:
        decode_crc32c(promise)
    except ValueError:
        return None
    return promise


def local_error(error: OSError, target: Path, name: str) -> TransferError:
    """Return the error of our tree for one of the file system's."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"no space is left in {target.parent}; make room and download again", name=name)
    return TransferError(f"it can't be written to {target.parent} ({error.strerror})", name=name)
