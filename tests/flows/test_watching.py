"""Watching one run: each state once, the final one last, and held until the results are complete."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from attrs import evolve
from support import details, result

from aignostics_async import Forbidden, Item, NotFound, Retries, RunStatus, ServerError, Settings, Slide
from aignostics_async.emulator.process import IMPATIENT, Emulator

RUN_ID = str(uuid.UUID(int=1))
RUN = f"/api/v1/runs/{RUN_ID}"


def seen(status: str, *items: dict[str, object], times: int | None = 1) -> list[dict[str, object]]:
    """Return the rules for one look, or for all further ones."""
    limit = {} if times is None else {"times": times}
    return [
        {"path": RUN, "status": 200, "body": details(status), **limit},
        {"path": f"{RUN}/results", "status": 200, "body": list(items), **limit},
    ]


async def states(
    emulator: Emulator, settings: Settings = IMPATIENT
) -> list[tuple[str | None, str | None, str]]:
    async with emulator.client(settings) as client:
        return [(each.reference, each.old, each.new) async for each in client.run(RUN_ID).watch()]


async def test_a_late_result_holds_the_final_state_back(emulator: Emulator) -> None:
    item = result("a", status="PENDING")
    done = {**item, "status": "SUCCEEDED"}
    emulator.set_faults(*seen("RUNNING", item), *seen("COMPLETED", item), *seen("COMPLETED", done))
    assert await states(emulator) == [
        ("a", None, "PENDING"),
        (None, None, "RUNNING"),
        ("a", "PENDING", "SUCCEEDED"),
        (None, "RUNNING", "COMPLETED"),
    ]


async def test_the_grace_ends(emulator: Emulator) -> None:
    emulator.set_faults(*seen("COMPLETED", result("a", status="PENDING"), times=None))
    impatient = evolve(IMPATIENT, results_grace=0.2)
    assert await states(emulator, impatient) == [("a", None, "PENDING"), (None, None, "COMPLETED")]


async def test_a_stale_answer_takes_nothing_back(emulator: Emulator) -> None:
    item = result("a")
    stale = {**item, "status": "PENDING"}
    emulator.set_faults(*seen("RUNNING", item), *seen("RUNNING", stale), *seen("COMPLETED", item))
    assert await states(emulator) == [
        ("a", None, "SUCCEEDED"),
        (None, None, "RUNNING"),
        (None, "RUNNING", "COMPLETED"),
    ]


async def test_results_that_are_not_there_yet_are_waited_for(emulator: Emulator) -> None:
    missing = {"path": f"{RUN}/results", "status": 404, "times": 1}
    received = {"path": RUN, "status": 200, "body": details("RECEIVED"), "times": 1}
    emulator.set_faults(received, missing, *seen("COMPLETED", result("a")))
    assert await states(emulator) == [
        (None, None, "RECEIVED"),
        ("a", None, "SUCCEEDED"),
        (None, "RECEIVED", "COMPLETED"),
    ]


async def test_a_new_run_may_be_unknown_for_a_moment(emulator: Emulator, slide: Slide) -> None:
    async with emulator.client() as client:
        emulator.set_faults({"method": "GET", "path": "/api/v1/runs/[^/]*", "status": 404, "times": 3})
        run = await client.runs.submit("test-app:v0.0.2", [Item("a", slide=slide)], store=emulator.store_url)
        assert (await run.details()).run_id == run.id
        emulator.set_faults({"method": "GET", "path": "/api/v1/runs/[^/]*", "status": 404, "times": 1})
        with pytest.raises(NotFound):
            await client.run(run.id).details()


async def test_a_deadline_is_asyncio_s_own(emulator: Emulator) -> None:
    emulator.set_faults(*seen("RUNNING", times=None))
    async with emulator.client() as client:
        before = asyncio.all_tasks()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await client.run(RUN_ID).wait()
        assert asyncio.all_tasks() == before, "nothing is left behind"


async def test_an_outage_is_outlasted_for_as_long_as_the_settings_say(emulator: Emulator) -> None:
    once = evolve(IMPATIENT, retries=Retries(attempts=1))
    outage = [{"path": RUN, "status": 503, "times": 3}, {"path": RUN, "drop": "before", "times": 3}]
    emulator.set_faults(*outage, *seen("COMPLETED", result("a")))
    assert await states(emulator, once) == [("a", None, "SUCCEEDED"), (None, None, "COMPLETED")]
    emulator.set_faults({"path": RUN, "status": 503})
    with pytest.raises(ServerError):
        await states(emulator, evolve(once, outage_patience=0.2))
    emulator.set_faults({"path": RUN, "status": 403})
    with pytest.raises(Forbidden):
        await states(emulator, once)
    assert len(emulator.requests()) == 1, "what will not pass is not waited for"


async def test_a_final_run_without_items_is_looked_at_again(emulator: Emulator) -> None:
    emulator.set_faults(*seen("COMPLETED"), *seen("COMPLETED", result("a")))
    assert await states(emulator) == [("a", None, "SUCCEEDED"), (None, None, "COMPLETED")]
    emulator.set_faults(*seen("REJECTED", times=None))
    assert await states(emulator) == [(None, None, "REJECTED")]


async def test_faults_that_pass_are_ridden_out(emulator: Emulator) -> None:
    emulator.set_faults(
        {"path": RUN, "status": 503, "times": 2},
        {"path": RUN, "drop": "before", "times": 1},
        *seen("COMPLETED"),
    )
    async with emulator.client() as client:
        assert (await client.run(RUN_ID).wait()).status == RunStatus.COMPLETED
