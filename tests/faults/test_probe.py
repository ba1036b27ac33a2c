"""Slides that crash or hang their reader: quarantined alone, whatever else was in the same process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from slide_files import CRASHING_READER, write_dicom, write_hanging, write_tiff

from aignostics_async import (
    ConfigurationError,
    MissingExtra,
    NotASlide,
    ResolutionConflict,
    ResolutionUnknown,
    Slide,
    SlideError,
    UsageError,
    read_slide,
    read_slides,
)
from aignostics_async.slides._fingerprints import measure
from aignostics_async.slides.formats._dicom import read_header
from aignostics_async.slides.workers import _prober
from aignostics_async.slides.workers._probed_slide import ProbedSlide
from aignostics_async.slides.workers._prober import Prober

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform == "win32", reason="pipes in folders are a Unix thing"),
]


@pytest.fixture
async def prober() -> AsyncIterator[Prober]:
    """Give a prober of one process, so that all slides are in the same one."""
    async with Prober(workers=1, timeout=30) as prober:
        yield prober


@pytest.fixture
def hanging(shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a slide whose reader waits for ever at the pipes beside it."""
    slide, modules = write_hanging(shared / "slides/small.svs", tmp_path)
    monkeypatch.syspath_prepend(modules)
    return slide


def pass_pipe(slide: Path, number: int) -> None:
    """Wait until a reader is at the first or the second pipe beside a slide, and let it pass."""
    os.close(os.open(slide.with_name(("pipe_a", "pipe_b")[number]), os.O_WRONLY))


def process_of(prober: Prober) -> int:
    """Return the one process of a prober that is idle."""
    (worker,) = prober._idle
    return worker._process.pid


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def failure(prober: Prober, slide: Slide) -> SlideError:
    """Return why a slide can't be read."""
    with pytest.raises(SlideError) as caught:
        await prober.probe(slide)
    return caught.value


async def test_a_slide_is_told_as_it_is(prober: Prober, shared: Path) -> None:
    path = shared / "slides/tissue_ihc.tiff"
    probed = await prober.probe(Slide(path))
    assert isinstance(probed, ProbedSlide)
    assert probed.info == await read_slide(Slide(path))
    assert (probed.size, probed.fingerprint) == measure([path])
    assert probed.size == path.stat().st_size
    assert probed.info.identifying == ()
    assert ProbedSlide.from_dict(probed.as_dict()) == probed


async def test_a_resolution_by_hand_wins(prober: Prober, shared: Path) -> None:
    path = str(shared / "slides/boxes.tiff")
    told = await failure(prober, Slide(path))
    assert (type(told), told.path) == (ResolutionUnknown, path)
    assert "in the column mpp of a manifest, or with --mpp" in told.remedy
    probed = await prober.probe(Slide(path, mpp=(0.25, 0.3)))
    assert isinstance(probed, ProbedSlide)
    assert (probed.info.mpp_x, probed.info.mpp_y) == (0.25, 0.3)
    assert [each.problem for each in probed.info.remarks] == [
        "its resolution is 0.25 µm per pixel across and 0.3 down"
    ]


async def test_all_that_is_said_of_a_slide_gets_to_its_reader(prober: Prober, tmp_path: Path) -> None:
    files = write_dicom(tmp_path, flavours=["LABEL"], PatientName="Doe^Jane", mpp=0.5)
    slide = Slide(files[1], files=files, mpp=0.25, mpp_source="given", include_label=True)
    probed = await prober.probe(slide)
    assert isinstance(probed, ProbedSlide)
    assert probed.info.files == tuple(files)
    assert (probed.info.mpp_x, probed.info.mpp_y) == (0.25, 0.25)
    assert probed.info.identifying == ("label", "patient")
    assert probed.info.remarks
    assert ProbedSlide.from_dict(json.loads(json.dumps(probed.as_dict()))) == probed
    header = await prober.header(str(files[0]))
    assert header == read_header(files[0])


def test_a_slide_that_an_older_release_has_read_is_read_again_from_its_job() -> None:
    info = {"width": 1, "height": 2, "mpp_x": 0.5, "mpp_y": 0.5, "mime_type": "application/zip"}
    old = {**info, "files": ["a", "b"], "associated_images": ["label"], "exposes": ["label", "patient"]}
    probed = ProbedSlide.from_dict({**old, "size": 3, "fingerprint": "f"})
    assert probed.info.is_packed
    assert probed.info.identifying == ("label", "patient")


async def test_what_is_no_slide_is_told(prober: Prober, shared: Path, tmp_path: Path) -> None:
    (tmp_path / "text.svs").write_text("no slide")
    (tmp_path / "text.dcm").write_text("no slide")
    good = str(shared / "slides/small.svs")
    for name, kind, problem in (
        ("text.svs", NotASlide, "it is text, not a slide"),
        ("text.dcm", NotASlide, "it is text, not a slide"),
        ("none.svs", SlideError, "there is no such file"),
        ("x" * 300 + ".svs", SlideError, "it can't be read (File name too long)"),
    ):
        told = await failure(prober, Slide(tmp_path / name))
        assert type(told) is kind
        assert told.problem.startswith(problem), told
        assert isinstance(await prober.probe(Slide(good)), ProbedSlide)
    with pytest.raises(SlideError):
        await prober.header(str(tmp_path / "text.dcm"))


async def test_an_error_comes_back_as_it_was_raised(prober: Prober, tmp_path: Path) -> None:
    slide = Slide(write_tiff(tmp_path / "a.tiff", mpp=0.5), mpp=(0.25, 0.3))
    with pytest.raises(ResolutionConflict) as here:
        await read_slide(slide)
    there = await failure(prober, slide)
    assert isinstance(there, ResolutionConflict)
    assert (there.args, there.__dict__) == (here.value.args, here.value.__dict__)


async def test_a_slide_that_hangs_is_given_up_and_the_others_go_on(shared: Path, hanging: Path) -> None:
    good = str(shared / "slides/small.svs")
    async with Prober(workers=1, timeout=4) as prober:
        assert isinstance(await prober.probe(Slide(good)), ProbedSlide)
        pid = process_of(prober)
        told = await failure(prober, Slide(hanging))
        assert told.problem == "reading it took longer than 4 s and was given up"
        assert told.path == str(hanging)
        assert not is_running(pid)
        assert isinstance(await prober.probe(Slide(good)), ProbedSlide)
        last = process_of(prober)
    assert not is_running(last)


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT])
async def test_a_slide_that_crashes_its_reader_is_alone(
    prober: Prober, shared: Path, hanging: Path, number: signal.Signals
) -> None:
    good = str(shared / "slides/small.svs")
    outcomes: dict[str, ProbedSlide | SlideError] = {}

    async def probe(path: str) -> None:
        try:
            outcomes[path] = await prober.probe(Slide(path))
        except SlideError as error:
            outcomes[path] = error

    assert isinstance(await prober.probe(Slide(good)), ProbedSlide)
    pid = process_of(prober)
    async with anyio.create_task_group() as group:
        group.start_soon(probe, str(hanging))
        await anyio.to_thread.run_sync(pass_pipe, hanging, 0)
        group.start_soon(probe, good)
        os.kill(pid, number)
    lost = outcomes[str(hanging)]
    assert isinstance(lost, SlideError)
    assert lost.problem == f"the process that read it was ended by {number.name}"
    assert isinstance(outcomes[good], ProbedSlide)


async def test_reading_slides_starts_processes_that_may_crash(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A damaged file ends the process that reads it, and never the user's own."""
    monkeypatch.setattr(_prober, "_PROGRAM", CRASHING_READER)
    (tmp_path / "text.svs").write_text("no slide")
    good, poison = (write_tiff(tmp_path / name, side=512) for name in ("good.tiff", "poison.tiff"))
    outcomes = await read_slides(Slide(path) for path in (poison, good, tmp_path / "text.svs"))
    assert [getattr(each, "problem", "") for each in outcomes] == [
        "the process that read it was ended by SIGABRT", "", "it is text, not a slide"
    ]  # fmt: skip
    with pytest.raises(SlideError, match="was ended by SIGABRT"):
        await read_slide(Slide(poison))
    assert (await read_slide(Slide(good))).width == 512
    assert await read_slides([]) == []


@pytest.mark.parametrize("wrong", [Slide("a.svs"), "a.svs", ["a.svs"], 3])
async def test_reading_what_is_no_slide_of_ours_is_a_usage_error(wrong: object) -> None:
    with pytest.raises(UsageError, match=r"takes (several of Slide|Slide\(\.\.\.\))"):
        await read_slides(wrong)  # type: ignore[arg-type]


async def test_a_process_is_killed_once(
    prober: Prober, shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second signal would collect its status, and asyncio warns that it can't."""
    await prober.probe(Slide(shared / "slides/small.svs"))
    (worker,) = prober._idle
    kill, kills = worker._process.kill, list[int]()

    def counted() -> None:
        kills.append(worker._process.pid)
        kill()

    monkeypatch.setattr(worker._process, "kill", counted)
    worker.kill()
    await worker.end()
    prober._idle.clear()
    assert len(kills) == 1


async def test_a_process_that_dies_between_two_slides_is_nobody_s_fault(prober: Prober, shared: Path) -> None:
    good = str(shared / "slides/small.svs")
    assert isinstance(await prober.probe(Slide(good)), ProbedSlide)
    first = process_of(prober)
    os.kill(first, signal.SIGKILL)
    await prober._idle[0]._process.wait()
    assert isinstance(await prober.probe(Slide(good)), ProbedSlide)
    assert process_of(prober) != first


async def test_cancelling_ends_the_reader_at_once(prober: Prober, shared: Path, hanging: Path) -> None:
    good = str(shared / "slides/small.svs")
    assert isinstance(await prober.probe(Slide(good)), ProbedSlide)
    pid = process_of(prober)
    async with anyio.create_task_group() as group:
        group.start_soon(prober.probe, Slide(hanging))
        await anyio.to_thread.run_sync(pass_pipe, hanging, 0)
        group.cancel_scope.cancel()
    assert not is_running(pid)
    assert isinstance(await prober.probe(Slide(good)), ProbedSlide)


async def test_an_end_that_is_cancelled_ends_every_reader(shared: Path) -> None:
    ending = asyncio.Event()
    workers: list[_prober._Worker] = []

    async def read_two() -> None:
        async with Prober(workers=2) as prober:
            async with anyio.create_task_group() as group:
                for _ in range(2):
                    group.start_soon(prober.probe, Slide(shared / "slides/small.svs"))
            workers.extend(prober._idle)
            ending.set()

    task = asyncio.create_task(read_two())
    await ending.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(workers) == 2
    with anyio.fail_after(60):
        assert [await worker._process.wait() for worker in workers] == [-signal.SIGKILL] * 2


async def test_a_slide_that_changes_while_it_is_read_is_told(prober: Prober, hanging: Path) -> None:
    def change_and_go_on() -> None:
        pass_pipe(hanging, 0)
        os.utime(hanging)
        pass_pipe(hanging, 1)

    async with anyio.create_task_group() as group:
        group.start_soon(anyio.to_thread.run_sync, change_and_go_on)
        told = await failure(prober, Slide(hanging))
    assert told.problem == "it changed while it was read"


async def test_losses_in_a_row_stop_the_job(
    monkeypatch: pytest.MonkeyPatch, shared: Path, hanging: Path
) -> None:
    monkeypatch.setattr(_prober, "_MOST_LOSSES", 2)
    async with Prober(workers=1, timeout=2) as prober:
        await failure(prober, Slide(hanging))
        await prober.probe(Slide(shared / "slides/small.svs"))
        await failure(prober, Slide(hanging))
        with pytest.raises(ConfigurationError, match="2 slides in a row ended the process that read them"):
            await prober.probe(Slide(hanging))


async def test_signals_to_the_whole_job_do_not_end_a_reader(prober: Prober, shared: Path) -> None:
    good = str(shared / "slides/small.svs")
    assert isinstance(await prober.probe(Slide(good)), ProbedSlide)
    pid = process_of(prober)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid, number)
        assert isinstance(await prober.probe(Slide(good)), ProbedSlide)
    assert process_of(prober) == pid


async def test_a_reader_gets_no_secrets(monkeypatch: pytest.MonkeyPatch, shared: Path) -> None:
    monkeypatch.setenv("AIGNOSTICS_ACCESS_TOKEN", "kept-here")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "kept-here")
    monkeypatch.setenv("LANG", "C.UTF-8")
    async with Prober(workers=1) as prober:
        await prober.probe(Slide(shared / "slides/small.svs"))
        environment = Path(f"/proc/{process_of(prober)}/environ").read_text(encoding="utf-8")
    assert "LANG=C.UTF-8" in environment
    assert "kept-here" not in environment


async def test_a_reader_never_reads_the_modules_of_the_current_folder(
    monkeypatch: pytest.MonkeyPatch, shared: Path, tmp_path: Path
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('not this one')")
    monkeypatch.chdir(tmp_path)
    async with Prober(workers=1) as prober:
        assert isinstance(await prober.probe(Slide(shared / "slides/small.svs")), ProbedSlide)


def test_a_reader_whose_owner_is_gone_does_not_hang_for_ever(hanging: Path) -> None:
    command = [sys.executable, "-P", "-c", _prober._PROGRAM, "0.5"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_prober._environment()
    )
    told, _ = process.communicate(f'["slide", "{hanging}", null]\n', timeout=60)
    assert told == '["ready"]\n'
    assert process.returncode == 1


async def test_a_reader_that_can_t_be_started_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'no such machine' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    async with Prober(workers=1) as prober:
        with pytest.raises(ConfigurationError, match="can't be started: no such machine"):
            await prober.probe(Slide("a.svs"))


async def test_a_program_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the system says of it is an error of this package, and not a bare OSError."""
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    async with Prober(workers=1) as prober:
        with pytest.raises(ConfigurationError, match=r"can't be started \(No such file or directory\)"):
            await prober.probe(Slide(tmp_path / "a.svs"))


async def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, shared: Path, tmp_path: Path
) -> None:
    for name in ("openslide", "pydicom"):
        (tmp_path / f"{name}.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(tmp_path)
    async with Prober(workers=1) as prober:
        with pytest.raises(MissingExtra, match="needs the slides extra"):
            await prober.probe(Slide(shared / "slides/small.svs"))
        with pytest.raises(MissingExtra, match="needs the slides extra"):
            await prober.header(str(shared / "slides/boxes_0.dcm"))
