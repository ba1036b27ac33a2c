"""A bulk job whose store keeps other bytes than it was sent: nothing is paid for, and the report says why."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from lying_store import LyingStore, lying_store
from running_jobs import RATE, SETTINGS, Bench

from aignostics_async import S3, AwsKey, Store
from aignostics_async.bulk import EventType
from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def place() -> Iterator[LyingStore]:
    with lying_store() as place:
        yield place


@pytest.fixture
async def bench(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    emulator.reset(clock_rate=RATE, url_lifetime=10**6)
    slide = write_slide(tmp_path / "tiny.tiff", width=300, height=260)
    async with emulator.client(SETTINGS) as client:
        yield Bench(emulator=emulator, client=client, folder=tmp_path, slide=slide)


def open_store(bench: Bench, place: LyingStore) -> Store:
    key = AwsKey("name", "secret", "us-east-1")
    return bench.client.store(S3(bucket="bucket", prefix="lab", endpoint=place.origin, key=key))


@pytest.mark.parametrize("lie", ["flipped", "half", "absent"])
async def test_a_store_that_lies_costs_no_run(bench: Bench, place: LyingStore, lie: str) -> None:
    await bench.make("a", "b")
    place.lie = "flipped" if lie == "flipped" else "half" if lie == "half" else "absent"
    await bench.run(store=open_store(bench, place))
    assert bench.posts() == 0
    assert set(bench.states().values()) == {"SET_ASIDE"}
    assert bench.told(EventType.UPLOADED) == []
    told = [fault for (fault,) in bench.rows("SELECT fault FROM items")]
    assert all("CRC32C" in fault or "bytes there" in fault or "does not" in fault for fault in told)


async def test_uploads_that_nothing_proves_are_counted(bench: Bench, place: LyingStore) -> None:
    await bench.make("a", "b")
    place.tells = "size"
    summary = await bench.run(store=open_store(bench, place))
    assert (summary.uploads.stored_items, summary.uploads.store_verified) == (2, 0)
    bench.assert_each_has_one_run("a", "b")
