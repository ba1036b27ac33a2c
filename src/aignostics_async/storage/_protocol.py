"""What an object store must be able to do for inputs to reach the platform."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from attrs import frozen

Verify = Literal["auto", "read-back"]
"""How an upload is verified: by what the store says about the object, or by reading the object back too."""


@frozen
class Stored:
    """An object in a store, as `put` or `stat` describes it."""

    uri: str
    """Names the object in its store. No secret, and as good tomorrow as today."""
    size: int
    """Bytes."""
    crc32c: str | None = None
    """In its wire form: of the bytes that were sent, or that the store has; None if neither is known."""
    etag: str | None = None
    verified: bool = False
    """Whether the store names a checksum, CRC32C or MD5, that the bytes have, or they were read back. False
    means that nothing the store said contradicts the upload, and nothing proves it."""


@runtime_checkable
class Store(Protocol):
    """An object store that uploads files and signs URLs for them.

    Write your own for a store that this package does not support: `runs.submit` accepts any object with these
    four methods. Every method may raise TransferError. What `put` and `stat` return is compared with the
    file.
    """

    async def put(self, key: str, source: Path, *, progress: Callable[[int], None] | None = None) -> Stored:
        """Upload a file, replacing any object under the key; the object appears whole or not at all.

        `progress` is called with the number of bytes sent so far, which decreases when an attempt starts
        over. Raises TransferError.
        """
        ...

    async def stat(self, key: str) -> Stored | None:
        """Return the object under a key, or None if there is none. Raises TransferError."""
        ...

    async def presign_get(self, uri: str, expires: float) -> str:
        """Return a URL with which anyone can read an object for `expires` seconds; it is a secret.

        `uri` is that of the `Stored` that `put` or `stat` returned.
        """
        ...

    async def credentials_expire_at(self) -> datetime | None:
        """Return when the signing credentials expire, as an aware time; None if never.

        Every URL that they signed expires with them.
        """
        ...


@runtime_checkable
class Deleting(Protocol):
    """A store that can delete, where its credentials may; every one of this package but `Presigned`."""

    async def delete(self, key: str) -> None:
        """Delete what is under a key, if there is something."""
        ...
