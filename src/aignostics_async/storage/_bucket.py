"""A bucket of S3 or of Google Cloud Storage: objects whose checksum the store checks.

The two differ in the names of their headers, and in the keys that sign.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from attrs import evolve

from .._core._arguments import check_kind
from .._core._crc32c import Crc32c
from .._identifiers import as_object_key, as_path_part
from ..errors import TransferInterrupted, UrlRefused, is_transient_code
from ..transfer._multipart_upload import SentPart, SignedRequest, part_size_of, send_file
from ..transfer._object_facts import ObjectFacts, read_facts
from ..transfer._renewal import send_renewing
from ..transfer._request import BufferedResponse, send_request
from ..transfer._upload import SentFile
from ._advice import own_advice
from ._checksum_negotiation import ChecksumNegotiation, Checksums
from ._dialects import Dialect, PlainS3Dialect
from ._fields import as_lifetime
from ._multipart_xml import (
    CompletedUpload,
    PendingUpload,
    completion,
    next_page,
    parse_completed,
    pending_uploads,
    text_of,
)
from ._object_store import ObjectStore, file_size
from ._protocol import Verify
from ._signature_v4 import LONGEST, Key, escaped_key, presign

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._context import StoreContext

Keys = Callable[[], Awaitable[Key]]

_REQUEST_SECONDS = 6 * 3600  # enough for a part on any network
_COMPLETION_SECONDS = 1800.0  # S3 joins parts for minutes, and sends a space now and then meanwhile


class Bucket(ObjectStore):
    """A bucket, open for one client; made by `S3` and `GCS`."""

    def __init__(
        self,
        context: StoreContext,
        dialect: Dialect,
        keys: Keys,
        *,
        root: str,
        bucket: str,
        prefix: str,
        verify: Verify = "auto",
        checksums: Checksums = "always",
    ) -> None:
        place = f"{dialect.scheme}://{'/'.join(part for part in (bucket, prefix.strip('/')) if part)}"
        super().__init__(context, f"{place}/", verify)
        self._dialect = dialect
        self._root = root.rstrip("/")
        self._prefix = prefix.strip("/")
        self._keys = keys
        self._negotiation = ChecksumNegotiation(checksums, place)

    @property
    def checksums(self) -> Checksums:
        """Whether requests carry checksums, as was set or decided so far."""
        return self._negotiation.decided

    def settle_checksums(self, decided: Checksums) -> None:
        """Go on as was decided before about this bucket, unless it was set."""
        self._negotiation.settle(decided)

    def is_at(self, address: str) -> bool:
        """Whether this is the bucket and prefix of an address."""
        return f"{address.rstrip('/')}/" == self._place

    async def presign_get(self, uri: str, expires: float) -> str:
        """Return a URL that lets anyone read the object for `expires` seconds, seven days at most."""
        key = self._key_of(uri)
        return presign(await self._keys(), "GET", self._url(key), expires=min(as_lifetime(expires), LONGEST))

    async def delete(self, key: str) -> None:
        """Delete an object; a missing one is no error."""
        with self._refusals():
            try:
                await self._ask_store("DELETE", key)
            except UrlRefused as refused:
                if refused.status != 404:
                    raise

    async def credentials_expire_at(self) -> datetime | None:
        """Return when the key ends, for one that is temporary."""
        return (await self._keys()).expires_at

    # Uploads in parts

    async def list(self) -> list[PendingUpload]:
        """Return the uploads in parts below this store's prefix that were begun and not completed."""
        head = f"{self._prefix}/" if self._prefix else ""
        query = {"uploads": "", **({"prefix": head} if head else {})}
        uploads: list[PendingUpload] = []
        after: dict[str, str] | None = {}
        while after is not None:
            with self._refusals():
                reply = await self._ask_store("GET", None, query=query | after)
            uploads += [evolve(each, key=each.key.removeprefix(head)) for each in pending_uploads(reply.body)]
            before, after = after, next_page(reply.body)
            if after == before:
                raise TransferInterrupted(
                    "the next page of the store's uploads is the same one; try again", name=self._place
                )
        return uploads

    async def abort(self, key: str, upload: str) -> None:
        """Give up an upload in parts; the store forgets its parts. One that it does not know is no error."""
        with self._refusals():
            try:
                query = {"uploadId": as_path_part(upload, "upload")}
                await self._ask_store("DELETE", key, query=query)
            except UrlRefused as refused:
                if refused.status != 404:
                    raise

    async def abort_orphans(self, *, older_than: timedelta) -> int:
        """Abort the uploads that were begun so long ago and never completed; return how many."""
        check_kind(older_than, timedelta, "older_than")
        limit = datetime.now(UTC) - older_than
        orphans = [each for each in await self.list() if _when(each.begun) < limit]
        for each in orphans:
            await self.abort(each.key, each.upload)
        return len(orphans)

    async def begin(self, key: str, dialect: Dialect | None = None) -> str:
        """Begin an upload in parts and return what the store calls it.

        Repeated like any request: what a lost answer leaves is an upload without parts, for `abort_orphans`.
        """
        headers = (dialect or self._dialect).begin()
        reply = await self._ask_store("POST", key, query={"uploads": ""}, headers=headers, is_idempotent=True)
        upload = text_of("UploadId", reply.body)
        if not upload:
            raise TransferInterrupted("the store began an upload and did not name it; try again", name=key)
        return upload

    async def decide_checksums(self, key: str) -> None:
        """Find out whether uploads in parts carry checksums, by one that is begun and aborted."""

        async def begin(with_checksums: bool) -> None:  # noqa: FBT001 - the one parameter
            await self.abort(key, await self.begin(key, self._speaking(with_checksums=with_checksums)))

        with self._refusals():
            await self._negotiation.send("multipart", begin)

    async def complete(
        self, key: str, upload: str, parts: Sequence[SentPart], sent: SentFile, dialect: Dialect
    ) -> Mapping[str, str]:
        """Make one object of the parts, and return what the store says about it, as headers.

        Repeated as the settings say: a store that has completed the upload before does no harm. Only an
        answer with its result counts; where that is missing, or the store does not know the upload any
        more, only an object with this upload's size and checksum does.
        """
        body = completion(parts, checksums=dialect.lists_checksums)
        ask = partial(self._ask_store, query={"uploadId": upload}, headers=dialect.complete(sent.crc32c))
        for pause in self._pauses():
            await anyio.sleep(pause)
            try:
                reply = await ask("POST", key, body=body, is_idempotent=True, slow=_COMPLETION_SECONDS)
            except UrlRefused as refused:
                if refused.status != 404 or not await self._is_complete(key, sent):
                    raise
                return {}
            # S3 may begin to answer with 200 and then find a fault.
            completed = parse_completed(reply.body)
            if completed.is_complete:
                return {**reply.headers, **completed.headers()}
            if completed.error is not None and not is_transient_code(completed.error):
                raise _refused(key, completed)
            if await self._is_complete(key, sent):
                return {}
        code = completed.error
        raise TransferInterrupted(
            f"the store did not complete the upload ({code or 'an answer without a result'}); try again",
            name=key,
            code=code,
        )

    async def _is_complete(self, key: str, sent: SentFile) -> bool:
        """Whether there is an object with this upload's size and checksum; it is read where none is named."""
        facts = await self._ask(key)
        if facts is None or facts.size != sent.size:
            return False
        if facts.crc32c is not None:
            return facts.crc32c == sent.crc32c
        return await self._holds(key, sent)

    async def _send(self, key: str, source: Path, progress: Callable[[int], None] | None) -> SentFile:
        await self._keys()  # first: without a key nothing is read
        size = await file_size(source)
        part_size = part_size_of(size, self._engine.settings.transfers.part_size)

        async def send(with_checksums: bool) -> SentFile:  # noqa: FBT001 - the one parameter
            target = _BucketUpload(self, key, self._keys, self._speaking(with_checksums=with_checksums))
            return await send_file(self._engine, target, source, name=source.name, progress=progress)

        return await self._negotiation.send("PUT" if size <= part_size else "multipart", send)

    async def _head(self, key: str) -> ObjectFacts:
        async def head(with_checksums: bool) -> ObjectFacts:  # noqa: FBT001
            headers = self._speaking(with_checksums=with_checksums).asking()
            return read_facts((await self._ask_store("HEAD", key, headers=headers)).headers)

        return await self._negotiation.send("HEAD", head)

    def _advice(self, refused: UrlRefused) -> str:
        return own_advice(refused)

    def _speaking(self, *, with_checksums: bool) -> Dialect:
        return self._dialect if with_checksums else PlainS3Dialect()

    # Requests

    def signed_put(
        self, signer: Key, key: str, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> SignedRequest:
        """Return the signed PUT of a body with these headers."""
        url = presign(signer, "PUT", self._url(key), expires=_REQUEST_SECONDS, query=query, headers=headers)
        return SignedRequest(url, headers)

    async def _ask_store(
        self,
        method: str,
        key: str | None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        is_idempotent: bool = False,
        slow: float = 0,
    ) -> BufferedResponse:
        async def ask(signer: Key) -> BufferedResponse:
            url = self._root if key is None else self._url(key)
            signed = presign(signer, method, url, expires=_REQUEST_SECONDS, query=query, headers=headers)
            return await send_request(
                self._engine,
                method,
                signed,
                name=key or self._place,
                headers=headers,
                body=body,
                is_idempotent=is_idempotent,
                slow=slow,
            )

        # The key comes first: where the bucket is may come with it.
        return await send_renewing(await self._keys(), self.another_key, ask)

    async def another_key(self, signer: Key) -> Key | None:
        """Return the key to send a refused request with once more; None if only the same one can be had."""
        key = await self._keys()
        return None if key == signer else key

    def _url(self, key: str) -> str:
        path = f"{self._prefix}/{key}" if self._prefix else key
        return f"{self._root}/{escaped_key(as_object_key(path))}"


class _BucketUpload:
    """One key of a bucket, as the place that a file is sent to."""

    def __init__(self, bucket: Bucket, key: str, keys: Keys, dialect: Dialect) -> None:
        self._bucket = bucket
        self._key = key
        self._keys = keys
        self._dialect = dialect

    async def signer(self) -> Key:
        return await self._keys()

    async def another_signer(self, signer: Key, /) -> Key | None:
        return await self._bucket.another_key(signer)

    def whole(self, signer: Key, digest: Crc32c) -> SignedRequest:
        return self._bucket.signed_put(signer, self._key, {}, self._dialect.checksum(digest.wire))

    def part(self, signer: Key, upload: str, number: int, digest: Crc32c) -> SignedRequest:
        query = {"partNumber": str(number), "uploadId": upload}
        return self._bucket.signed_put(signer, self._key, query, self._dialect.checksum(digest.wire))

    async def begin(self) -> str:
        return await self._bucket.begin(self._key, self._dialect)

    async def complete(
        self, upload: str, parts: Sequence[SentPart], whole: Crc32c, part_size: int
    ) -> Mapping[str, str]:
        sent = SentFile(whole.length, whole.wire, {}, part_size)
        return await self._bucket.complete(self._key, upload, parts, sent, self._dialect)

    async def abort(self, upload: str) -> None:
        await self._bucket.abort(self._key, upload)


def _refused(key: str, completed: CompletedUpload) -> UrlRefused:
    problem = f"the store could not complete the upload ({completed.error})"
    return UrlRefused(problem, name=key, status=200, code=completed.error)


def _when(text: str) -> datetime:
    try:
        begun = datetime.fromisoformat(text)
    except ValueError:
        return datetime.now(UTC)  # of no known age, so none to abort
    return begun if begun.tzinfo else begun.replace(tzinfo=UTC)
