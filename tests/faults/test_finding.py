"""Whether a run exists: "nothing" must be a proof, because a run is paid for."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support import details, result

from aignostics_async import (
    FoundRuns,
    InputArtifact,
    InvalidItems,
    InvalidSubmission,
    Item,
    Limits,
    UsageError,
)
from aignostics_async.emulator.process import IMPATIENT, Emulator

METADATA = {
    "checksum_base64_crc32c": "AAAAAA==",
    "width": 1,
    "height": 1,
    "width_mpp": 0.5,
    "height_mpp": 0.5,
}
RUNS = "/api/v1/runs"


def item(reference: str) -> Item:
    return Item(reference, artifacts=[InputArtifact("slide", "http://127.0.0.1:9/a.tiff", METADATA)])


def run(number: int, status: str = "RUNNING", at: str = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    return {**details(status), "application_run_id": str(uuid.UUID(int=number)), "triggered_at": at}


def results(number: int, *references: str) -> dict[str, Any]:
    path = f"{RUNS}/{uuid.UUID(int=number)}/results"
    return {"path": path, "status": 200, "body": [result(each) for each in references]}


def listing(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"path": RUNS, "status": 200, "body": list(runs)}


async def find(emulator: Emulator, *references: str, **options: Any) -> FoundRuns:
    async with emulator.client() as client:
        return await client.runs.find(references=references, **options)


def numbers(runs: tuple[Any, ...]) -> list[int]:
    return [uuid.UUID(each.run_id).int for each in runs]


async def test_exact_possible_and_neither(emulator: Emulator) -> None:
    emulator.set_faults(
        listing(run(1), run(2), run(3), run(4), run(5, "COMPLETED"), run(6, "COMPLETED"), run(7)),
        results(1, "a", "b"),
        results(2, "a"),
        results(3, "a", "b", "c"),
        results(4),
        results(5, "a"),
        results(6, "a", "b"),
        {"operation": "list_results", "path": f"{RUNS}/{uuid.UUID(int=7)}/.*", "status": 500},
    )
    found = await find(emulator, "a", "b")
    assert numbers(found.exact) == [1, 6]
    # 2 shows a part so far, 4 nothing yet, 7 can't be read; 5 is over and has another set.
    assert numbers(found.possible) == [2, 4, 7]


async def test_a_run_that_cant_be_read_is_no_proof(emulator: Emulator) -> None:
    broken = {**run(1), "application_run_id": "no uuid"}
    emulator.set_faults(listing(broken, run(2, at="2020-01-01T00:00:00Z")), results(2, "z"))
    with pytest.raises(InvalidItems):
        await find(emulator, "a", since=datetime(2026, 1, 1, tzinfo=UTC))


async def test_an_order_that_the_server_does_not_keep_ends_no_search(emulator: Emulator) -> None:
    """The run that is looked for comes last, after a page of runs that are older."""
    older = [run(1000 + number, at=f"2025-01-01T00:{number % 60:02}:00Z") for number in range(100)]
    pages = [older, [run(200, at="2026-01-02T00:00:00Z")]]
    emulator.set_faults(
        *(
            {"path": RUNS, "query": {"page": str(number)}, "status": 200, "body": page}
            for number, page in enumerate(pages, 1)
        ),
        {"operation": "list_results", "status": 200, "body": [result("a")]},
    )
    found = await find(emulator, "a", since=datetime(2026, 1, 1, tzinfo=UTC))
    assert numbers(found.exact) == [200]


async def test_the_search_ends_with_a_page_of_older_runs(emulator: Emulator) -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)
    recent = [run(number, at="2026-01-02T00:00:00Z") for number in range(1, 100)]
    first = [*recent, run(100, at="2026-01-02T00:00:00Z")]
    older = [run(1000 + number, at="2025-12-01T00:00:00Z") for number in range(100)]
    pages = [first, [run(200, at="2026-01-02T00:00:00Z"), *older[:99]], older]
    emulator.set_faults(
        *(
            {"path": RUNS, "query": {"page": str(number)}, "status": 200, "body": page}
            for number, page in enumerate(pages, 1)
        ),
        results(200, "a"),
        {"operation": "list_results", "status": 200, "body": [result("z")]},
    )
    found = await find(emulator, "a", since=since)
    assert numbers(found.exact) == [200]
    asked = [each["path"] for each in emulator.requests()]
    assert asked.count(RUNS) == 3


@pytest.mark.parametrize("since", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
async def test_any_time_is_one_to_search_from(emulator: Emulator, since: datetime) -> None:
    assert not (await find(emulator, "a", since=since)).exact


async def test_what_is_older_is_not_found(emulator: Emulator) -> None:
    reference = str(uuid.uuid4())
    async with emulator.client() as client:
        created = await client.runs.create("he-tme:1.0.0", [item(reference)])
        for version in (None, "he-tme:1.0.0", "he-tme:v1.0.0"):
            found = await client.runs.find(references=[reference], application_version=version)
            assert [each.run_id for each in found.exact] == [created.id]
        now = datetime.now(UTC)
        assert await client.runs.find(references=[reference], since=now - timedelta(minutes=5))
        assert not await client.runs.find(references=[reference], since=now + timedelta(hours=1))
        assert not await client.runs.find(references=[reference], application_version="he-tme:v1.1.0")


async def test_one_text_is_not_several(emulator: Emulator) -> None:
    async with emulator.client() as client:
        with pytest.raises(UsageError, match="put the one in a list"):
            await client.runs.find(references="case-7")
        with pytest.raises(UsageError, match="put the one in a list"):
            client.run(str(uuid.uuid4())).results(references="case-7")
        with pytest.raises(UsageError, match="give the references"):
            await client.runs.find(references=[])
        with pytest.raises(UsageError, match="aware"):
            await client.runs.find(references=["a"], since=datetime(2026, 1, 1))  # noqa: DTZ001


async def test_the_limit_of_items_is_a_setting(emulator: Emulator) -> None:
    from attrs import evolve

    async with emulator.client(evolve(IMPATIENT, limits=Limits(items_per_run=2))) as client:
        with pytest.raises(InvalidSubmission, match="a run takes 2 at most"):
            await client.runs.create("he-tme:v1.0.0", [item("a"), item("b"), item("c")])
