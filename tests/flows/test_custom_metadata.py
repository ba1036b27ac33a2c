"""Metadata of runs and items, from what a person writes to what the platform keeps."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from running_jobs import SETTINGS, JobHarness

from aignostics_async import Client, Item, NotInContract, PreconditionFailed, Slide
from aignostics_async.bulk import JobStatus, Sources, create_job
from aignostics_async.bulk.preflight._findings import FindingKind
from aignostics_async.emulator.process import Emulator

pytestmark = [
    pytest.mark.one_contract("1.8"),
]


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[Client]:
    emulator.reset(clock_rate=200, url_lifetime=10**6)
    async with emulator.client(SETTINGS) as client:
        yield client


def manifest(folder: Path, slide: Slide, *lines: str) -> Path:
    """Write a manifest of copies of a slide."""
    for name in ("a", "b"):
        shutil.copy(slide.path, folder / f"{name}.tiff")
    path = folder / "slides.csv"
    path.write_text("\n".join(lines))
    return path


async def test_a_job_s_runs_and_items_have_the_metadata_of_plan_and_manifest(
    emulator: Emulator, client: Client, slide: Slide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    harness = JobHarness(emulator=emulator, client=client, folder=tmp_path, slide=slide.path)
    lines = [
        "path,reference,custom_metadata.block,custom_metadata.case.year",
        "a.tiff,a,A1,2026",
        "b.tiff,b,,",
    ]
    plan = harness.plan(metadata={"study": {"name": "lung"}}, chunk_size=2)
    sources = Sources(manifest=manifest(tmp_path, slide, *lines))
    report = await create_job(harness.job, plan, sources, client)
    assert report.is_clear, report.faults
    assert (await harness.run()).status is JobStatus.DONE
    (run,) = await client.runs.list(metadata={"study": {"name": "lung"}}).to_list()
    assert run.metadata == {"study": {"name": "lung"}}
    items = {item.reference: item.metadata async for item in client.run(run.run_id).results()}
    assert items == {"a": {"block": "A1", "case": {"year": 2026}}, "b": None}
    (found,) = await client.run(run.run_id).results(metadata={"case": {"year": 2026}}).to_list()
    assert found.reference == "a"


async def test_a_column_of_the_sdk_s_own_is_a_fault(
    client: Client, emulator: Emulator, slide: Slide, tmp_path: Path
) -> None:
    harness = JobHarness(emulator=emulator, client=client, folder=tmp_path, slide=slide.path)
    path = manifest(tmp_path, slide, "path,custom_metadata.aignostics_async.job", "a.tiff,1")
    report = await create_job(harness.job, harness.plan(), Sources(manifest=path), client)
    (fault,) = report.faults
    assert (fault.kind, "for the SDK's own use" in fault.problem) == (FindingKind.METADATA, True)


@pytest.mark.parametrize("where", ["plan", "manifest"])
async def test_under_the_older_contract_a_job_with_metadata_is_refused(
    emulator: Emulator, slide: Slide, tmp_path: Path, where: str
) -> None:
    async with emulator.client(SETTINGS, contract="1.0") as older:
        harness = JobHarness(emulator=emulator, client=older, folder=tmp_path, slide=slide.path)
        column = "custom_metadata.case" if where == "manifest" else "reference"
        sources = Sources(manifest=manifest(tmp_path, slide, f"path,{column}", "a.tiff,7"))
        plan = harness.plan(metadata={"study": "x"} if where == "plan" else None)
        with pytest.raises(NotInContract, match="metadata of runs and items"):
            await create_job(harness.job, plan, sources, older)


async def test_two_who_change_the_metadata_of_a_run_lose_nothing(emulator: Emulator, client: Client) -> None:
    (run_id,) = emulator.script({"items": ["a", "b/c"], "custom_metadata": {"n": 0}})
    run = client.run(run_id)
    before = await run.details()

    async def count(_number: int) -> None:
        await run.update_metadata(lambda now: {**now, "n": now["n"] + 1})

    for number in range(3):
        await count(number)
    with pytest.raises(PreconditionFailed):
        await run.set_metadata({"n": 9}, read=before)
    assert (await run.details()).metadata == {"n": 3}
    await run.set_item_metadata("a", {"block": 1})
    assert [item.metadata async for item in run.results(references=["a"])] == [{"block": 1}]


async def test_an_interrupted_change_is_made_once(emulator: Emulator, client: Client) -> None:
    """The answer to the PUT is lost, and the repeated one is refused for what the first one has changed."""
    (run_id,) = emulator.script({"items": ["a"], "custom_metadata": {"n": 0}})
    emulator.set_faults({"operation": "set_run_metadata", "times": 1, "drop": "after"})
    run = client.run(run_id)
    assert await run.update_metadata(lambda now: {"n": now["n"] + 1}) == {"n": 1}
    assert (await run.details()).metadata == {"n": 1}
    asked = [each["status"] for each in emulator.requests() if each["operation"] == "set_run_metadata"]
    assert asked == [None, 412]


async def test_metadata_of_submit(emulator: Emulator, client: Client, slide: Slide) -> None:
    item = Item("a", slide=slide, metadata={"case": "7"})
    store = emulator.store_url
    run = await client.runs.submit("he-tme:v1.0.0", [item], store=store, metadata={"study": "x"})
    assert (await run.details()).metadata == {"study": "x"}
    assert [each.metadata async for each in run.results()] == [{"case": "7"}]
