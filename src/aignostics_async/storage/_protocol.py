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
    """An object in a store, as `put` or `stat` describes it.

        stored = await store.put("case-7.svs", Path("case-7.svs"))
        print(stored.uri, stored.size, stored.verified)

    `uri` is its permanent name, such as `s3://slides/lab-7/case-7.svs`, and no secret. `size` is in bytes,
    from `stat` 0 if the store does not report it. `crc32c` is in wire form; None, the default, if it is not
    known. `etag` is None, the default, if the store reports none. `verified`, False by default, is True after
    an upload if a checksum of the store agrees with the file or the object was read back, and from `stat` if
    `crc32c` is the store's own. False proves nothing either way.
    """

    uri: str
    """The name of the object in its store, such as `s3://slides/lab-7/a.svs`; permanent, and no secret."""
    size: int
    """The size in bytes; from `stat` 0 if the store does not report it."""
    crc32c: str | None = None
    """The CRC32C in wire form, of the bytes that were sent or that the store has; None, the default, if not
    known.
    """
    etag: str | None = None
    """The ETag of the object; None, the default, if the store reports none."""
    verified: bool = False
    """Whether the store has proven its bytes; False by default.

    After `put` and `put_once`: whether the store named a CRC32C or MD5 that the file has, or the object was
    read back. False means that nothing contradicts the upload, and nothing proves it. From `stat`: whether
    `crc32c` is the store's own, not one that the sender noted with the object.
    """


@runtime_checkable
class Store(Protocol):
    """An object store that uploads files and signs URLs for them.

        class LabStore:
            async def put(self, key, source, *, progress=None) -> Stored:
                await lab.upload(key, source)
                return Stored(f"lab:{key}", source.stat().st_size)

            async def stat(self, key) -> Stored | None:
                size = await lab.size(key)
                return None if size is None else Stored(f"lab:{key}", size)

            async def presign_get(self, uri, expires) -> str:
                return await lab.sign(uri.removeprefix("lab:"), expires)

            async def credentials_expire_at(self) -> datetime | None:
                return None

        run = await client.runs.submit(version, items, store=LabStore())

    Write your own for a store that this package does not support: `Runs.submit` and bulk jobs accept any
    object with these four methods. They are called in the event loop of the client, by several uploads at
    once, and must not block it. What `put` and `stat` return is compared with the file. Every method may
    raise TransferError; those of the stores of this package also raise UsageError for a key or URI that can't
    be encoded and, if they send a request, if the client is not open, and the errors that their address
    names. An exception that is no AignosticsError, but for the NotImplementedError of `stat`, ends the whole
    call; a method that is not async is a UsageError.

    `BulkJob.clean` also needs a method `async def delete(self, key: str) -> None`, which deletes the object
    under a key, if there is one.
    """

    async def put(self, key: str, source: Path, *, progress: Callable[[int], None] | None = None) -> Stored:
        """Upload a file, replacing any object under the key; the object appears whole or not at all.

            stored = await store.put("case-7.svs", Path("case-7.svs"), progress=print)

        `key` is the name of the object in the store, with slashes. `progress`, None by default, is called in
        the event loop with the number of bytes sent so far, which decreases when an attempt starts over; an
        exception of it ends the upload and is raised. The result has the size of the object, and its CRC32C
        if that is known. The caller may repeat the call if the result contradicts the file.

        Costs the transfer of the file. The stores of this package send some requests more, may read and send
        the file twice, and transfer it once more with `verify="read-back"`. Raises TransferError if the file
        can't be read, the upload fails, or the store has other bytes afterwards, and UsageError for a key
        that the store can't express or an async `progress`.
        """
        ...

    async def stat(self, key: str) -> Stored | None:
        """Return the object under a key, or None if there is none.

            stored = await store.stat("case-7.svs")

        Costs one request; the stores of this package may need others with it. Raises NotImplementedError if
        the store can't tell; a UrlRefused with status 403 is taken to mean the same. An upload is then
        compared with the result of `put` alone, and a repeated job sends its files again. Raises
        TransferError if the store can't be reached or does not permit the request.

        Return None only if there is no object: if there is none within some seconds after an upload, the file
        is sent once more, and then the upload fails.
        """
        ...

    async def presign_get(self, uri: str, expires: float) -> str:
        """Return a URL with which anyone can read an object for `expires` seconds.

            url = await store.presign_get(stored.uri, 6 * 24 * 3600)

        `uri` is that of the `Stored` that `put` or `stat` returned, perhaps in an earlier process. The URL is
        a secret. S3 and Google Cloud Storage sign for seven days at most, and for `Presigned` your service
        decides. Costs no request for `S3`, `GCS` and `Azure`, and at least one for `PlatformBucket`. A store
        that can tell should raise ConfigurationError for the URI of another one. The stores of this package,
        except that of `Presigned`, raise UsageError for an `expires` that is not a positive, finite number.
        """
        ...

    async def credentials_expire_at(self) -> datetime | None:
        """Return when the signing credentials expire, as a datetime with time zone; None if never or unknown.

        Every URL that they signed expires with them. `Runs.submit` calls it before it uploads, and raises
        ConfigurationError for credentials that expire within six days, in which the platform reads the files,
        or within a shorter `Settings.url_lifetime`, and UsageError for a time without zone. Costs no request,
        but for `PlatformBucket` perhaps one for its key.
        """
        ...


@runtime_checkable
class Deleting(Protocol):
    """A store that can delete objects if its credentials permit it.

    Every store of this package but that of `Presigned` has the method.
    """

    async def delete(self, key: str) -> None:
        """Delete the object under a key; do nothing if there is none.

        Raises TransferError if the store can't be reached or does not permit the request.
        """
        ...
