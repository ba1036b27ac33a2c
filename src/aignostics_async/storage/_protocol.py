"""What an object store must be able to do for inputs to reach the platform."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

import anyio
from attrs import frozen

from .._core._crc32c import checksum_file


@frozen
class Stored:
    """An object in a store."""

    uri: str
    """Names the object in its store. No secret, and as good tomorrow as today."""
    size: int
    crc32c: str | None = None
    """In its wire form: of the bytes that were sent, or that the store has; None if neither is known."""
    etag: str | None = None
    verified: bool = False
    """Whether the store itself vouches for the checksum."""


@runtime_checkable
class Store(Protocol):
    """A place that takes files and signs URLs for them.

    Write one of your own for a store that this package does not know; `runs.submit` takes any object with
    these four methods. They raise TransferError.
    """

    async def put(self, key: str, source: Path, *, progress: Callable[[int], None] | None = None) -> Stored:
        """Send a file, replacing what may be under the key; whole or not at all.

        `progress` is told how many bytes were sent so far; the number falls back when a try starts anew.
        """
        ...

    async def stat(self, key: str) -> Stored | None:
        """Return what the store has under a key, or None if there is nothing."""
        ...

    async def presign_get(self, uri: str, expires: float) -> str:
        """Return a URL that lets anyone read the object for `expires` seconds. It is a secret."""
        ...

    async def credentials_expire_at(self) -> datetime | None:
        """Return when the signing credentials end, and with them every URL they signed; None if never."""
        ...


@runtime_checkable
class Deleting(Protocol):
    """A store that can delete, where its credentials may; every one of this package but `Presigned`."""

    async def delete(self, key: str) -> None:
        """Delete what is under a key, if there is something."""
        ...


async def put_once(
    store: Store, key: str, source: Path, *, progress: Callable[[int], None] | None = None
) -> Stored:
    """Send a file unless the store has it already under the key, with its size and its checksum.

    For a key that was fixed before, such as by a job that was interrupted. Costs one request, and a reading
    of the file if there is something of its size.
    """
    size = (await anyio.Path(source).stat()).st_size
    there = await store.stat(key)
    if there is not None and there.size == size and there.crc32c is not None:
        digest = await checksum_file(source)
        if (digest.wire, digest.length) == (there.crc32c, there.size):
            return there
    return await store.put(key, source, progress=progress)
