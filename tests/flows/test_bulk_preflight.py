"""A preflight at a job, with the emulator as platform and store: all that would fail, and nothing done."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import shutil
import sqlite3
import subprocess
import sys
import threading
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from command_line import run_here
from lying_store import Trouble, lying_store
from slide_files import make_old, write_dicom, write_mirax, write_tiff
from support import count, result

from aignostics_async import (
    S3,
    AwsKey,
    Client,
    ConfigurationError,
    Item,
    JobDatabaseError,
    NotFound,
    Presigned,
    Slide,
    Store,
    StoreAddress,
)
from aignostics_async.bulk import BulkJob, JobStatus, create_job
from aignostics_async.bulk._plan import JobPlan
from aignostics_async.bulk.preflight._findings import Finding, FindingKind
from aignostics_async.bulk.preflight._preflight import PreflightProgress, run_preflight
from aignostics_async.bulk.preflight._report import PreflightReport
from aignostics_async.bulk.preflight.sources._slide_entry import SlideEntry
from aignostics_async.bulk.preflight.sources._sources import Sources
from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide
from aignostics_async.slides.workers._probed_slide import ProbedSlide

pytestmark = pytest.mark.both_contracts

VERSION = "he-tme:v1.1.0"


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[Client]:
    async with emulator.client() as client:
        yield client


@pytest.fixture
def plan(emulator: Emulator, tmp_path: Path) -> JobPlan:
    return JobPlan(
        api_root=emulator.root,
        application_version=VERSION,
        store=emulator.store_url,
        results=tmp_path / "results",
    )


def told(report: PreflightReport, kind: FindingKind) -> list[str]:
    return [str(fault) for fault in report.faults if fault.kind is kind]


async def test_real_slides_with_their_traps(
    client: Client, plan: JobPlan, shared: Path, emulator: Emulator
) -> None:
    kept: list[tuple[SlideEntry, ProbedSlide]] = []
    steps: list[PreflightProgress] = []

    async def keep(entry: SlideEntry, probed: ProbedSlide | Finding, faults: Sequence[Finding]) -> None:
        if not faults:
            assert isinstance(probed, ProbedSlide)
            kept.append((entry, probed))

    sources = Sources(places=[shared / "slides"])
    report = await run_preflight(plan, sources, client, keep=keep, progress=steps.append)
    ready = ("boxes_0.dcm", "boxes_1.dcm", "small.svs", "tissue_ihc.tiff")
    assert (report.found, report.ready, report.runs) == (4, 3, 1)
    assert report.bytes == sum((shared / "slides" / name).stat().st_size for name in ready)
    assert {entry.reference for entry, _ in kept} == {"boxes_0.dcm", "small.svs", "tissue_ihc.tiff"}
    assert sum(probed.size for _, probed in kept) == report.bytes
    (fault,) = report.faults
    assert (fault.kind, fault.slide) == (FindingKind.RESOLUTION, str(shared / "slides/boxes.tiff"))
    assert "352.8" in fault.problem
    assert steps[-1] == PreflightProgress(4, 4)
    assert report.exit_status == 6
    assert report.store.steps == ("put", "stat", "sign", "get", "delete")
    assert (report.store.is_verified, report.store.left) == (True, None)
    assert count(emulator, operation="create_run") == 0
    assert sum(asked["method"] == "PUT" for asked in emulator.requests()) == 1, (
        "the trial's small object alone"
    )


async def test_all_faults_come_at_once(client: Client, plan: JobPlan, shared: Path, tmp_path: Path) -> None:
    slides = tmp_path / "slides"
    slides.mkdir()
    for name in ("good.svs", "odd.svs", "twin.svs", "twin2.svs"):
        shutil.copy(shared / "slides/small.svs", slides / name)
    write_slide(slides / "none.tiff", width=600, height=520, mpp=None)
    write_mirax(slides / "case.mrxs")
    (slides / "broken.svs").write_bytes(b"II*\0")
    manifest = slides / "in.csv"
    manifest.write_text(
        "path,reference,mpp,staining_method,specimen.tissue\n"
        "good.svs,good,,H&E,LUNG\n"
        "odd.svs,odd,,PAS,MOON\n"
        "twin.svs,twin,,,\n"
        "twin2.svs,twin,,,\n"
        "none.tiff,none,,,\n"
        "case.mrxs,case,,,\n"
        "broken.svs,broken,,,\n"
        "gone.svs,gone,,,\n"
        "good.svs,again,,,\n"
        "wide.svs,wide,250,,\n",
        encoding="utf-8",
    )
    greedy = evolve(plan, application_version="he-tme:v1.0.0", max_items=1)
    report = await run_preflight(greedy, Sources(manifest=manifest), client)
    assert report.ready == 0, "this version knows no column of it"

    report = await run_preflight(plan, Sources(manifest=manifest), client)
    assert (report.found, report.ready) == (7, 2)
    kinds = [fault.kind for fault in report.faults]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        FindingKind.SOURCE: 3,
        FindingKind.REFERENCE: 2,
        FindingKind.UNREADABLE: 1,
        FindingKind.RESOLUTION: 1,
        FindingKind.METADATA: 2,
    }
    wide, gone, again = told(report, FindingKind.SOURCE)
    assert wide.startswith(
        "in.csv, line 11: its mpp is '250', not a resolution from 0.05 to 5; give µm per pixel"
    )
    assert gone == f"in.csv, line 9: {slides}/gone.svs is not there; is the path right, and its disk mounted?"
    assert again == "in.csv, line 10: the slide is in in.csv, line 2 already; remove one of the lines"
    as_json = json.loads(report.to_json())
    assert as_json["slides"] == {
        "found": 7, "ready": 2, "bytes": report.bytes, "left_out": {}, "not_taken": [],
        "beyond_limit": 0,
    }  # fmt: skip
    assert sum(len(group["slides"]) for group in as_json["faults"]) == len(report.faults) == 9
    assert as_json["is_clear"] is False


async def test_a_store_may_be_an_address_or_an_object(
    emulator: Emulator, client: Client, plan: JobPlan, shared: Path, tmp_path: Path
) -> None:
    stores: dict[str, StoreAddress | Store] = {
        "small.svs": emulator.s3(),
        "tissue_ihc.tiff": client.store(emulator.store_url),
    }
    for name, store in stores.items():
        folder = tmp_path / f"job-{name}"
        sources = Sources(places=[shared / "slides" / name])
        report = await create_job(folder, plan, sources, client, store=store)
        assert report.is_clear, report.faults
        async with BulkJob.open(folder) as job:
            assert (await job.run(client, store=store)).status is JobStatus.DONE
            assert await job.clean(client, store=store) == 1


async def test_a_creation_that_was_cancelled_leaves_no_job(
    client: Client, plan: JobPlan, shared: Path, tmp_path: Path
) -> None:
    """As soon as the job is there, it is too late."""
    consented, database = asyncio.Event(), tmp_path / "job/job.sqlite3"
    sources = Sources(places=[shared / "slides/small.svs"])
    consent = lambda _report: consented.set()  # noqa: E731
    creating = asyncio.create_task(create_job(tmp_path / "job", plan, sources, client, consent=consent))
    await asyncio.wait([asyncio.ensure_future(consented.wait()), creating], return_when="FIRST_COMPLETED")
    while not creating.done():
        if database.exists():
            creating.cancel()
        await asyncio.sleep(0)
    assert (await creating).is_clear
    assert database.exists()


async def test_a_database_that_is_not_whole_is_no_job(
    client: Client, plan: JobPlan, shared: Path, tmp_path: Path
) -> None:
    """A reader keeps its log from being merged, as a disk does that is full; alone it would be damaged."""
    readers: list[sqlite3.Connection] = []

    def read(_progress: PreflightProgress) -> None:
        reader = sqlite3.connect(tmp_path / "job" / "draft.sqlite3", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM job").fetchall()
        readers.append(reader)

    sources = Sources(places=[shared / "slides/small.svs"])
    with pytest.raises(JobDatabaseError, match="make room"):
        await create_job(tmp_path / "job", plan, sources, client, progress=read)
    for reader in readers:
        reader.close()
    assert [each.name for each in (tmp_path / "job").iterdir()] == ["lock"]
    assert (await create_job(tmp_path / "job", plan, sources, client)).is_clear
    async with BulkJob.open(tmp_path / "job") as job:
        assert sum((await job.states()).values()) == 1


async def test_what_would_be_too_much(client: Client, plan: JobPlan, shared: Path) -> None:
    sources = Sources(places=[shared / "slides/small.svs", shared / "slides/tissue_ihc.tiff"])
    report = await run_preflight(evolve(plan, max_items=1, chunk_size=1), sources, client)
    assert (report.ready, report.runs) == (2, 2)
    assert report.is_clear, "the job sends what is allowed"
    (warning,) = [each for each in report.warnings if "at most 1 of them" in each.problem]
    assert (warning.kind, warning.slide) == (FindingKind.COST, None)
    enough = await run_preflight(evolve(plan, max_items=2), sources, client)
    assert enough.is_clear
    assert not [each for each in enough.warnings if "at most" in each.problem]


async def test_what_was_run_before_is_told_and_measured(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slides = tmp_path / "slides"
    slides.mkdir()
    for number in range(3):
        write_slide(slides / f"{number}.tiff", seed=number, width=600, height=520)
    items = [Item(name, slide=Slide(slides / name)) for name in ("0.tiff", "1.tiff")]
    items.append(Item("elsewhere", slide=Slide(slides / "2.tiff")))

    async with emulator.client() as client:
        plan = JobPlan(api_root=emulator.root, application_version=VERSION, store=emulator.store_url)
        run = await client.runs.submit(VERSION, items, store=emulator.store_url)
        report = await run.download(tmp_path / "results")
        sizes = [sum(file.size for file in report.of(item.reference)) for item in report.items]

        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other machine"))
        preflight = await run_preflight(plan, Sources(places=[slides]), client)
        again = [warning for warning in preflight.warnings if warning.kind is FindingKind.COST]
        assert sorted(str(warning.slide) for warning in again) == [
            str(slides / "0.tiff"),
            str(slides / "1.tiff"),
        ]
        assert {warning.problem for warning in again} == {
            f"its reference was run with this version already, in run {run.id}"
        }
        assert preflight.is_clear, "whether to pay again is a person's choice"
        assert preflight.earlier is not None
        assert (preflight.earlier.samples, preflight.earlier.output_bytes) == (3, sum(sizes) / 3)
        assert preflight.disk.expected == round(sum(sizes) / 3 * 3)
        assert preflight.disk.free is not None
        other = await run_preflight(
            evolve(plan, application_version="he-tme:v1.0.0"), Sources(places=[slides]), client
        )
        assert not [warning for warning in other.warnings if warning.kind is FindingKind.COST]
        assert other.disk.expected is None


async def test_a_slide_under_two_names_is_told_before_it_is_billed_twice(
    client: Client, plan: JobPlan, tmp_path: Path
) -> None:
    first = write_tiff(tmp_path / "a.tiff")
    shutil.copy(first, tmp_path / "b.tiff")
    write_tiff(tmp_path / "other.tiff", mpp=0.25)
    (tmp_path / "link.tiff").symlink_to(first)
    make_old(*tmp_path.glob("*.tiff"))
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"{tmp_path}/{name}.tiff\n" for name in ("a", "b", "link", "other")))
    report = await run_preflight(plan, Sources(files_from=listed), client)
    assert {Path(str(each.slide)).name: each.problem for each in report.warnings} == {
        "b.tiff": f"it has the same bytes as {first}, as far as samples of them tell",
        "link.tiff": f"it is the same file as {first}, by a link",
    }
    assert {each.kind for each in report.warnings} == {FindingKind.COST}
    series = write_dicom(tmp_path / "series")
    with zipfile.ZipFile(tmp_path / "series.zip", "w") as archive:
        for path in series:
            archive.write(path, path.name)
    twice = await run_preflight(
        evolve(plan, pack=True), Sources(places=[tmp_path / "series", tmp_path / "series.zip"]), client
    )
    (fault,) = (each for each in twice.faults if each.kind is FindingKind.COST)
    assert fault.problem.startswith("it is of the same DICOM series as item ")
    searched = await run_preflight(plan, Sources(places=[tmp_path]), client)
    assert [(Path(each.path).name, each.reason) for each in searched.left_out if each.is_slide] == [
        ("link.tiff", "duplicate")
    ]


async def test_a_slide_that_was_billed_under_another_name_is_recognized(
    client: Client, plan: JobPlan, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    lab, copy = tmp_path / "lab", tmp_path / "copy"
    for folder in (lab / "2025", copy):
        folder.mkdir(parents=True)
    path = make_old(write_tiff(lab / "2025" / "x.tiff", side=768))
    shutil.copy(path, copy / "y.tiff")
    make_old(copy / "y.tiff")
    item = Item("2025/x.tiff", slide=Slide(path))
    run = await client.runs.submit(VERSION, [item], store=emulator.store_url)
    await run.wait()
    report = await run_preflight(plan, Sources(places=[copy]), client)
    assert [warning.problem for warning in report.warnings] == [
        f"the same slide was analysed with this version already, in run {run.id}"
    ]
    assert report.earlier is not None
    assert report.earlier.again == {"y.tiff": run.id}, "a person is asked before it is paid for again"
    inside = await run_preflight(plan, Sources(places=[lab / "2025"]), client)
    assert inside.earlier is not None
    assert inside.earlier.again == {"x.tiff": run.id}

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other machine"))
    unknown = await run_preflight(plan, Sources(places=[lab / "2025"]), client)
    assert [warning.problem for warning in unknown.warnings] == [
        f"'2025/x.tiff' was run with this version already, in run {run.id}"
    ]


async def test_references_with_the_mark_of_a_job_are_found(
    client: Client, plan: JobPlan, emulator: Emulator, tmp_path: Path
) -> None:
    path = make_old(write_tiff(tmp_path / "marked.tiff", side=512))
    item = Item("marked.tiff~0123abcd.7", slide=Slide(path))
    run = await client.runs.submit(VERSION, [item], store=emulator.store_url)
    await run.wait()
    report = await run_preflight(plan, Sources(places=[path]), client)
    assert report.earlier is not None
    assert report.earlier.again == {"marked.tiff": run.id}


async def test_what_has_failed_before_is_not_paid_again(
    client: Client, plan: JobPlan, emulator: Emulator, tmp_path: Path
) -> None:
    make_old(write_slide(tmp_path / "failed.tiff", width=600, height=520))
    run = await client.runs.submit(
        VERSION, [Item("failed.tiff", slide=Slide(tmp_path / "failed.tiff"))], store=emulator.store_url
    )
    await run.wait()
    rule = {"operation": "list_results"}
    failed = result("failed.tiff", status="ERROR_USER", error="unreadable")
    emulator.set_faults({**rule, "status": 200, "body": [{**failed, "application_run_id": run.id}]})
    report = await run_preflight(plan, Sources(places=[tmp_path / "failed.tiff"]), client)
    assert report.warnings == ()
    emulator.set_faults({**rule, "status": 500})
    report = await run_preflight(plan, Sources(places=[tmp_path / "failed.tiff"]), client)
    assert "earlier runs could be looked into" in str(report.warnings[0])
    assert report.is_clear


async def test_a_platform_that_does_not_list_runs(
    client: Client, plan: JobPlan, shared: Path, emulator: Emulator
) -> None:
    emulator.set_faults({"operation": "list_runs", "status": 500})
    report = await run_preflight(plan, Sources(places=[shared / "slides/small.svs"]), client)
    assert report.earlier is None
    assert report.disk.basis == "earlier runs can't be listed"
    assert [warning.kind for warning in report.warnings] == [FindingKind.PLATFORM]
    assert "earlier runs can't be listed" in report.warnings[0].problem
    assert json.loads(report.to_json())["earlier_runs"] is None


async def test_outputs_that_do_not_fit(
    client: Client, plan: JobPlan, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_slide(tmp_path / "a.tiff", width=600, height=520)
    run = await client.runs.submit(
        VERSION, [Item("a", slide=Slide(tmp_path / "a.tiff"))], store=emulator.store_url
    )
    await run.wait()
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage._replace(free=1000))
    report = await run_preflight(plan, Sources(places=[tmp_path / "a.tiff"]), client)
    (fault,) = report.faults
    assert fault.kind is FindingKind.DISK
    assert fault.problem.endswith(f"bytes, and {plan.results} has 1,000")


async def test_what_a_person_should_look_at_is_warned_of(
    client: Client, plan: JobPlan, shared: Path, tmp_path: Path
) -> None:
    shutil.copy2(shared / "slides/small.svs", tmp_path / "a.svs")
    make_old(tmp_path / "a.svs")
    (tmp_path / "b.vsi").touch()
    (tmp_path / "in.csv").write_text("path,mpp_x,mpp_y,mpp_source\na.svs,0.25,0.27,given\n")
    report = await run_preflight(plan, Sources(places=[tmp_path]), client)
    (warning,) = report.warnings
    assert str(warning).startswith(f"{tmp_path}/b.vsi: it is left out: its format (.vsi) can't be read")
    report = json.loads(report.to_json())["slides"]
    assert report["left_out"] == {".vsi": 1}
    assert {group["detail"]: group["count"] for group in report["not_taken"]} == {
        "its format (.vsi) can't be read by OpenSlide": 1, "it is text, not a slide": 1
    }  # fmt: skip
    stretched = await run_preflight(plan, Sources(manifest=tmp_path / "in.csv"), client)
    assert [warning.kind for warning in stretched.warnings] == [FindingKind.SLIDE]
    assert "0.25 µm per pixel across and 0.27 down" in stretched.warnings[0].problem


async def test_a_resolution_for_all_never_replaces_that_of_a_file(
    client: Client, plan: JobPlan, tmp_path: Path
) -> None:
    for name, mpp in (("a.tiff", 0.5), ("b.tiff", 0.25), ("none.tiff", None)):
        make_old(write_tiff(tmp_path / name, mpp=mpp))
    kept: dict[str, float] = {}

    async def keep(entry: SlideEntry, probed: ProbedSlide | Finding, faults: Sequence[Finding]) -> None:
        if isinstance(probed, ProbedSlide):
            kept[entry.reference] = round(probed.info.mpp_x, 4)

    report = await run_preflight(plan, Sources(places=[tmp_path], mpp=0.25), client, keep=keep)
    (fault,) = report.faults
    assert (fault.kind, fault.slide) == (FindingKind.RESOLUTION, f"{tmp_path}/a.tiff")
    assert fault.problem == "its file says 0.5 µm per pixel, and 0.25 was given"
    assert "mpp_source" in fault.remedy
    assert kept == {"b.tiff": 0.25, "none.tiff": 0.25}
    manifest = tmp_path / "in.csv"
    manifest.write_text("path,mpp_source\na.tiff,file\nb.tiff,given\nnone.tiff,\n")
    report = await run_preflight(plan, Sources(manifest=manifest, mpp=0.25), client, keep=keep)
    assert report.is_clear, report.faults
    assert kept == {"a.tiff": 0.5, "b.tiff": 0.25, "none.tiff": 0.25}


async def test_nothing_to_do_is_told(client: Client, plan: JobPlan, tmp_path: Path) -> None:
    report = await run_preflight(plan, Sources(places=[tmp_path]), client)
    assert told(report, FindingKind.SOURCE) == [
        "there are no slides; check the folder, and the patterns if there are any"
    ]
    assert (report.runs, report.exit_status) == (0, 6)


async def test_a_version_that_is_not_there_is_raised(client: Client, plan: JobPlan, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await run_preflight(
            evolve(plan, application_version="he-tme:v9.9.9"), Sources(places=[tmp_path]), client
        )
    with pytest.raises(ConfigurationError, match="has no input 'scan'"):
        await run_preflight(evolve(plan, artifact="scan"), Sources(places=[tmp_path]), client)


# Stores


class Twisted:
    """The emulator's store, with one thing about it changed."""

    def __init__(self, store: Store, **changes: Any) -> None:
        self._store = store
        self._changes = changes

    def __getattr__(self, name: str) -> Any:
        return self._changes.get(name) or getattr(self._store, name)

    def __dir__(self) -> list[str]:
        return [*dir(self._store), *self._changes]


async def look(client: Client, plan: JobPlan, shared: Path, store: Any = None) -> PreflightReport:
    return await run_preflight(plan, Sources(places=[shared / "slides/small.svs"]), client, store=store)


@pytest.mark.parametrize("kind", ["s3", "gcs"])
async def test_a_bucket_is_tried(
    client: Client, plan: JobPlan, shared: Path, emulator: Emulator, kind: str
) -> None:
    store = client.store(getattr(emulator, kind)("bucket", "lab"))
    trial = (await look(client, plan, shared, store)).store
    assert trial.steps == ("put", "stat", "sign", "get", "delete")
    assert trial.is_verified
    assert trial.faults == ()


async def test_a_store_that_can_do_the_least(
    client: Client, plan: JobPlan, shared: Path, emulator: Emulator
) -> None:
    signing = client.store(emulator.store_url)

    async def put_url(key: str) -> str:
        return await signing._sign("PUT", key, 60)  # type: ignore[attr-defined, no-any-return]

    async def get_url(key: str) -> str:
        return await signing.presign_get(f"signed:{key}", 60)

    report = await look(client, plan, shared, client.store(Presigned(put_url=put_url, get_url=get_url)))
    assert report.is_clear
    assert report.store.steps == ("put", "stat", "sign", "get")
    assert report.store.left is not None
    assert await signing.stat(report.store.left) is not None
    assert report.store.left.startswith("aignostics-async/trial-")


async def test_a_store_that_does_not_tell_what_is_missing(
    client: Client, plan: JobPlan, shared: Path, emulator: Emulator
) -> None:
    """As S3 without the right to list: what was sent is there, and whether anything else is stays open."""
    emulator.set_faults({"method": "HEAD", "path": "/storage/objects/.*trial.*", "status": 403, "times": 1})
    report = await look(client, plan, shared)
    assert report.is_clear
    assert report.store.steps == ("put", "stat", "sign", "get", "delete")
    assert not report.store.tells_missing
    assert any("whether an object exists" in warning.problem for warning in report.warnings)
    assert json.loads(report.to_json())["store"]["tells_missing"] is False


async def test_a_store_that_refuses_checksum_headers(client: Client, plan: JobPlan, shared: Path) -> None:
    """The trial finds out for whole files and for parts, and says so."""
    refused = {
        "PUT": "x-amz-checksum-crc32c",
        "POST": "x-amz-checksum-algorithm",
        "HEAD": "x-amz-checksum-mode",
    }
    key = AwsKey("name", "secret", "us-east-1")
    with lying_store() as place:
        place.tells = "md5"
        place.troubles = [
            Trouble(method, times=10**6, status=501, header=header) for method, header in refused.items()
        ]
        store = client.store(S3(bucket="bucket", endpoint=place.origin, key=key))
        report = await look(client, plan, shared, store)
    assert report.is_clear
    assert report.store.checksums == "when_required"
    assert report.store.is_verified, "by its ETag"
    told = [warning.problem for warning in report.warnings if warning.kind is FindingKind.STORE]
    assert told == ["the store refuses checksum headers, so uploads are verified by size and ETag"]


@pytest.mark.parametrize(
    ("fault", "told", "steps"),
    [
        ({"method": "PUT", "status": 403}, "the store can't put: ", ()),
        ({"method": "HEAD", "status": 409}, "the store can't stat: ", ()),
        ({"method": "GET", "status": 403}, "the store can't get: ", ("put", "stat", "sign", "delete")),
        (
            {"method": "GET", "status": 200, "body": "other"},
            "the bytes that were read are not those that were sent",
            ("put", "stat", "sign", "delete"),
        ),
        (
            {"method": "HEAD", "status": 200, "headers": {"content-length": "3"}},
            "it has 3 bytes there, not ",
            (),
        ),
    ],
    ids=["put", "stat", "get", "other bytes", "other size"],
)
async def test_each_step_that_fails_is_told(
    client: Client,
    plan: JobPlan,
    shared: Path,
    emulator: Emulator,
    fault: dict[str, Any],
    told: str,
    steps: tuple[str, ...],
) -> None:
    emulator.set_faults({"path": "/storage/objects/.*trial.*", **fault})
    report = await look(client, plan, shared)
    (found,) = report.faults
    assert found.kind is FindingKind.STORE
    assert told in found.problem
    assert report.store.steps == steps
    assert report.ready == 1, "the slides were looked at all the same"


async def test_a_trial_that_can_t_be_deleted_is_told(
    client: Client, plan: JobPlan, shared: Path, emulator: Emulator
) -> None:
    emulator.set_faults({"method": "DELETE", "path": "/storage/objects/.*", "status": 403})
    report = await look(client, plan, shared)
    assert report.is_clear
    assert report.store.left is not None


async def test_a_store_that_can_t_be_opened_is_told(client: Client, plan: JobPlan, shared: Path) -> None:
    report = await look(client, evolve(plan, store="ftp://host/path"), shared)
    (fault,) = report.faults
    assert "the store can't be opened: 'ftp://host/path' is no address of a store" in fault.problem


@pytest.mark.parametrize(("days", "is_clear"), [(5, False), (7, True)])
async def test_credentials_that_end_before_their_urls(
    client: Client, plan: JobPlan, shared: Path, emulator: Emulator, days: int, is_clear: bool
) -> None:
    end = datetime.now(UTC) + timedelta(days=days)

    async def credentials_expire_at() -> datetime:
        return end

    store = Twisted(client.store(emulator.store_url), credentials_expire_at=credentials_expire_at)
    report = await look(client, plan, shared, store)
    assert report.is_clear is is_clear
    assert report.store.credentials_end == end
    if not is_clear:
        assert told(report, FindingKind.STORE)[0].startswith(
            f"the store's credentials end at {end:%Y-%m-%d %H:%M} UTC"
        )


async def test_an_end_of_credentials_without_a_time_zone_is_told(
    client: Client, plan: JobPlan, shared: Path, emulator: Emulator
) -> None:
    async def credentials_expire_at() -> datetime:
        return datetime(2100, 1, 1)  # noqa: DTZ001

    store = Twisted(client.store(emulator.store_url), credentials_expire_at=credentials_expire_at)
    report = await look(client, plan, shared, store)
    assert "must be an aware time" in told(report, FindingKind.STORE)[0]


# The command


def cli(emulator: Emulator, *arguments: str | Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "aignostics_async.cli",
        "bulk",
        "plan",
        VERSION,
        *map(str, arguments),
        "--store",
        emulator.store_url,
    ]


def run(emulator: Emulator, *arguments: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
    return run_here(cli(emulator, *arguments)[3:], {**os.environ, **emulator.environment}, given)


def test_the_command_tells_the_same(emulator: Emulator, shared: Path, tmp_path: Path) -> None:
    done = run(emulator, shared / "slides", "--json")
    assert (done.returncode, done.stderr) == (6, "")
    report = json.loads(done.stdout)
    assert (report["slides"]["found"], report["billing"]["items"]) == (4, 3)
    shown = run(emulator, shared / "slides")
    assert shown.returncode == 6
    for words in (
        "4 found, 3 ready, 1.46 MB", "3 items in 1 run", "put, stat, sign, get, delete worked",
        "1 fault, 1 slide with one", "resolution  its resolution reads as 352.8", "/slides/boxes.tiff",
    ):  # fmt: skip
        assert words in shown.stdout, shown.stdout
    clear = run(emulator, shared / "slides/small.svs", "--chunk-size", "1", "--max-items", "5")
    assert clear.returncode == 0, clear.stdout
    assert "1 item of 5 allowed in 1 run" in clear.stdout
    assert "nothing is known that would fail" in clear.stdout


def test_rules_count_in_the_order_in_which_they_are_given(emulator: Emulator, shared: Path) -> None:
    rules = ("--exclude", "*.tiff", "--include", "tissue*", "--exclude", "*.svs")
    report = json.loads(run(emulator, shared / "slides", *rules, "--json").stdout)
    assert report["slides"]["ready"] == 2
    turned = ("--include", "tissue*", "--exclude", "*.tiff")
    report = json.loads(run(emulator, shared / "slides", *turned, "--json").stdout)
    assert report["slides"]["found"] == 0


def test_a_list_from_standard_input_and_values_for_all(emulator: Emulator, shared: Path) -> None:
    done = run(
        emulator, "--files-from", "-", "--mpp", "0.25", "--metadata", "staining_method=H&E", "--json",
        given=f"{shared}/slides/boxes.tiff\nnone.svs\n",
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert (report["slides"]["ready"], done.returncode) == (1, 6)
    assert report["faults"][0]["slides"] == ["standard input, line 2"]


def test_a_wrong_use_is_told(emulator: Emulator, shared: Path) -> None:
    for arguments, words in (
        ((), "there are no slides; give folders"),
        ((shared / "slides", "--include", ".."), "is no pattern of files"),
        ((shared / "slides", "--chunk-size", "501"), "--chunk-size is a whole number, from 1 to 500"),
        ((shared / "slides", "--metadata", "x"), "--metadata takes KEY=VALUE"),
    ):
        done = run(emulator, *arguments)
        assert done.returncode == 2, done.stderr
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def test_hostile_names_are_shown_as_they_are(emulator: Emulator, shared: Path, tmp_path: Path) -> None:
    for name in ("[bold red]x[blue].tiff", "[link=x]y.tiff"):
        shutil.copy(shared / "slides/boxes.tiff", tmp_path / name)
    shown = run(emulator, tmp_path)
    assert "[bold red]x[blue].tiff" in shown.stdout
    assert "[link=x]y.tiff" in shown.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are a Unix thing here")
def test_a_terminal_sees_how_far_it_is(emulator: Emulator, shared: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        cli(emulator, shared / "slides"), env={**os.environ, **emulator.environment, "TERM": "xterm"},
        stdout=subprocess.PIPE, stderr=theirs, text=True,
    )  # fmt: skip
    os.close(theirs)
    shown = bytearray()

    def read() -> None:  # a terminal that nobody reads would stop the command when it is full
        with suppress(OSError):
            while part := os.read(ours, 10_000):
                shown.extend(part)

    reader = threading.Thread(target=read)
    reader.start()
    output, _ = process.communicate(timeout=100)
    reader.join(timeout=100)
    os.close(ours)
    seen = shown.decode()
    assert "reading slides" in seen
    assert "4 found, 3 ready" in output
