"""Uploads to a store of any kind, the user's own too, each compared with the file that was sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import anyio

from .._core._arguments import as_path, awaited, check_kind
from .._core._backoff import Backoff
from .._core._crc32c import checksum_file
from ..errors import ChecksumMismatch, TransferError, UrlRefused, UsageError
from ..transfer.files._file_io import unreadable
from ._object_store import ObjectStore, absent, file_size
from ._protocol import Store, Stored

_LOOKS, _BACKOFF = 4, Backoff(0.2, 0.8)  # for a store that is consistent late; `put_once` knows no settings


class DoesNotTell(Exception):
    """The store does not say what it has."""


async def put_verified(
    store: Store, key: str, source: Path, *, progress: Callable[[int], None] | None = None
) -> Stored:
    """Upload a file, and return the object that the store reports, which has the file's size and checksum.

    `Stored.verified` tells whether the store has proven that. If it contradicts the file, or does not have it
    after a few looks, the file is sent once more. Costs one request more than the upload, and for a store
    that is not of this package one more reading of the file. Raises ChecksumMismatch if the store has other
    bytes after that, TransferError if it has none, and what `store.put` and `store.stat` raise.
    """
    check_kind(store, Store, "store")
    source = as_path(source, "source")
    if isinstance(store, ObjectStore):
        return await store.put(key, source, progress=progress)
    await file_size(source)  # a missing file is a TransferError, whatever the store makes of it
    stored = await _put(store, key, source, progress)
    if await _contradiction(store, key, source, stored) is not None:
        stored = await _put(store, key, source, progress)
        error = await _contradiction(store, key, source, stored)
        if error is not None:
            raise error
    return stored


async def _put(store: Store, key: str, source: Path, progress: Callable[[int], None] | None) -> Stored:
    stored: object = await awaited(store.put(key, source, progress=progress), "`put` of a store")
    if not isinstance(stored, Stored):
        raise UsageError(f"`put` of a store returns a Stored, not {type(stored).__name__}")
    return stored


async def put_once(
    store: Store, key: str, source: Path, *, progress: Callable[[int], None] | None = None
) -> Stored:
    """Upload a file unless the store already has an object of this key, size and checksum.

        stored = await put_once(client.store("s3://slides"), "job-7/case-7.svs", Path("case-7.svs"))

    Use it for keys that are fixed in advance, such as those of an interrupted job. `progress`, None by
    default, is that of `Store.put`, and is not called if nothing is uploaded. Returns the object that the
    store has; `Stored.verified` tells whether the store's bytes were compared with the file.

    Costs one request, as `Store.stat` does, and reading the file, for an MD5 twice, if an object of its size
    exists (and the object, with `verify="read-back"` or if its MD5 differs); otherwise the upload. The file
    is uploaded, too, if the store does not report what it has.

    Raises TransferError if the file can't be read, the store can't be reached or refuses a request
    (UrlRefused), or has other bytes (ChecksumMismatch) or none after two uploads; UsageError for a key that
    can't be encoded, what is no path or no store, or, with a store of this package, if the client is not
    open; and what else `put` and `stat` of the store raise.
    """
    check_kind(store, Store, "store")
    source = as_path(source, "source")
    if isinstance(store, ObjectStore):
        return await store.put_once(key, source, progress=progress)
    size = await file_size(source)
    try:
        there = await look_up(store, key)
    except DoesNotTell:
        there = None
    if there is not None and there.size == size and there.crc32c == await sent_checksum(source):
        return there
    return await put_verified(store, key, source, progress=progress)


async def _contradiction(store: Store, key: str, source: Path, stored: Stored) -> TransferError | None:
    """Return the error for an upload if `put` or `stat` tell of other bytes than the file's, or of none."""
    size, crc32c = await file_size(source), await sent_checksum(source)
    error: TransferError | None = _difference(stored, source.name, size, crc32c)
    if error is not None or stored.verified:
        return error
    for pause in _BACKOFF.pauses(_LOOKS):
        await anyio.sleep(pause)
        try:
            there = await look_up(store, key)
        except DoesNotTell:
            return None
        error = absent(source.name) if there is None else _difference(there, source.name, size, crc32c)
        if error is None:
            return None
    return error


def _difference(told: Stored, name: str, size: int, crc32c: str) -> ChecksumMismatch | None:
    """Return the error for an object that has not the size and checksum of the file. Pure."""
    if told.size == size and told.crc32c in (None, crc32c):
        return None
    return ChecksumMismatch(
        name=name,
        expected=crc32c,
        actual=told.crc32c or f"of {told.size} bytes",
        problem=f"the store has {told.size} bytes with CRC32C {told.crc32c or 'unknown'}, "
        f"the file has {size} with {crc32c}",
    )


async def look_up(store: Store, key: str) -> Stored | None:
    """Return what a store has under a key, or None.

    Raises DoesNotTell, UsageError for what `stat` must not return, and what else `stat` raises.
    """
    try:
        there: object = await awaited(store.stat(key), "`stat` of a store")
    except NotImplementedError:
        raise DoesNotTell from None
    except UrlRefused as refused:
        if refused.status != 403:
            raise
        raise DoesNotTell from None
    if not isinstance(there, Stored | None):
        raise UsageError(f"`stat` of a store returns a Stored or None, not {type(there).__name__}")
    return there


async def sign_get(store: Store, uri: str, expires: float) -> str:
    """Return the URL of an object, a secret. Raises what `presign_get` raises."""
    return await awaited(store.presign_get(uri, expires), "`presign_get` of a store")


async def credentials_end(store: Store) -> datetime | None:
    """Return when the credentials of a store expire. Raises what `credentials_expire_at` raises."""
    return await awaited(store.credentials_expire_at(), "`credentials_expire_at` of a store")


async def sent_checksum(source: Path) -> str:
    """Return the CRC32C of a file to send, in wire form. Raises TransferError."""
    try:
        return (await checksum_file(source)).wire
    except OSError as error:
        raise unreadable(error, source.name) from None
