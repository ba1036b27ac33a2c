"""Every end of a listing, over real pages."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from answers_1_8 import ITEM, RUN_ID
from support import NOT_THERE, details, result

from aignostics_async import InvalidResponse, NotFound
from aignostics_async.emulator.process import Emulator

RUNS = "/api/v1/runs"
RESULTS = f"/api/v1/runs/{uuid.UUID(int=1)}/results"


def run(number: int) -> dict[str, Any]:
    return {**details(), "application_run_id": str(uuid.UUID(int=number))}


def page(path: str, number: int, entries: list[dict[str, Any]] | None) -> dict[str, Any]:
    answer = NOT_THERE if entries is None else {"status": 200, "body": entries}
    return {"method": "GET", "path": path, "query": {"page": str(number)}, **answer}


@pytest.mark.parametrize(
    ("pages", "total"),
    [
        ([[]], 0),
        ([[1, 2, 3]], 3),
        ([[1, 2, 3, 4, 5], []], 5),
        ([[1, 2, 3, 4, 5], [6]], 6),
        ([[1, 2, 3, 4, 5], None], 5),
        ([[1, 2, 3, 4, 5], [5, 6, 7, 8, 9], [10]], 10),
    ],
    ids=["empty", "short", "full then empty", "full then short", "full then 404", "sliding"],
)
async def test_ends_of_runs(emulator: Emulator, pages: list[Any], total: int) -> None:
    faults = [
        page(RUNS, number, None if entries is None else [run(entry) for entry in entries])
        for number, entries in enumerate(pages, 1)
    ]
    emulator.set_faults(*faults)
    async with emulator.client() as client:
        found = [each.run_id async for each in client.runs.list(page_size=5)]
    assert found == [str(uuid.UUID(int=number)) for number in range(1, total + 1)]
    assert len(emulator.requests()) == len(pages)


async def test_ends_of_results(emulator: Emulator) -> None:
    entries = [result(str(number)) for number in range(7)]
    emulator.set_faults(page(RESULTS, 1, entries[:5]), page(RESULTS, 2, entries[5:]))
    async with emulator.client() as client:
        results = client.run(str(uuid.UUID(int=1))).results(page_size=5)
        assert [len(each.items) async for each in results.pages()] == [5, 2]
        assert [item.reference async for item in results] == [str(number) for number in range(7)]


async def test_an_item_is_found_where_the_server_ignores_the_filter(emulator: Emulator) -> None:
    artifact_id = str(uuid.uuid4())
    wanted = result("case-7")
    wanted["output_artifacts"] = [
        {
            "name": "a",
            "output_artifact_id": artifact_id,
            "mime_type": "text/csv",
            "metadata": {},
            "download_url": "https://b.example.com/a",
        }
    ]
    entries = [result(str(number)) for number in range(100)]
    async with emulator.client() as client:
        run = client.run(str(uuid.UUID(int=1)))
        emulator.set_faults(page(RESULTS, 1, entries), page(RESULTS, 2, [wanted]))
        item = await run.item("case-7")
        assert await run.artifact_url(item.item_id, artifact_id) == "https://b.example.com/a"
        with pytest.raises(NotFound, match="there is no item 'case-8'"):
            await run.item("case-8")
        assert await run.artifact_url(item.item_id, str(uuid.uuid4())) is None


@pytest.mark.one_contract("1.8")
async def test_a_server_that_ignores_page_numbers_is_not_asked_for_ever_for_what_a_filter_leaves_out(
    emulator: Emulator,
) -> None:
    entries = [
        {**ITEM, "item_id": str(uuid.UUID(int=number)), "external_id": str(number)} for number in range(5)
    ]
    emulator.set_faults({"method": "GET", "path": ".*/items", "status": 200, "body": entries, "times": 9})
    async with emulator.client() as client:
        results = client.run(RUN_ID).results(statuses=["PENDING", "ERROR_USER"], page_size=5)
        with pytest.raises(InvalidResponse, match="page 3 has the same entries"):
            await results.first()
    assert len(emulator.requests()) == 3


async def test_a_404_on_the_first_page(emulator: Emulator) -> None:
    async with emulator.client() as client:
        with pytest.raises(NotFound):
            [item async for item in client.run(str(uuid.uuid4())).results()]


async def test_filters_and_order_reach_the_server(emulator: Emulator) -> None:
    async with emulator.client() as client:
        listing = client.runs.list(application_id="he-tme", sort=["+triggered_at", "-status"], page_size=7)
        [each async for each in listing]
    query = emulator.requests()[0]["query"]
    for part in ("application_id=he-tme", "sort=%2Btriggered_at", "sort=-status", "page_size=7", "page=1"):
        assert part in query
