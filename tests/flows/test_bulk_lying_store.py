"""A bulk job whose store keeps other bytes than it was sent: nothing is paid for, and the report says why."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from lying_store import LyingStore, Trouble, lying_store
from running_jobs import RATE, SETTINGS, JobHarness

from aignostics_async import S3, AwsKey, Store
from aignostics_async.bulk import EventType, Sources, create_job
from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

pytestmark = pytest.mark.both_contracts


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
    assert all(any(word in fault for word in ("CRC32C", "bytes there", "missing")) for fault in told)


async def test_uploads_that_nothing_proves_are_counted(harness: JobHarness, place: LyingStore) -> None:
    await harness.make("a", "b")
    place.tells = "size"
    summary = await harness.run(store=open_store(harness, place))
    assert (summary.uploads.stored_items, summary.uploads.store_verified) == (2, 0)
    harness.assert_each_has_one_run("a", "b")


# What a store's trial has decided about checksum headers


def refuse_checksums(place: LyingStore) -> None:
    """Let a place refuse every request with a checksum header, as some stores that speak S3 do."""
    place.tells = "md5"
    place.troubles = [
        Trouble(method, times=10**6, status=501, header=f"x-amz-checksum-{name}")
        for method in ("PUT", "POST", "HEAD")
        for name in ("crc32c", "algorithm", "mode")
    ]


def with_checksums(place: LyingStore) -> int:
    return sum(any(name.startswith("x-amz-checksum") for name in headers) for _, _, headers in place.requests)


async def make_with_store(harness: JobHarness, place: LyingStore) -> None:
    sources = Sources(places=list(map(str, harness.copy("a", "b"))), reference_from="stem")
    plan = harness.plan(store="s3://bucket/lab")
    report = await create_job(harness.job, plan, sources, harness.client, store=open_store(harness, place))
    assert report.is_clear


async def test_a_job_keeps_what_the_trial_has_decided(harness: JobHarness, place: LyingStore) -> None:
    refuse_checksums(place)
    await make_with_store(harness, place)
    tried = with_checksums(place)
    assert tried > 0

    await harness.run(store=open_store(harness, place))

    assert with_checksums(place) == tried, "a later process does not decide again"
    async with harness.opened() as job:
        assert job.plan.checksums == "when_required"
    harness.assert_each_has_one_run("a", "b")


async def test_a_decision_does_not_change_in_the_middle_of_a_job(
    harness: JobHarness, place: LyingStore
) -> None:
    await make_with_store(harness, place)
    refuse_checksums(place)
    await harness.run(store=open_store(harness, place))
    assert harness.posts() == 0
    told = [fault for (fault,) in harness.rows("SELECT fault FROM items")]
    assert all('checksums="when_required"' in fault for fault in told)


async def test_a_job_from_before_is_undecided_until_it_has_run(
    harness: JobHarness, place: LyingStore
) -> None:
    await make_with_store(harness, place)
    plan = json.loads(harness.rows("SELECT plan FROM job")[0][0])
    del plan["checksums"]
    harness.write("UPDATE job SET plan = ?", json.dumps(plan))
    refuse_checksums(place)
    await harness.run(store=open_store(harness, place))
    async with harness.opened() as job:
        assert job.plan.checksums == "when_required"
    harness.assert_each_has_one_run("a", "b")
