"""The main job, end to end against the emulator: slides in, verified results out."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import google_crc32c
import pytest
from aignostics_api.api.public import list_application_versions, list_applications, list_runs
from PIL import Image
from support import signed_in

from aignostics_async import (
    Client,
    DownloadReport,
    FileOutcome,
    FileStatus,
    InputArtifact,
    InvalidSubmission,
    Item,
    ItemFailed,
    ItemStatus,
    NotFound,
    ResultsDeleted,
    RunCancelled,
    RunFailed,
    RunStatus,
    Slide,
    TransferEvent,
    UsageError,
    checksum_file,
    decode_crc32c,
)
from aignostics_async.emulator.process import IMPATIENT, Emulator

pytestmark = pytest.mark.both_contracts


def check_files(report: DownloadReport) -> None:
    """Check each file with another CRC32C library, and that nothing else is there."""
    for file in report.files:
        assert file.crc32c is not None
        assert google_crc32c.value(file.path.read_bytes()) == decode_crc32c(file.crc32c)
        assert file.path.stat().st_size == file.size > 0
    there = {path for path in report.folder.rglob("*") if path.is_file()}
    assert there == {file.path for file in report.files}


@pytest.mark.both_contracts(test=2)
async def test_slides_in_results_out(emulator: Emulator, slide: Slide, shared: Path, tmp_path: Path) -> None:
    events: list[TransferEvent] = []
    items = [
        Item("synthetic", slide=slide),
        Item("real tissue", slide=Slide(shared / "slides/tissue_ihc.tiff")),
        Item("aperio", slide=Slide(shared / "slides/small.svs")),
        Item("dicom series", slide=Slide(shared / "slides/boxes_0.dcm")),
        Item("by hand", slide=Slide(shared / "slides/boxes.tiff", mpp=0.25)),
    ]
    async with emulator.client() as client:
        version = await client.applications.version("he-tme:v1.1.0")
        run = await client.runs.submit(version, items, store=emulator.store_url, progress=events.append)
        states = [(change.reference, change.new) async for change in run.watch()]
        report = await run.download(tmp_path, progress=events.append)
        again = await run.download(tmp_path)

    assert states[-1] == (None, RunStatus.COMPLETED)
    assert {reference for reference, new in states if new == "SUCCEEDED"} == {
        item.reference for item in items
    }
    assert len(states) == len(set(states))
    report.raise_for_failures()
    assert {file.status for file in report.files} == {FileStatus.VERIFIED}
    assert {file.status for file in again.files} == {FileStatus.PRESENT}
    assert [item.reference for item in report.items] == [item.reference for item in items]
    for item in items:
        assert len(report.of(item.reference)) == 4
    check_files(report)
    check_outputs(report.of("real tissue"))
    with Image.open(shared / "slides/boxes.tiff") as boxes:
        width, height = boxes.size
    told = area_mm2(report.of("by hand"))
    assert told == pytest.approx(width * height * (0.25 / 1000) ** 2, rel=0.02), (
        "as the request says, not the file"
    )

    uploads = [event for event in events if event.direction == "upload"]
    assert {event.reference for event in uploads if event.kind == "finished"} == {i.reference for i in items}
    assert all(event.done == event.total for event in events if event.kind == "finished")


def area_mm2(files: tuple[FileOutcome, ...]) -> float:
    """Return the area of a slide by the table of its areas."""
    (table,) = (file.path for file in files if file.path.suffix == ".csv")
    with table.open() as file:
        return sum(float(row["area_mm2"]) for row in csv.DictReader(file))


def check_outputs(files: tuple[object, ...]) -> None:
    """Check that the outputs are what their kind promises."""
    paths = {path.suffix: path for path in (file.path for file in files)}  # type: ignore[attr-defined]
    with Image.open(paths[".tiff"]) as heatmap:
        assert heatmap.format == "TIFF"
        assert len(heatmap.getcolors(1 << 20) or ()) > 50
    collection = json.loads(paths[".geojson"].read_text())
    assert {feature["geometry"]["type"] for feature in collection["features"]} == {"Polygon"}
    assert sum(feature["properties"]["area_px"] for feature in collection["features"]) > 100_000
    with paths[".csv"].open() as file:
        rows = list(csv.DictReader(file))
    assert [row["class"] for row in rows] == ["background", "tissue", "dense tissue"]
    assert sum(float(row["fraction"]) for row in rows) == pytest.approx(1, abs=1e-4)
    assert sum(float(row["area_mm2"]) for row in rows) == pytest.approx((2048 * 0.5 / 1000) ** 2, rel=1e-3)


@pytest.mark.parametrize("version", ["he-tme:v1.0.0", "test-app:v0.0.1", "test-app:0.0.2"])
async def test_every_version_takes_what_it_asks_for(emulator: Emulator, slide: Slide, version: str) -> None:
    async with emulator.client() as client:
        run = await client.runs.submit(version, [Item("a", slide=slide)], store=emulator.store_url)
        assert (await run.wait()).status == RunStatus.COMPLETED


async def test_metadata_of_the_user_wins_and_is_checked(emulator: Emulator, slide: Slide) -> None:
    good = Slide(slide.path, metadata={"staining_method": "IHC", "specimen": {"tissue": "LUNG"}})
    bad = Slide(slide.path, metadata={"specimen": {"tissue": "MOON"}, "resolution_mpp": 99})
    async with emulator.client() as client:
        version = await client.applications.version("he-tme:v1.1.0")
        run = await client.runs.submit(version, [Item("good", slide=good)], store=emulator.store_url)
        await run.wait()  # the emulator fetches the input through its own storage, which counts as a request
        emulator.set_faults()
        with pytest.raises(InvalidSubmission) as caught:
            await client.runs.submit(version, [Item("bad", slide=bad)], store=emulator.store_url)
    told = str(caught.value)
    assert "metadata.specimen.tissue: 'MOON'" in told
    assert "metadata.resolution_mpp: 99" in told
    assert {each["method"] for each in emulator.requests()} <= {"GET"}, "no more than whether it is up"


async def test_items_with_urls_of_their_own(emulator: Emulator, slide: Slide) -> None:
    async with emulator.client() as client:
        store = client.store(emulator.store_url)
        stored = await store.put("mine/case.tiff", slide.path)
        assert stored.crc32c == (await checksum_file(slide.path)).wire
        assert await store.stat("mine/case.tiff") == stored
        assert await store.stat("mine/none.tiff") is None
        metadata = {
            "checksum_base64_crc32c": stored.crc32c,
            "width": 700,
            "height": 520,
            "width_mpp": 0.5,
            "height_mpp": 0.5,
        }
        artifact = InputArtifact("slide", await store.presign_get(stored.uri, 3600), metadata)
        run = await client.runs.create("he-tme:v1.0.0", [Item("a", artifacts=[artifact])])
        assert (await run.wait()).status == RunStatus.COMPLETED


async def test_an_item_of_the_user_s_fault(emulator: Emulator, slide: Slide, tmp_path: Path) -> None:
    """An unreadable slide and a wrong checksum are ERROR_USER; the run is COMPLETED_WITH_ERROR."""
    text = tmp_path / "text.tiff"
    text.write_text("no slide")

    async with emulator.client() as client:
        store = client.store(emulator.store_url)

        async def item(reference: str, path: Path, checksum: str | None = None) -> Item:
            stored = await store.put(f"mine/{reference}", path)
            metadata = {
                "checksum_base64_crc32c": checksum or stored.crc32c,
                "width": 10,
                "height": 10,
                "width_mpp": 0.5,
                "height_mpp": 0.5,
            }
            url = await store.presign_get(stored.uri, 3600)
            return Item(reference, artifacts=[InputArtifact("slide", url, metadata)])

        items = [
            await item("good", slide.path),
            await item("unreadable", text),
            await item("wrong checksum", slide.path, "AAAAAA=="),
        ]
        run = await client.runs.create("he-tme:v1.0.0", items)
        assert (await run.wait()).status == RunStatus.COMPLETED_WITH_ERROR
        results = {result.reference: result async for result in run.results()}
        report = await run.download(tmp_path / "results")

    assert results["good"].status == ItemStatus.SUCCEEDED
    assert results["unreadable"].status == ItemStatus.ERROR_USER
    assert "can't be read as a slide" in (results["unreadable"].error or "")
    assert results["wrong checksum"].status == ItemStatus.ERROR_USER
    assert "CRC32C" in (results["wrong checksum"].error or "")
    assert len(report.of("good")) == 3
    with pytest.raises(ExceptionGroup) as caught:
        report.raise_for_failures()
    failed = [error for error in caught.value.exceptions if isinstance(error, ItemFailed)]
    assert {error.reference for error in failed} == {"unreadable", "wrong checksum"}
    assert len(failed) == len(caught.value.exceptions)


async def test_cancel_then_delete(emulator: Emulator, slide: Slide, tmp_path: Path, contract: str) -> None:
    items = [Item(f"case-{number}", slide=slide) for number in range(20)]
    emulator.reset(speed=4)
    async with emulator.client() as client:
        run = await client.runs.submit("he-tme:v1.0.0", items, store=emulator.store_url)
        async for change in run.watch():
            if change.new == "SUCCEEDED":
                break
        await run.cancel()
        with pytest.raises(RunCancelled) as caught:
            await run.wait()
        assert caught.value.details.status == RunStatus.CANCELED_USER
        report = await run.download(tmp_path / "results")
        assert len(report.files) >= 3, "what was finished can still be downloaded"
        statuses = {item.status for item in report.items}
        # 1.8 does not say of an item who cancelled its run.
        cancelled = ItemStatus.CANCELED_USER if contract == "1.0" else ItemStatus.SKIPPED
        assert statuses == {ItemStatus.SUCCEEDED, cancelled}
        await run.delete_results()
        after = [item async for item in run.results()]
        artifacts = [artifact for item in after for artifact in item.output_artifacts]
        assert {(each.download_url, each.is_available) for each in artifacts} == {(None, False)}
        assert {each.deleted_by for each in artifacts} == {None if contract == "1.0" else "USER"}


@pytest.mark.parametrize("by", ["user", "platform"])
async def test_deleted_results_are_no_download(
    emulator: Emulator, slide: Slide, tmp_path: Path, contract: str, by: str
) -> None:
    async with emulator.client() as client:
        run = await client.runs.submit("he-tme:v1.0.0", [Item("a", slide=slide)], store=emulator.store_url)
        await run.wait()
        if by == "user":
            await run.delete_results()
        else:
            emulator.set_clock(advance_s=31 * 24 * 3600)
        report = await run.download(tmp_path)
        async with client.download_as_completed([run], tmp_path) as items:
            (done,) = [done async for done in items]
    outcomes = [*report.files, *done.files]
    assert len(outcomes) == 6
    told = "" if contract == "1.0" else f" by {'a user' if by == 'user' else 'the platform'}"
    for outcome in outcomes:
        assert outcome.status is FileStatus.FAILED
        assert isinstance(outcome.error, ResultsDeleted)
        assert f"its results were deleted{told}" in str(outcome.error)
    with pytest.raises(ExceptionGroup):
        report.raise_for_failures()


async def test_too_many_failed_items_end_a_run(emulator: Emulator, contract: str) -> None:
    metadata = {
        "checksum_base64_crc32c": "AAAAAA==",
        "width": 1,
        "height": 1,
        "width_mpp": 0.5,
        "height_mpp": 0.5,
    }
    nowhere = InputArtifact("slide", "https://example.com/slide.tiff", metadata)
    items = [Item(str(number), artifacts=[nowhere]) for number in range(5)]
    emulator.reset(failed_items_threshold=2)
    async with emulator.client() as client:
        run = await client.runs.create("he-tme:v1.0.0", items)
        with pytest.raises(RunFailed, match="CANCELED_SYSTEM"):
            await run.wait()
        results = [item async for item in run.results()]
    cancelled = "CANCELED_SYSTEM" if contract == "1.0" else "SKIPPED"
    assert [item.status for item in results] == ["ERROR_USER"] * 2 + [cancelled] * 3
    assert "not on this machine" in (results[0].error or "")


async def test_a_handle_does_no_io_and_listings_find_the_run(emulator: Emulator, slide: Slide) -> None:
    async with emulator.client() as client:
        run = await client.runs.submit("test-app:v0.0.2", [Item("a", slide=slide)], store=emulator.store_url)
        await run.wait()
        emulator.set_faults()
        handle = client.run(run.id.upper())
        assert emulator.requests() == []
        assert handle.id == run.id
        assert (await handle.details()).run_id == run.id
        listed = client.runs.list(application_id="test-app", page_size=5)
        assert (await anext(aiter(listed))).run_id == run.id
        with pytest.raises(UsageError, match="a run id is a UUID"):
            client.run("latest")


async def test_versions_by_id(emulator: Emulator) -> None:
    async with emulator.client() as client:
        for text in ("he-tme:v1.1.0", "he-tme:1.1.0"):
            assert (await client.applications.version(text)).application_version_id == "he-tme:v1.1.0"
        with pytest.raises(NotFound, match=r"no version '9\.9\.9'|version not found"):
            await client.applications.version("he-tme:v9.9.9")
        for text in ("he-tme", "he-tme:", ":v1", "", "a b:v1"):
            with pytest.raises(UsageError, match="is no version id"):
                await client.applications.version(text)
        listed = [
            version.version async for version in client.applications.versions("he-tme", sort="-version")
        ]
        assert listed == ["1.1.0", "1.0.0"]


@pytest.mark.one_contract("1.0")
async def test_the_door_to_the_generated_client(emulator: Emulator) -> None:
    async with emulator.client() as client:
        applications = await client.call(list_applications, sort=["-application_id"])
        assert isinstance(applications, list)
        assert [application.application_id for application in applications] == ["test-app", "he-tme"]
        versions = await client.call(list_application_versions, "he-tme", version="1.0.0")
        assert isinstance(versions, list)
        assert versions[0].input_artifacts[0].metadata_schema["required"]
        assert isinstance(await client.call(list_runs, page_size=5), list)


async def test_the_client_works_with_a_refresh_token(emulator: Emulator) -> None:
    source = signed_in(emulator)
    async with Client(emulator.root, source, settings=IMPATIENT, contract=emulator.contract) as client:
        assert "he-tme" in [each.application_id async for each in client.applications.list()]
    asked = [each["operation"] or each["path"] for each in emulator.requests()]
    assert asked == ["/oauth/token", "list_applications"]
