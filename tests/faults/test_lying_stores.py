"""No run is created from an upload that the store contradicts, whatever the store, and however it lies."""

from __future__ import annotations

import base64
import random
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from attrs import evolve, frozen
from lying_store import Lie, LyingStore, Tells, Trouble, lying_store
from support import count

from aignostics_async import (
    GCS,
    S3,
    AwsKey,
    Azure,
    Client,
    HmacKey,
    Item,
    Presigned,
    Slide,
    StoreAddress,
    TransferError,
    TransferEvent,
    Transfers,
    TransferTally,
    Uploads,
)
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.emulator.synthetic import write_slide

RUNS = "/api/v1/runs"
MIB = 1024 * 1024
SETTINGS = evolve(IMPATIENT, transfers=Transfers(part_size=5 * MIB))

Kind = Literal["s3", "gs", "azure", "presigned", "presigned with head"]
Verify = Literal["auto", "read-back"]
LIES: list[Lie] = ["flipped", "half", "absent", "stale", "late", "no result", "failing completion"]
TELLS: list[Tells] = ["crc32c", "md5", "size", "nothing"]
KINDS: list[Kind] = ["s3", "gs", "azure", "presigned", "presigned with head"]
SHOWN_BY_SIZE: frozenset[Lie] = frozenset({"half", "absent"})
IN_PARTS_ONLY: frozenset[Lie] = frozenset({"no result", "failing completion"})


@frozen
class Case:
    kind: Kind
    lie: Lie
    tells: Tells
    in_parts: bool

    @property
    def is_possible(self) -> bool:
        if self.lie in IN_PARTS_ONLY and not (self.in_parts and self.kind in ("s3", "gs")):
            return False
        return not (self.in_parts and self.kind.startswith("presigned"))

    @property
    def is_revealed(self) -> bool:
        """Whether anything that the store says is true and contradicts the upload."""
        if self.lie == "late":
            return False  # it has the object in the end
        if self.lie in IN_PARTS_ONLY:
            return True
        if self.tells == "nothing":
            # A GET of one byte tells of an object that is not there.
            return self.lie == "absent" and self.kind.startswith("presigned")
        return self.tells != "size" or self.lie in SHOWN_BY_SIZE


EVERY = [
    case
    for kind in KINDS
    for lie in LIES
    for tells in TELLS
    for in_parts in (False, True)
    if (case := Case(kind, lie, tells, in_parts)).is_possible
]


@pytest.fixture(scope="module")
def store() -> Iterator[LyingStore]:
    with lying_store() as store:
        yield store


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """Give a slide that is sent whole, and one that is sent in two parts."""
    folder = tmp_path_factory.mktemp("lies")
    small = write_slide(folder / "small.tiff", width=300, height=200)
    large = folder / "large.tiff"
    large.write_bytes(small.read_bytes() + random.Random("large").randbytes(6 * MIB))
    return {False: small, True: large}


def address_of(kind: Kind, store: LyingStore, verify: Verify) -> StoreAddress:
    place = {"prefix": "lab", "endpoint": store.origin, "verify": verify}
    if kind == "s3":
        return S3(bucket="bucket", key=AwsKey("name", "secret", "us-east-1"), **place)  # type: ignore[arg-type]
    if kind == "gs":
        return GCS(bucket="bucket", hmac=HmacKey("GOOG1E", "secret"), **place)  # type: ignore[arg-type]
    if kind == "azure":
        key = base64.b64encode(b"secret").decode()
        return Azure(container="bucket", account="account", key=key, **place)  # type: ignore[arg-type]

    async def url(key: str) -> str:
        return f"{store.origin}/{key}"

    head = url if kind == "presigned with head" else None
    return Presigned(put_url=url, get_url=url, head_url=head, verify=verify)


async def submit(
    client: Client, case: Case, store: LyingStore, files: dict[bool, Path], verify: Verify
) -> bool:
    """Return whether a run was created."""
    store.lie, store.tells = case.lie, case.tells
    item = Item(str(uuid.uuid4()), slide=Slide(files[case.in_parts]))
    address = address_of(case.kind, store, verify)
    try:
        await client.runs.submit("he-tme:v1.0.0", [item], store=address)
    except TransferError:
        return False
    return True


@pytest.mark.parametrize("verify", ["auto", "read-back"])
async def test_no_run_from_what_a_store_contradicts(
    emulator: Emulator, store: LyingStore, files: dict[bool, Path], verify: Verify
) -> None:
    """A sample of all combinations; the rest is in the slow test."""
    await check(emulator, store, files, verify, random.Random(verify).sample(EVERY, 8))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("verify", ["auto", "read-back"])
async def test_no_run_from_any_lie(
    emulator: Emulator, store: LyingStore, files: dict[bool, Path], verify: Verify
) -> None:
    cases = [*EVERY, *random.Random(verify).choices(EVERY, k=max(0, 200 - len(EVERY)))]
    assert len(cases) >= 200
    await check(emulator, store, files, verify, cases)


async def check(
    emulator: Emulator, store: LyingStore, files: dict[bool, Path], verify: Verify, cases: list[Case]
) -> None:
    outcomes: Counter[tuple[bool, bool]] = Counter()
    wrong: list[Case] = []
    async with emulator.client(SETTINGS) as client:
        for case in cases:
            created = await submit(client, case, store, files, verify)
            outcomes[case.is_revealed, created] += 1
            is_right = case.lie == "late"  # only then the store has the file in the end
            if created and (case.is_revealed or (verify == "read-back" and not is_right)):
                wrong.append(case)
            assert created or not is_right or case.tells == "nothing", f"{case} was refused"
    assert wrong == []
    assert outcomes[True, False] > 0
    posts = sum(number for (_, is_created), number in outcomes.items() if is_created)
    assert count(emulator, operation="create_run") == posts


@pytest.mark.parametrize("kind", KINDS)
async def test_a_contradiction_is_sent_once_more(
    emulator: Emulator, store: LyingStore, files: dict[bool, Path], kind: Kind
) -> None:
    store.lie, store.tells = "flipped", "crc32c"
    before = store.puts
    async with emulator.client(SETTINGS) as client:
        with pytest.raises(TransferError, match=r"promised was|that it does not"):
            await client.store(address_of(kind, store, "auto")).put("key", files[False])
    assert store.puts == before + 2
    deletable = not kind.startswith("presigned")
    assert any("key" in key for key in store.objects) is not deletable, "what is wrong does not stay"
    store.objects.clear()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tells", TELLS)
async def test_verified_says_what_was_proven(
    emulator: Emulator, store: LyingStore, files: dict[bool, Path], kind: Kind, tells: Tells
) -> None:
    store.lie, store.tells = "none", tells
    async with emulator.client(SETTINGS) as client:
        stored = await client.store(address_of(kind, store, "auto")).put("key", files[False])
    assert stored.verified is (tells in ("crc32c", "md5"))


@pytest.mark.parametrize("kind", ["s3", "gs", "azure", "presigned with head"])
@pytest.mark.parametrize("late", ["HEAD", "GET"])
async def test_a_store_that_is_consistent_late_gets_the_file_once(
    emulator: Emulator, store: LyingStore, files: dict[bool, Path], kind: Kind, late: str
) -> None:
    store.lie, store.tells = "none", "crc32c"
    store.troubles = [Trouble(late, part="/late", times=2, status=404)]
    before = store.puts
    async with emulator.client(SETTINGS) as client:
        stored = await client.store(address_of(kind, store, "read-back")).put("late", files[False])
    store.troubles = []
    assert stored.verified
    assert store.puts == before + 1


@pytest.mark.parametrize("kind", ["s3", "gs", "azure"])
async def test_what_is_there_is_not_believed_by_its_size(
    emulator: Emulator, store: LyingStore, files: dict[bool, Path], kind: Kind
) -> None:
    """A repeated job finds another object of the same size under its key, and sends the file."""
    uploads, reference = Uploads(job=f"job-{uuid.uuid4()}"), str(uuid.uuid4())
    items = [Item(reference, slide=Slide(files[False]))]
    async with emulator.client(SETTINGS) as client:
        store.lie, store.tells = "stale", "size"
        address = address_of(kind, store, "auto")
        await client.runs.submit("he-tme:v1.0.0", items, store=address, uploads=uploads)
        before = store.puts
        store.lie, store.tells = "none", "md5"
        await client.runs.submit("he-tme:v1.0.0", items, store=address, uploads=uploads)
        assert store.puts == before + 1
        await client.runs.submit("he-tme:v1.0.0", items, store=address, uploads=uploads)
        assert store.puts == before + 1


@pytest.mark.parametrize("tells", TELLS)
async def test_what_nothing_proves_is_counted(
    emulator: Emulator, store: LyingStore, files: dict[bool, Path], tells: Tells
) -> None:
    store.lie, store.tells = "none", tells
    tally = TransferTally()
    events: list[TransferEvent] = []
    items = [Item(str(uuid.uuid4()), slide=Slide(files[False])) for _ in range(3)]
    async with emulator.client(SETTINGS) as client:
        address = address_of("s3", store, "auto")
        await client.runs.submit("he-tme:v1.0.0", items, store=address, progress=events.append)
    for event in events:
        tally.add(event, 0.0)
    is_proven = tells in ("crc32c", "md5")
    assert [event.verified for event in events if event.kind == "finished"] == [is_proven] * 3
    assert tally.unverified == (0 if is_proven else 3)
    assert ("3 unverified" in tally.describe()) is not is_proven
