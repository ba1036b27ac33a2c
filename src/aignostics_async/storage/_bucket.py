"""A bucket of S3 or of Google Cloud Storage: objects whose checksum the store checks.

The two differ in the names of their headers, and in who signs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from .._core._crc32c import Crc32c, goog_crc32c, readable_crc32c
from ..errors import ConfigurationError, InvalidResponse, UrlRefused
from ..transfer._multipart_upload import SentPart, SignedRequest, send_file
from ..transfer._request import BufferedResponse, send_request
from ._multipart_xml import (
    Pending,
    completion,
    pending,
    text_of,
)
from ._protocol import Stored
from ._signature_v4 import (
    LONGEST,
    Key,
    escaped_key,
    presign,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..transfer._engine import Engine
    from ._context import StoreContext

Keys = Callable[[], Awaitable[Key]]

_REQUEST_SECONDS = 6 * 3600  # enough for a part on any network


class Dialect(Protocol):
    """How a kind of store names things."""

    scheme: str
    lists_checksums: bool
    """Whether the completion of an upload names the checksum of each part."""

    def checksum(self, wire: str) -> dict[str, str]:
        """Return the header with which the store checks a body."""
        ...

    def checksum_of(self, headers: Mapping[str, str]) -> str | None:
        """Return the checksum that an answer tells of the whole object."""
        ...

    def asking(self) -> dict[str, str]:
        """Return the header that makes the store tell the checksum."""
        ...

    def begin(self) -> dict[str, str]:
        """Return the headers of an upload's beginning."""
        ...

    def complete(self, whole: str) -> dict[str, str]:
        """Return the headers of an upload's completion, for the checksum of the whole."""
        ...


class S3Dialect:
    """Amazon S3 and the many stores that speak like it."""

    scheme = "s3"
    lists_checksums = True

    def checksum(self, wire: str) -> dict[str, str]:
        """Return the header with which the store checks a body."""
        return {"x-amz-checksum-crc32c": wire, "x-amz-sdk-checksum-algorithm": "CRC32C"}

    def checksum_of(self, headers: Mapping[str, str]) -> str | None:
        """Return the checksum of the whole; one with `-3` behind it is one of three parts' checksums."""
        return readable_crc32c(headers.get("x-amz-checksum-crc32c"))

    def asking(self) -> dict[str, str]:
        """Return the header that makes the store tell the checksum."""
        return {"x-amz-checksum-mode": "ENABLED"}

    def begin(self) -> dict[str, str]:
        """Return the headers that ask for one checksum over the whole."""
        return {"x-amz-checksum-algorithm": "CRC32C", "x-amz-checksum-type": "FULL_OBJECT"}

    def complete(self, whole: str) -> dict[str, str]:
        """Return the checksum of the whole, which the store compares with its own."""
        return {"x-amz-checksum-crc32c": whole, "x-amz-checksum-type": "FULL_OBJECT"}


class GoogleDialect:
    """Google Cloud Storage, in its XML API."""

    scheme = "gs"
    lists_checksums = False

    def checksum(self, wire: str) -> dict[str, str]:
        """Return the header with which the store checks a body."""
        return {"x-goog-hash": f"crc32c={wire}"}

    def checksum_of(self, headers: Mapping[str, str]) -> str | None:
        """Return the checksum of the whole, which the store tells unasked."""
        return goog_crc32c(headers.get("x-goog-hash"))

    def asking(self) -> dict[str, str]:
        """Return nothing: it tells unasked."""
        return {}

    def begin(self) -> dict[str, str]:
        """Return nothing: every object has a checksum."""
        return {}

    def complete(self, whole: str) -> dict[str, str]:  # noqa: ARG002 - S3 wants it
        """Return nothing: the checksum is compared afterwards."""
        return {}


class Bucket:
    """A bucket, open for one client; made by `S3` and `GCS`."""

    def __init__(self, session: StoreContext, dialect: Dialect, root: str, place: str, keys: Keys) -> None:
        self._session = session
        self._dialect = dialect
        self._root = root.rstrip("/")
        self._place = place.strip("/")
        """Bucket and prefix, as in the address of the store."""
        self._keys = keys

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._dialect.scheme}://{self._place})"

    async def put(self, key: str, source: Path, *, progress: Callable[[int], None] | None = None) -> Stored:
        """Send a file, in parts if it is large, each checked by the store as it comes.

        Reads the file once. Raises LocalFileChanged, ChecksumMismatch, UrlRefused and TransferInterrupted;
        an upload that fails is aborted, so that nobody pays for its parts.
        """
        signer = await self._keys()
        target = _Target(self, key, signer)
        sent = await send_file(self._engine, target, source, name=source.name, progress=progress)
        there = await self.stat(key)
        verified = there is not None and (there.size, there.crc32c) == (sent.size, sent.crc32c)
        return Stored(self._uri(key), sent.size, sent.crc32c, there.etag if there else sent.etag, verified)

    async def stat(self, key: str) -> Stored | None:
        """Ask for size and checksum of an object, or None if there is no such object."""
        try:
            reply = await self._ask("HEAD", key, headers=self._dialect.asking())
        except UrlRefused as refused:
            if refused.status == 404:
                return None
            raise
        headers = reply.headers
        crc32c = self._dialect.checksum_of(headers)
        return Stored(
            self._uri(key),
            int(headers.get("content-length", 0)),
            crc32c,
            headers.get("etag"),
            crc32c is not None,
        )

    async def presign_get(self, uri: str, expires: float) -> str:
        """Return a URL that lets anyone read the object for `expires` seconds, seven days at most."""
        path = uri.removeprefix(f"{self._dialect.scheme}://{self._place}/")
        if path == uri:
            raise ConfigurationError(f"{uri} is not in {self!r}")
        return presign(await self._keys(), "GET", self._url(path), expires=min(int(expires), LONGEST))

    async def delete(self, key: str) -> None:
        """Delete an object; one that is not there is as good."""
        try:
            await self._ask("DELETE", key)
        except UrlRefused as refused:
            if refused.status != 404:
                raise

    async def credentials_expire_at(self) -> datetime | None:
        """Return when the key ends, for one that is temporary."""
        return (await self._keys()).expires_at

    # Uploads in parts

    async def list(self) -> list[Pending]:
        """Return the uploads in parts below this store's prefix that were begun and not completed."""
        place, _, prefix = self._place.partition("/")
        del place
        query = {"uploads": "", **({"prefix": f"{prefix}/"} if prefix else {})}
        reply = await self._ask("GET", None, query=query)
        head = f"{prefix}/" if prefix else ""
        return [Pending(each.key.removeprefix(head), each.upload, each.begun) for each in pending(reply.body)]

    async def abort(self, key: str, upload: str) -> None:
        """Give up an upload in parts; the store forgets its parts."""
        await self._ask("DELETE", key, query={"uploadId": upload})

    async def abort_orphans(self, *, older_than: timedelta) -> int:
        """Abort the uploads that were begun so long ago and never completed; returns how many."""
        limit = datetime.now(UTC) - older_than
        orphans = [each for each in await self.list() if _when(each.begun) < limit]
        for each in orphans:
            await self.abort(each.key, each.upload)
        return len(orphans)

    async def begin(self, key: str) -> str:
        """Begin an upload in parts and return what the store calls it."""
        reply = await self._ask("POST", key, query={"uploads": ""}, headers=self._dialect.begin())
        upload = text_of("UploadId", reply.body)
        if not upload:
            raise InvalidResponse("it names no upload", operation="begin upload", status=200, excerpt="")
        return upload

    async def complete(self, key: str, upload: str, parts: Sequence[SentPart], whole: Crc32c) -> str | None:
        """Make one object of the parts, and return its ETag."""
        reply = await self._ask(
            "POST",
            key,
            query={"uploadId": upload},
            headers=self._dialect.complete(whole.wire),
            body=completion(parts, checksums=self._dialect.lists_checksums),
        )
        # S3 may begin to answer with 200 and then find a fault.
        if b"<Error>" in reply.body:
            code = text_of("Code", reply.body) or "no code"
            raise InvalidResponse(
                f"the store could not complete it ({code})",
                operation="complete upload",
                status=200,
                excerpt="",
            )
        return text_of("ETag", reply.body)

    # Requests

    def request(
        self, signer: Key, method: str, key: str, query: Mapping[str, str], wire: str
    ) -> SignedRequest:
        """Return the signed request that sends a body with this checksum."""
        headers = self._dialect.checksum(wire)
        url = presign(signer, method, self._url(key), expires=_REQUEST_SECONDS, query=query, headers=headers)
        return SignedRequest(url, headers)

    async def _ask(
        self,
        method: str,
        key: str | None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> BufferedResponse:
        url = self._root if key is None else self._url(key)
        signed = presign(
            await self._keys(), method, url, expires=_REQUEST_SECONDS, query=query, headers=headers
        )
        name = key or self._place
        return await send_request(self._engine, method, signed, name=name, headers=headers, body=body)

    @property
    def _engine(self) -> Engine:
        return self._session.engine

    def _uri(self, key: str) -> str:
        return f"{self._dialect.scheme}://{self._place}/{key}"

    def _url(self, key: str) -> str:
        prefix = self._place.partition("/")[2]
        return f"{self._root}/{escaped_key(f'{prefix}/{key}' if prefix else key)}"


class _Target:
    """One key of a bucket, as the place that a file is sent to."""

    def __init__(self, bucket: Bucket, key: str, signer: Key) -> None:
        self._bucket = bucket
        self._key = key
        self._signer = signer

    def whole(self, digest: Crc32c) -> SignedRequest:
        return self._bucket.request(self._signer, "PUT", self._key, {}, digest.wire)

    def part(self, upload: str, number: int, digest: Crc32c) -> SignedRequest:
        query = {"partNumber": str(number), "uploadId": upload}
        return self._bucket.request(self._signer, "PUT", self._key, query, digest.wire)

    async def begin(self) -> str:
        return await self._bucket.begin(self._key)

    async def complete(self, upload: str, parts: Sequence[SentPart], whole: Crc32c) -> str | None:
        return await self._bucket.complete(self._key, upload, parts, whole)

    async def abort(self, upload: str) -> None:
        await self._bucket.abort(self._key, upload)


def _when(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.now(UTC)  # of no known age, so none to abort
