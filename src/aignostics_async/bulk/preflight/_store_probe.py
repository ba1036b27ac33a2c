"""A round trip with the store before a job relies on it: put, stat, sign, get and delete a small object."""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from attrs import define, field, frozen

from ..._core._arguments import awaited
from ..._core._crc32c import checksum_bytes
from ..._core._secret import SecretText
from ..._internals import transfer_engine
from ...errors import AignosticsError, ChecksumMismatch, TransferError
from ...storage import Checksums
from ...storage._bucket import Bucket
from ...storage._object_store import ObjectStore, absent
from ...storage._protocol import Deleting
from ...storage._upload import DoesNotTell, credentials_end, look_up, put_verified, sign_get
from ...submission._slide_uploads import credentials_problem
from ...transfer._request import send_request
from ._findings import Finding, FindingKind

if TYPE_CHECKING:
    from ..._client import Client
    from ...storage import Store

_CONTENT = b"A trial of aignostics-async: this object may be deleted.\n"


@frozen
class StoreProbe:
    """The result of a round trip with a store, as `PreflightReport.store` has it.

        print(report.store.steps, report.store.faults)

    A small object is put, looked up, read through a signed URL and deleted. `steps` is a tuple of the steps
    that succeeded, in order, of put, stat, sign, get and delete; `seconds` is how long they took. `faults` is
    a tuple with a `Finding` for what failed, empty if the store can be used. `left` is the key of the object
    if it was put and not deleted, else None.

    `credentials_end` is when the credentials expire, as an aware time; None if never or unknown.
    `is_verified` tells if the upload was verified, `tells_missing` (True by default) if the store reports
    missing objects, and `checksums` if requests carry them: `always`, `when_required`, or `auto` if
    undecided; None, the default, for stores that are no buckets. `object_days` is after how many days the
    store deletes objects by itself; None, the default, if unknown.
    """

    steps: tuple[str, ...]
    """The steps that succeeded, in order: put, stat, sign, get, delete."""
    is_verified: bool
    """Whether the upload of the object was verified, as in `Stored.verified`."""
    seconds: float
    """How long the round trip took, in seconds."""
    credentials_end: datetime | None
    """When the credentials expire, and with them the URLs that they signed; None if never or unknown."""
    left: str | None
    """The key of the test object if it could not be deleted, else None."""
    faults: tuple[Finding, ...]
    """What failed; empty if the store can be used."""
    tells_missing: bool = True
    """Whether the store reports that an object is missing; True by default.

    S3 does not without s3:ListBucket; a job then sends again what an interrupted one may have sent.
    """
    checksums: Checksums | None = None
    """Whether requests to a bucket carry checksums: `always`, `when_required`, or `auto` if the round trip
    did not decide it; None, the default, for other stores.
    """
    object_days: int | None = None
    """Days after which the store deletes an object by itself; None, the default, if that is not known."""

    @property
    def warnings(self) -> Iterator[Finding]:
        """An iterator over findings, one for each limitation of a store that can be used.

        Limitations are that it does not report missing objects, refuses checksum headers, did not verify the
        upload, or deletes objects by itself. Empty if there are none, or the probe found a fault. Each access
        returns a new iterator.
        """
        if self.faults:
            return
        if not self.tells_missing:
            problem = "the store does not say whether an object exists"
            remedy = "allow its key to list (s3:ListBucket), or a resumed job sends some slides again"
            yield Finding(FindingKind.STORE, problem, remedy)
        if self.checksums == "when_required":
            problem = "the store refuses checksum headers, so uploads are verified by size and ETag"
            yield Finding(FindingKind.STORE, problem)
        if not self.is_verified:
            problem = "the store names no checksum, so nothing proves that it has what was sent"
            remedy = 'uploads count as unverified; verify="read-back" reads each of them again'
            yield Finding(FindingKind.STORE, problem, remedy)
        if self.object_days is not None:
            problem = f"the store deletes each object {self.object_days} days after its upload"
            yield Finding(
                FindingKind.STORE, problem, "submit before that; 'bulk retry' uploads again what is gone"
            )


async def probe_store(
    store: Store, client: Client, prefix: str, *, now: datetime | None = None
) -> StoreProbe:
    """Make a round trip with a store; failures are reported and not raised.

    The key of the object begins with `prefix`. The object is left behind if the store can't delete.
    """
    trial = _Trial(store, client, f"{prefix}/trial-{uuid.uuid4().hex}.txt")
    begun = time.monotonic()
    await trial.check_credentials(now or datetime.now(UTC))
    await trial.go_round()
    return StoreProbe(
        tuple(trial.steps),
        trial.is_verified,
        time.monotonic() - begun,
        trial.credentials_end,
        trial.left,
        tuple(trial.faults),
        trial.tells_missing,
        store.checksums if isinstance(store, Bucket) else None,
        store.object_days if isinstance(store, ObjectStore) else None,
    )


@define
class _Trial:
    store: Store
    client: Client
    key: str
    steps: list[str] = field(factory=list)
    is_verified: bool = False
    credentials_end: datetime | None = None
    left: str | None = None
    faults: list[Finding] = field(factory=list)
    tells_missing: bool = True

    async def check_credentials(self, now: datetime) -> None:
        """Record a fault if URLs would expire with the credentials while the platform still needs them."""
        try:
            end = await credentials_end(self.store)
            problem = credentials_problem(end, self.client.settings.url_lifetime, now)
        except AignosticsError as error:
            self._fail("tell when its credentials end", error)
            return
        self.credentials_end = end
        if problem:
            remedy = "use a key that lives longer than the job and six days, not a session's"
            self._fault(problem, remedy)

    async def go_round(self) -> None:
        """Take the steps in order, up to the first one that fails."""
        doing = "stat"
        try:
            # Before a job sends a slide, it asks for an object that does not exist yet.
            await self._stat_missing()
            doing = "put"
            uri = await self._put()
            if isinstance(self.store, Bucket):
                doing = "upload in parts"
                await self.store.decide_checksums(self.key)
            doing = "stat"
            await self._stat()
            doing = "sign"
            url = SecretText(await sign_get(self.store, uri, self.client.settings.url_lifetime))
            self.steps.append(doing)
            doing = "get"
            await self._get(url)
        except AignosticsError as error:
            self._fail(doing, error)
        except OSError as error:  # the object's file can't be written
            remedy = "set TMPDIR to a folder that can be written"
            self._fault(f"no temporary file can be written ({error.strerror})", remedy)
        await self._delete()

    async def _put(self) -> str:
        with tempfile.TemporaryDirectory(prefix="aignostics-async-") as scratch:
            source = Path(scratch, "trial.txt")
            await anyio.Path(source).write_bytes(_CONTENT)
            stored = await put_verified(self.store, self.key, source)
        self.is_verified = stored.verified
        self.left = self.key
        self.steps.append("put")
        return stored.uri

    async def _stat_missing(self) -> None:
        try:
            await look_up(self.store, self.key)
        except DoesNotTell:
            self.tells_missing = False

    async def _stat(self) -> None:
        try:
            stored = await look_up(self.store, self.key)
        except DoesNotTell:
            return  # a job then sends interrupted files again
        if stored is None:
            raise absent(self.key)
        expected = checksum_bytes(_CONTENT).wire
        if stored.size != len(_CONTENT):
            raise TransferError(f"it has {stored.size} bytes there, not {len(_CONTENT)}", name=self.key)
        if stored.crc32c not in (None, expected):
            raise ChecksumMismatch(name=self.key, expected=expected, actual=str(stored.crc32c))
        self.steps.append("stat")

    async def _get(self, url: str) -> None:
        """Read the object as the platform will, with nothing but its URL."""
        content = (await send_request(transfer_engine(self.client), "GET", url, name=self.key)).body
        if content != _CONTENT:
            raise TransferError("the bytes that were read are not those that were sent", name=self.key)
        self.steps.append("get")

    async def _delete(self) -> None:
        if self.left is None or not isinstance(self.store, Deleting):
            return
        try:
            await awaited(self.store.delete(self.key), "`delete` of a store")
        except AignosticsError:
            return  # `left` reports it
        self.left = None
        self.steps.append("delete")

    def _fail(self, doing: str, error: AignosticsError) -> None:
        self._fault(
            f"the store can't {doing}: {error}", "check its address, its credentials and their rights"
        )

    def _fault(self, problem: str, remedy: str) -> None:
        self.faults.append(Finding(FindingKind.STORE, problem, remedy))
