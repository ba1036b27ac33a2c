"""What `runs.submit` and the command `submit` make of slides: refused, warned of, sent as they were read."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from slide_files import CRASHING_READER, make_old, picture, write_dicom, write_hanging, write_tiff
from support import count

from aignostics_async import Client, Fault, InvalidSubmission, Item, LocalFileChanged, Slide, TransferEvent
from aignostics_async.bulk import inspect_slides
from aignostics_async.emulator.process import Emulator
from aignostics_async.slides.workers import _prober

VERSION = "he-tme:v1.1.0"
only_linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are told by /proc")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("platform")) as emulator:
        yield emulator


async def faults(
    client: Client, emulator: Emulator, *items: Item, version: str = VERSION, **options: str
) -> list[str]:
    """Return why items are not submitted; nothing was sent."""
    before = count(emulator, operation="create_run"), len(emulator.requests())
    with pytest.raises(InvalidSubmission) as caught:
        await client.runs.submit(version, items, store=emulator.store_url, **options)  # type: ignore[arg-type]
    assert count(emulator, operation="create_run") == before[0]
    assert not any(asked["method"] == "PUT" for asked in emulator.requests()[before[1] :])
    return [str(fault) for fault in caught.value.faults]


async def test_files_of_one_series_are_not_items_of_their_own(emulator: Emulator, tmp_path: Path) -> None:
    paths = write_dicom(tmp_path, levels=3)
    items = [Item(path.name, slide=Slide(path)) for path in paths]
    async with emulator.client() as client:
        told = await faults(client, emulator, *items)
    assert [fault.partition(",")[0] for fault in told] == ["item '1.dcm'", "item '2.dcm'"]
    assert "of the same DICOM series as item '0.dcm', and would be billed twice" in told[0]


async def test_a_zip_goes_only_where_zips_are_taken(emulator: Emulator, tmp_path: Path) -> None:
    path, *_ = write_dicom(tmp_path)
    async with emulator.client() as client:
        (told,) = await faults(client, emulator, Item("a", slide=Slide(path)), version="he-tme:v1.0.0")
        assert "it is 2 files, and the version asks for image/tiff" in told
        await client.runs.submit(
            "he-tme:v1.0.0", [Item("a", slide=Slide(path))], store=emulator.store_url, pack=True
        )


async def test_what_may_identify_a_person_is_warned_of_or_refused(
    emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_tiff(tmp_path / "a.tiff", extra=[(picture(300, 200), "label")])
    make_old(path)
    item = Item("a", slide=Slide(path))
    warnings: list[Fault] = []
    async with emulator.client() as client:
        (told,) = await faults(client, emulator, item, identifying="refuse")
        assert "it holds a picture of its label; if it must not leave your institution" in told
        await client.runs.submit(VERSION, [item], store=emulator.store_url, warn=warnings.append)
        with caplog.at_level(logging.WARNING, "aignostics_async"):
            await client.runs.submit(VERSION, [item], store=emulator.store_url)
            await client.runs.submit(
                VERSION, [item], store=emulator.store_url, identifying={"label": "allow"}
            )
    assert [(warning.reference, warning.problem.partition(";")[0]) for warning in warnings] == [
        ("a", "it holds a picture of its label")
    ]
    assert caplog.text.count("it holds a picture of its label") == 1, "by default it is logged"


async def test_a_file_that_changes_before_the_run_is_created_costs_nothing(
    emulator: Emulator, tmp_path: Path
) -> None:
    path = write_tiff(tmp_path / "a.tiff")

    def grow(event: TransferEvent) -> None:
        if event.kind == "finished":
            with path.open("ab") as file:
                file.write(b"more")

    before = count(emulator, operation="create_run")
    async with emulator.client() as client:
        with pytest.raises(LocalFileChanged, match="it changed after it was read, so nothing was created"):
            await client.runs.submit(
                VERSION, [Item("a", slide=Slide(path))], store=emulator.store_url, progress=grow
            )
    assert count(emulator, operation="create_run") == before


def readers() -> list[int]:
    """Return the processes of this one that read slides."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return [
        int(pid) for pid in children if b"slides.workers._worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


@only_linux
async def test_a_slide_that_crashes_its_reader_is_a_fault_and_the_caller_goes_on(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_prober, "_PROGRAM", CRASHING_READER)
    good, poison = (write_tiff(tmp_path / name) for name in ("good.tiff", "poison.tiff"))
    items = [Item(path.name, slide=Slide(path)) for path in (good, poison)]
    async with emulator.client() as client:
        (told,) = await faults(client, emulator, *items)
        assert readers() == []
        assert told == (
            f"item 'poison.tiff', artifact 'input_slide': {poison}: the process that read it was ended by "
            "SIGABRT; it may be damaged; leave it out, or replace it"
        )
        await client.runs.submit(VERSION, items[:1], store=emulator.store_url)
    (finding,) = (await inspect_slides(poison)).slides[0].faults
    assert told.endswith(str(finding)), "the words of bulk"


@only_linux
async def test_a_cancelled_submission_leaves_no_reader(
    emulator: Emulator, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slide, modules = write_hanging(shared / "slides/small.svs", tmp_path)
    monkeypatch.syspath_prepend(modules)

    def wait_for_reader() -> None:
        os.close(os.open(slide.with_name("pipe_a"), os.O_WRONLY))

    async with emulator.client() as client:
        submission = client.runs.submit(VERSION, [Item("a", slide=Slide(slide))], store=emulator.store_url)
        task = asyncio.create_task(submission)
        await asyncio.to_thread(wait_for_reader)
        assert len(readers()) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert readers() == []


def submit(emulator: Emulator, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "aignostics_async.cli", "submit", VERSION, *map(str, arguments)]
    return subprocess.run(
        [*command, "--store", emulator.store_url], env={**os.environ, **emulator.environment},
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip


def test_the_files_that_a_shell_names_are_one_slide(emulator: Emulator, tmp_path: Path) -> None:
    paths = write_dicom(tmp_path, levels=3)
    before = count(emulator, operation="create_run")
    done = submit(emulator, *paths)
    assert done.returncode == 0, done.stderr
    assert count(emulator, operation="create_run") == before + 1
    run_id = done.stdout.strip()
    found = subprocess.run(
        [sys.executable, "-m", "aignostics_async.cli", "runs", "find", "0.dcm", "--json"],
        env={**os.environ, **emulator.environment}, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert run_id in found.stdout, found.stdout + found.stderr


def test_a_resolution_for_a_folder_never_replaces_that_of_a_file(emulator: Emulator, tmp_path: Path) -> None:
    for name, mpp in (("a.tiff", 0.5), ("b.tiff", 0.25), ("none.tiff", None)):
        make_old(write_tiff(tmp_path / name, mpp=mpp))
    before = count(emulator, operation="create_run")
    done = submit(emulator, tmp_path, "--mpp", "0.25")
    assert done.returncode != 0
    assert "a.tiff: its file says 0.5 µm per pixel, and 0.25 was given" in done.stderr
    assert "b.tiff" not in done.stderr
    assert count(emulator, operation="create_run") == before
    (tmp_path / "a.tiff").unlink()
    assert submit(emulator, tmp_path, "--mpp", "0.25").returncode == 0


@pytest.mark.slow
def test_what_is_left_out_and_what_is_exposed_is_said(emulator: Emulator, tmp_path: Path) -> None:
    make_old(write_tiff(tmp_path / "a.tiff", extra=[(picture(300, 200), "label")]))
    (tmp_path / "b.vsi").touch()
    (tmp_path / "README.md").write_text("notes")
    done = submit(emulator, tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"left out: {tmp_path}/b.vsi (format: its format (.vsi) can't be read by OpenSlide)" in done.stderr
    assert "warning: item 'a.tiff', artifact 'input_slide': it holds a picture of its label" in done.stderr
    assert "README" not in done.stderr
    refused = submit(emulator, tmp_path, "--identifying", "label=refuse")
    assert refused.returncode != 0
    assert "it holds a picture of its label" in refused.stderr
    allowed = submit(emulator, tmp_path, "--identifying", "allow").stderr
    assert "picture of its label" not in allowed
    run_id = done.stdout.strip()
    assert f"the same slide was analysed with this version already, in run {run_id}" in allowed
