"""A bulk job whose store keeps other bytes than it was sent: nothing is paid for, and the report says why."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from lying_store import LyingStore, lying_store
from running_jobs import RATE, SETTINGS, JobHarness

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
async def harness(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[JobHarness]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    emulator.reset(clock_rate=RATE, url_lifetime=10**6)
    slide = write_slide(tmp_path / "tiny.tiff", width=300, height=260)
    async with emulator.client(SETTINGS) as client:
        yield JobHarness(emulator=emulator, client=client, folder=tmp_path, slide=slide)


def open_store(harness: JobHarness, place: LyingStore) -> Store:
    key = AwsKey("name", "secret", "us-east-1")
    return harness.client.store(S3(bucket="bucket", prefix="lab", endpoint=place.origin, key=key))


@pytest.mark.parametrize("lie", ["flipped", "half", "absent"])
async def test_a_store_that_lies_costs_no_run(harness: JobHarness, place: LyingStore, lie: str) -> None:
    await harness.make("a", "b")
    place.lie = "flipped" if lie == "flipped" else "half" if lie == "half" else "absent"
    await harness.run(store=open_store(harness, place))
    assert harness.posts() == 0
    assert set(harness.states().values()) == {"SET_ASIDE"}
    assert harness.told(EventType.UPLOADED) == []
    told = [fault for (fault,) in harness.rows("SELECT fault FROM items")]
    assert all("CRC32C" in fault or "bytes there" in fault or "does not" in fault for fault in told)


async def test_uploads_that_nothing_proves_are_counted(harness: JobHarness, place: LyingStore) -> None:
    await harness.make("a", "b")
    place.tells = "size"
    summary = await harness.run(store=open_store(harness, place))
    assert (summary.uploads.stored_items, summary.uploads.store_verified) == (2, 0)
    harness.assert_each_has_one_run("a", "b")
