"""A job from its slides to its results, whatever interrupts it: judged by the platform's own books."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import stat
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import define, evolve
from line_1_8 import Asker
from running_jobs import (
    PATIENT,
    RATE,
    RUNS,
    SETTINGS,
    VERSION,
    JobHarness,
    all_bytes,
    on_first,
    without_results,
)
from slide_files import CRASHING_READER
from support import NOT_THERE, signed_in

from aignostics_async import (
    APIStatusError,
    Client,
    Item,
    JobBusy,
    JobError,
    JobRefused,
    JobStateError,
    JobStopped,
    LoginRequired,
    UsageError,
)
from aignostics_async.bulk import (
    BulkJob,
    EventType,
    JobEvent,
    JobStatus,
    Sources,
    create_job,
    run_preflight,
    write_results_table,
)
from aignostics_async.bulk.database._job_folder import HighWaterMark, HighWaterMarkFile, JobFolder
from aignostics_async.bulk.reconciliation._platform import PlatformClient
from aignostics_async.bulk.reconciliation._protocol import AttemptResult
from aignostics_async.bulk.report._next_steps import next_steps
from aignostics_async.emulator.identity._oauth import TOKEN_PATH
from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide
from aignostics_async.storage import Store, Stored
from aignostics_async.submission._marks import RunMark

pytestmark = pytest.mark.both_contracts


@pytest.fixture
def fast_emulator(emulator: Emulator) -> Emulator:
    """Give an emulator where minutes are half a second, by its Date too."""
    emulator.reset(clock_rate=RATE, url_lifetime=10**6)
    return emulator


@pytest.fixture
async def harness(
    fast_emulator: Emulator, tiny_slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[JobHarness]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    async with fast_emulator.client(SETTINGS) as client:
        yield JobHarness(emulator=fast_emulator, client=client, folder=tmp_path, slide=tiny_slide)


def drain(job: BulkJob) -> None:
    job.drain()


_A_RUN = "00000000-0000-4000-8000-000000000000"
DECISIONS: list[Callable[[BulkJob, Client], Awaitable[None]]] = [
    lambda job, client: job.resolve_duplicate(_A_RUN, client=client),
    lambda job, client: job.resolve(1, run_id=_A_RUN, client=client),
    lambda job, client: job.resolve(1, run_id=None, client=client),
]


# From end to end


async def test_others_read_nothing_of_a_job_in_a_shared_folder(harness: JobHarness) -> None:
    os.umask(0o022)
    harness.job.mkdir()
    theirs = harness.job / "slide.svs"
    theirs.touch()
    plan = harness.plan()
    await create_job(harness.job, plan, Sources(places=list(map(str, harness.copy("a")))), harness.client)
    async with BulkJob.open(harness.job) as job:
        assert (await job.run(harness.client)).status is JobStatus.DONE
    assert any((harness.job / "results").rglob("*.*"))
    modes = {path.name: path.stat().st_mode for path in harness.job.iterdir() if path != theirs}
    assert not [name for name, mode in modes.items() if mode & 0o077]
    assert stat.S_IMODE(harness.job.stat().st_mode) == 0o755


async def test_what_is_in_the_way_of_results_is_told_before_anything_is_billed(harness: JobHarness) -> None:
    await harness.make("a")
    (harness.job / "results").write_bytes(b"")
    with pytest.raises(JobError, match=r"results can't be written"):
        await harness.run()
    assert (harness.posts(), harness.puts()) == (0, {})


async def test_slides_become_results_and_nothing_is_done_twice(harness: JobHarness) -> None:
    names = ("a", "b", "c", "d", "e")
    places = list(map(str, harness.copy(*names)))
    plan = harness.plan(chunk_size=2)
    report = await create_job(
        harness.job, plan, Sources(places=places, reference_from="stem"), harness.client
    )
    assert report.is_clear
    harness.emulator.set_faults()

    summary = await harness.run()

    assert summary.status is JobStatus.DONE
    assert harness.puts() == dict.fromkeys(map(harness.reference, names), 1)
    assert harness.posts() == 3
    harness.assert_each_has_one_run(*names)
    await harness.assert_outputs_are_the_platform_s(*names)

    harness.emulator.set_faults()
    assert (await harness.run()).status is JobStatus.DONE
    assert (harness.posts(), harness.puts()) == (0, {}), "there is nothing left to do"
    assert not [asked for asked in harness.emulator.requests() if asked["path"].startswith("/storage")]
    async with harness.opened() as job:
        mark = HighWaterMarkFile(job.id).read()
    assert mark == HighWaterMark(generation=2, attempts=3), "each process is counted, whatever it sends"


async def test_a_job_s_folder_is_its_owner_s_and_holds_no_secret(harness: JobHarness) -> None:
    os.umask(0o022)
    # Some things go wrong, so that errors are told too.
    await harness.make("a", "b")
    harness.emulator.set_faults(
        {"method": "PUT", "path": "/storage/objects/.*", "times": 1, "status": 503},
        {"operation": "create_run", "times": 1, "drop": "after"},
        {"method": "GET", "path": "/storage/objects/results/.*", "times": 2, "status": 403},
    )
    assert (await harness.run()).status is JobStatus.DONE

    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [harness.job, *harness.job.rglob("*")]}
    own = {path: mode for path, mode in modes.items() if harness.job / "results" not in [path, *path.parents]}
    assert {mode for path, mode in own.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in own.items() if path.is_file()} == {0o600}
    assert {path.name for path in own} >= {"job", "job.sqlite3", "events.jsonl", "lock"}
    secrets = [b"X-Amz-Signature", b"sig=", b"token=", b"signature=", b"Bearer", b"emulator-"]
    secrets += [harness.emulator.access_token.encode(), harness.emulator.refresh_token.encode()]
    looked = [*all_bytes(harness.job), *all_bytes(harness.folder / "state")]
    assert len(looked) > 6
    found = [(path, secret) for path, content in looked for secret in secrets if secret in content]
    assert not found


# Interruptions


@pytest.mark.sampled(test=6)
@pytest.mark.parametrize("what", [EventType.UPLOADED, EventType.RUN_CREATED, EventType.ITEM_DONE])
@pytest.mark.parametrize("how", ["drained", "cancelled"])
async def test_an_interrupted_job_goes_on(harness: JobHarness, what: EventType, how: str) -> None:
    names = ("a", "b", "c", "d")
    await harness.make(*names, chunk_size=2)
    if how == "drained":
        summary = await harness.run(on_first(what, drain))
        assert summary.job.finished_at is None
    else:
        with anyio.CancelScope() as scope:
            await harness.run(on_first(what, lambda _job: scope.cancel()))
        assert scope.cancelled_caught
        assert harness.told(EventType.STOPPED)

    assert (await harness.run()).status is JobStatus.DONE
    if how == "drained":
        assert set(harness.puts().values()) == {1}, "what was begun came to its end"
    assert set(harness.puts()) == set(map(harness.reference, names))
    assert harness.posts() == 2
    harness.assert_each_has_one_run(*names)
    await harness.assert_outputs_are_the_platform_s(*names)


async def test_a_slide_that_is_in_the_store_is_not_sent_again(harness: JobHarness) -> None:
    """The process died after its last byte, and before that was written down."""
    await harness.make("a", "b", chunk_size=2)
    await harness.run(on_first(EventType.UPLOADED, drain))
    sent = harness.puts()
    harness.write("UPDATE items SET state = 'SENDING', uri = NULL, crc32c = NULL WHERE state = 'STORED'")
    assert "SENDING" in harness.states().values()
    assert (await harness.run()).status is JobStatus.DONE
    assert {reference: harness.puts()[reference] for reference in sent} == dict.fromkeys(sent, 1)


async def test_a_job_that_is_cancelled_while_it_waits_for_an_answer(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    await harness.make("a", "b", chunk_size=2)
    create, is_created = PlatformClient.create, asyncio.Event()

    async def never_told(self: PlatformClient, items: Sequence[Item], mark: RunMark | None) -> AttemptResult:
        await create(self, items, mark)
        is_created.set()
        await anyio.sleep_forever()
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr(PlatformClient, "create", never_told)
        running = asyncio.create_task(harness.run())
        await asyncio.wait_for(is_created.wait(), 20)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert harness.rows("SELECT state FROM intents") == [("SENDING",)]

    assert (await harness.run()).status is JobStatus.DONE
    assert harness.posts() == 1, "its run is there, and is found"
    harness.assert_each_has_one_run("a", "b")


async def test_another_process_pauses_the_job(harness: JobHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    from aignostics_async.bulk import _request_monitor

    monkeypatch.setattr(_request_monitor, "_INTERVAL", 0.01)
    await harness.make("a", "b", chunk_size=1)
    harness.emulator.set_clock(rate=0)  # no run gets anywhere
    summary = await harness.run(on_first(EventType.RUN_CREATED, lambda _: (harness.job / "pause").touch()))
    assert summary.job.is_paused
    assert summary.status is JobStatus.UNFINISHED
    harness.emulator.set_clock(rate=RATE)
    summary = await harness.run()
    assert (summary.status, summary.job.is_paused) == (JobStatus.DONE, False)
    assert not (harness.job / "pause").exists()
    harness.assert_each_has_one_run("a", "b")


async def test_two_of_a_job_at_once(harness: JobHarness) -> None:
    await harness.make("a")
    async with harness.opened() as first:
        with pytest.raises(JobBusy, match=f"process {os.getpid()} "):
            async with harness.opened():
                pass
        running = asyncio.create_task(first.run(harness.client))
        await asyncio.sleep(0)
        with pytest.raises(UsageError, match="is running on this job"):
            await first.run(harness.client)
        with pytest.raises(UsageError, match="is running on this job"):
            await first.cancel(harness.client)
        assert (await running).status is JobStatus.DONE
    with pytest.raises(JobRefused, match="there is a job in"):
        await create_job(harness.job, harness.plan(), Sources(places=[str(harness.folder)]), harness.client)
    with pytest.raises(JobError, match="there is no job in"):
        await BulkJob.open(harness.folder).__aenter__()


async def test_a_job_whose_lock_was_deleted_sends_nothing_beside_another_process(
    harness: JobHarness,
) -> None:
    """A cleaner of old files may delete the lock; then another process can lock a new one."""
    await harness.make("a", "b")
    other = JobFolder(harness.job)

    def lose(_job: BulkJob) -> None:
        (harness.job / "lock").unlink()
        other.acquire()

    with pytest.raises(JobStopped, match="works on this job"):
        await harness.run(on_first(EventType.UPLOADED, lose))
    assert harness.posts() == 0
    other.release()
    assert (await harness.run()).status is JobStatus.DONE
    harness.assert_each_has_one_run("a", "b")


# Slides that are not well


async def test_a_slide_that_changed_after_it_was_read(harness: JobHarness) -> None:
    await harness.make("a", "b", "c")
    write_slide(harness.path("b"), seed=9, width=600, height=400)
    assert (await harness.run()).status is JobStatus.DONE
    (uploaded,) = harness.rows(
        "SELECT size, json_extract(info, '$.width') FROM items WHERE path LIKE '%-b.tiff'"
    )
    assert uploaded == (harness.path("b").stat().st_size, 600)
    assert set(harness.puts().values()) == {1}
    harness.assert_each_has_one_run("a", "b", "c")


async def test_slides_that_cannot_be_read_are_set_aside(harness: JobHarness) -> None:
    names = ("good", "garbage", "cut", "gone", "fine")
    await harness.make(*names, chunk_size=2)
    harness.path("garbage").write_text("this is no slide")
    content = harness.path("cut").read_bytes()
    harness.path("cut").write_bytes(content[: len(content) // 3])
    harness.path("gone").unlink()

    summary = await harness.run()

    assert summary.status is JobStatus.SOME_FAILED
    aside = dict.fromkeys(("garbage", "cut", "gone"), "SET_ASIDE")
    assert harness.states() == {"good": "DONE", "fine": "DONE", **aside}
    assert all(fault for (fault,) in harness.rows("SELECT fault FROM items WHERE state = 'SET_ASIDE'"))
    harness.assert_each_has_one_run("good", "fine")

    harness.copy("garbage", "cut", "gone")
    async with harness.opened() as job:
        assert await job.retry() == 3
    assert (await harness.run()).status is JobStatus.DONE
    harness.assert_each_has_one_run(*names)


async def test_a_slide_that_crashes_its_reader_is_set_aside(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As native code does for a damaged file: the process is gone, and with it only that slide."""
    from aignostics_async.slides.workers import _prober

    monkeypatch.setattr(_prober, "_PROGRAM", CRASHING_READER)
    await harness.make("a", "poison", "c")
    for name in ("a", "poison", "c"):
        os.utime(harness.path(name), (1, 1))  # so that they are read again
    assert (await harness.run()).status is JobStatus.SOME_FAILED
    assert harness.states() == {"a": "DONE", "poison": "SET_ASIDE", "c": "DONE"}
    assert harness.rows("SELECT fault FROM items WHERE state = 'SET_ASIDE'") == [
        ("the process that read it was ended by SIGABRT",)
    ]


# The wallet


async def test_no_more_items_are_sent_than_the_plan_allows(harness: JobHarness) -> None:
    await harness.make("a", "b", "c", "d", "e", max_items=3, chunk_size=2)
    with anyio.CancelScope() as scope:
        await harness.run(on_first(EventType.UPLOADED, lambda _job: scope.cancel()))
    for _ in range(2):
        await harness.run()
    assert sorted(harness.states().values()) == ["DONE", "DONE", "DONE", "READY", "READY"]
    assert len(harness.puts()) == 3, "what can't be analysed is not sent either"
    assert sum(map(len, harness.runs().values())) == 3


async def test_what_is_submitted_again_counts_against_the_limit(harness: JobHarness) -> None:
    await harness.make("a", "bad", max_items=2, chunk_size=2)
    harness.emulator.set_faults(without_results("bad"))
    await harness.run()
    harness.emulator.set_faults()
    async with harness.opened() as job:
        assert await job.retry(failed=True) == 1
        summary = await job.run(harness.client)
    assert summary.status is JobStatus.SOME_FAILED, "to resume it again changes nothing"
    (thing,) = next_steps(summary)
    assert thing.what == "1 slide is beyond the limit of 2 items that may be billed"
    assert harness.posts() == 0
    assert harness.states() == {"a": "DONE", "bad": "STORED"}


async def test_uploads_that_were_interrupted_go_on_within_the_limit(harness: JobHarness) -> None:
    """They count as what may be billed already, and must not stand in their own way."""
    await harness.make("a", "b", "c", max_items=2, chunk_size=2)
    harness.write("UPDATE items SET state = 'SENDING', key = 'interrupted/' || number WHERE number < 3")
    await harness.run()
    assert harness.states() == {"a": "DONE", "b": "DONE", "c": "READY"}


async def test_a_chunk_is_refused_for_one_slide(harness: JobHarness) -> None:
    names = ("a", "b", "bad", "d", "e")
    await harness.make(*names, chunk_size=5)
    # Its metadata does not fit, which the preflight of `create_job` would have found.
    harness.write("UPDATE items SET info = json_set(info, '$.width', 300001) WHERE path LIKE '%-bad.tiff'")
    summary = await harness.run()
    assert summary.status is JobStatus.SOME_FAILED
    assert harness.states() == {**dict.fromkeys(names, "DONE"), "bad": "SET_ASIDE"}
    ((fault,),) = harness.rows("SELECT fault FROM items WHERE state = 'SET_ASIDE'")
    assert "the platform refused it" in fault
    harness.assert_each_has_one_run("a", "b", "d", "e")


@pytest.mark.parametrize("status", [400, 422])
async def test_a_chunk_that_the_platform_refuses_goes_on_in_halves(harness: JobHarness, status: int) -> None:
    await harness.make("a", "b", "c", "d", chunk_size=4)
    harness.emulator.set_faults(
        {"operation": "create_run", "times": 1, "status": status, "body": {"detail": "no"}}
    )
    assert (await harness.run()).status is JobStatus.DONE
    assert sorted(map(len, harness.runs().values())) == [2, 2]
    harness.assert_each_has_one_run("a", "b", "c", "d")


async def test_a_platform_that_refuses_one_slide_after_the_other_stops_the_job(harness: JobHarness) -> None:
    names = tuple("abcdefgh")
    await harness.make(*names, chunk_size=1)
    refused = {"operation": "create_run", "status": 422}
    # Its words differ each time: the fault is the same.
    bodies = [{"detail": f"no {number}"} for number in range(8)]
    harness.emulator.set_faults(*({**refused, "body": body, "times": 1} for body in bodies))
    with pytest.raises(JobStopped, match="several slides in a row"):
        await harness.run()
    harness.emulator.set_faults()
    async with harness.opened() as job:
        await job.retry()
    assert (await harness.run()).status is JobStatus.DONE
    harness.assert_each_has_one_run(*names)


@pytest.mark.sampled(test=1)
async def test_failed_items_are_submitted_again_by_one_new_run(harness: JobHarness) -> None:
    await harness.make("a", "bad", "c", chunk_size=3)
    harness.emulator.set_faults(without_results("bad"))
    assert (await harness.run()).status is JobStatus.SOME_FAILED
    assert harness.states() == {"a": "DONE", "bad": "FAILED", "c": "DONE"}
    ((status, error),) = harness.rows("SELECT status, error FROM items WHERE state = 'FAILED'")
    assert status.startswith("ERROR")
    assert error
    harness.emulator.set_faults()
    async with harness.opened() as job:
        assert await job.retry() == 0, "what is paid needs to be asked for"
        assert (await job.run(harness.client)).status is JobStatus.SOME_FAILED
        assert harness.posts() == 0
        assert await job.retry(failed=True) == 1
        assert (await job.run(harness.client)).status is JobStatus.DONE
    assert harness.posts() == 1
    assert harness.puts() == {}, "its slide is in the store"
    assert sorted(map(sorted, harness.runs().values()), key=len) == [
        [harness.reference("bad")],
        sorted(map(harness.reference, ("a", "bad", "c"))),
    ]


async def test_a_retried_item_whose_answer_is_lost_is_not_paid_again(harness: JobHarness) -> None:
    """Its run has the same references as the one that failed, and must not pass for that one's second."""
    await harness.make("bad", chunk_size=1)
    harness.emulator.set_faults(without_results("bad"))
    assert (await harness.run()).status is JobStatus.SOME_FAILED
    async with harness.opened() as job:
        await job.retry(failed=True)
        harness.emulator.set_faults({"operation": "create_run", "times": 1, "drop": "after"})
        assert (await job.run(harness.client)).status is JobStatus.DONE
    assert harness.posts() == 1
    assert len(harness.runs()) == 2
    assert not harness.rows("SELECT 1 FROM seen WHERE is_duplicate")


# Runs that are not what they were


async def test_a_run_that_is_gone_when_the_job_is_resumed(harness: JobHarness) -> None:
    await harness.make("a", "b", chunk_size=1)
    harness.emulator.set_clock(rate=0)
    await harness.run(on_first(EventType.RUN_CREATED, drain, count=2))
    harness.emulator.set_clock(rate=RATE)
    ((lost, reference), *_) = harness.rows(
        "SELECT run_id, reference FROM items WHERE run_id IS NOT NULL ORDER BY number"
    )
    # What else there is: a login that sees none of the job's runs would be refused.
    assert harness.emulator.move({"run": lost, "delete": True}) == [True]
    harness.emulator.script({"items": ["somebody's"], "application_version_id": "he-tme:v1.1.0"})
    summary = await harness.run()
    assert summary.status is JobStatus.SOME_FAILED
    ((state, fault, found),) = harness.rows("SELECT state, fault, reference FROM items WHERE state <> 'DONE'")
    assert (state, found) == ("SET_ASIDE", reference)
    assert lost in fault
    async with harness.opened() as job:
        assert await job.retry() == 0, "a new run is paid"
        assert await job.retry(failed=True) == 1
        assert (await job.run(harness.client)).status is JobStatus.DONE


async def test_a_run_that_the_platform_calls_gone_stops_no_other(harness: JobHarness) -> None:
    await harness.make("a", "b", chunk_size=1)
    harness.emulator.set_clock(rate=0)
    await harness.run(on_first(EventType.RUN_CREATED, drain, count=2))
    harness.emulator.set_clock(rate=RATE)
    ((gone, reference), *_) = harness.rows("SELECT run_id, reference FROM items ORDER BY number")
    answer = {"status": 410, "body": {"detail": "it was deleted"}}
    harness.emulator.set_faults({"method": "GET", "path": f"{RUNS}/{gone}(/.*)?", **answer})
    assert (await harness.run()).status is JobStatus.SOME_FAILED
    assert dict(harness.rows("SELECT reference, state FROM items WHERE state <> 'DONE'")) == {
        reference: "SET_ASIDE"
    }


async def test_outputs_that_are_gone_or_damaged_are_brought_again(harness: JobHarness) -> None:
    await harness.make("a", "b")
    assert (await harness.run()).status is JobStatus.DONE
    deleted, damaged, *_ = sorted((harness.job / "results").rglob("*.*"))
    deleted.unlink()
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    harness.emulator.set_faults()
    async with harness.opened() as job:
        assert sorted(await job.verify()) == [deleted, damaged]
        assert (await job.summary()).status is JobStatus.UNFINISHED
        assert (await job.run(harness.client)).status is JobStatus.DONE
        assert await job.verify() == []
    assert (harness.posts(), harness.puts()) == (0, {})
    await harness.assert_outputs_are_the_platform_s("a", "b")


async def test_results_that_were_deleted_before_the_download(harness: JobHarness) -> None:
    await harness.make("a")
    ended = (await harness.run()).job.finished_at
    summary = await harness.run()
    assert (summary.status, summary.job.finished_at) == (JobStatus.DONE, ended), "there was nothing to do"
    gone, *kept = sorted((harness.job / "results").rglob("*.*"))
    gone.unlink()
    async with harness.opened() as job:
        assert await job.verify() == [gone]
    ((run_id,),) = harness.rows("SELECT run_id FROM items")
    await harness.client.run(run_id).delete_results()
    assert (await harness.run()).status is JobStatus.SOME_FAILED
    ((state, fault, remedy),) = harness.rows("SELECT state, fault, remedy FROM items")
    assert (state, remedy) == ("SET_ASIDE", "'bulk retry --failed' has it analysed again")
    assert "its results were deleted" in fault
    found = harness.rows("SELECT path FROM outputs WHERE status <> 'FAILED'")
    assert {Path(path) for (path,) in found} == set(kept), "what is here already is not forgotten"
    async with harness.opened() as job:
        assert await job.retry() == 0, "a new analysis is paid"
        assert await job.retry(failed=True) == 1
        assert (await job.run(harness.client)).status is JobStatus.DONE


async def test_a_job_that_is_cancelled_pays_for_nothing_more(harness: JobHarness) -> None:
    await harness.make("a", "b", "c", chunk_size=1)
    harness.emulator.set_clock(rate=0)
    await harness.run(on_first(EventType.RUN_CREATED, drain))
    created = len(harness.rows("SELECT 1 FROM intents WHERE state = 'CREATED'"))
    posts = harness.posts()
    # The first of them can't be cancelled: the others are all the same.
    harness.emulator.set_faults({"operation": "cancel_run", "times": 1, **NOT_THERE})
    async with harness.opened() as job:
        assert await job.cancel(harness.client) == created - 1
        assert await job.cancel(harness.client) == 1
        harness.emulator.set_clock(rate=RATE)
        harness.emulator.set_faults()
        summary = await job.run(harness.client)
    assert summary.status is JobStatus.SOME_FAILED
    assert set(harness.states().values()) <= {"FAILED", "SET_ASIDE"}
    assert list(harness.states().values()).count("FAILED") == created
    assert (posts, harness.posts()) == (created, 0)


async def test_a_run_that_a_gateway_does_not_find_is_not_cancelled(harness: JobHarness) -> None:
    await harness.make("a")
    harness.emulator.set_clock(rate=0)
    await harness.run(on_first(EventType.RUN_CREATED, drain))
    harness.emulator.set_faults({"operation": "cancel_run", "status": 404, "body": "<html>no route</html>"})
    async with harness.opened() as job:
        with pytest.raises(APIStatusError, match="proves nothing"):
            await job.cancel(harness.client)
        harness.emulator.set_faults()
        assert await job.cancel(harness.client) == 1


async def test_a_job_stops_that_can_t_write_its_results(harness: JobHarness) -> None:
    names = [f"slide-{number}" for number in range(7)]
    in_the_way = harness.folder / "elsewhere"
    await harness.make(*names, chunk_size=1, results=in_the_way)
    in_the_way.write_bytes(b"")
    with pytest.raises(JobStopped, match=r"in a row failed, .* can't be written to"):
        await harness.run()
    assert Counter(harness.states().values())["DONE"] == 0
    in_the_way.unlink()
    async with harness.opened() as job:
        assert await job.count_billable_retries() == 0
        assert await job.retry() >= 5
    assert (await harness.run()).status is JobStatus.DONE
    harness.assert_each_has_one_run(*names)


async def test_results_are_looked_for_where_the_job_is_now(harness: JobHarness) -> None:
    await harness.make("a")
    assert (await harness.run()).status is JobStatus.DONE
    copy, moved = (harness.folder / name for name in ("copy", "moved"))
    shutil.copytree(harness.job, copy)
    damaged, *_ = (path for path in (copy / "results").rglob("*") if path.is_file())
    damaged.write_bytes(b"?")
    async with BulkJob.open(copy) as job:
        assert await job.verify() == [damaged]
    shutil.move(harness.job, moved)
    async with BulkJob.open(moved) as job:
        assert await job.verify() == []
        assert (await job.summary()).status is JobStatus.DONE
    table = harness.folder / "table.csv"
    lines = await write_results_table(moved, table)
    assert table.read_text("utf-8-sig").count(str(moved / "results")) == lines > 0


async def test_only_slides_that_are_done_are_cleaned_away(harness: JobHarness) -> None:
    await harness.make("a", "bad", "c", chunk_size=1)
    harness.emulator.set_faults(without_results("bad"))
    store = harness.client.store(harness.emulator.s3())
    await harness.run(store=store)
    harness.write("UPDATE items SET state = 'SUCCEEDED' WHERE path LIKE '%-c.tiff'")
    keys = dict(harness.rows("SELECT reference, key FROM items"))
    async with harness.opened() as job:
        assert await job.clean(harness.client, store=store) == 1
        assert await job.clean(harness.client, store=store) == 0
    left = {reference for reference, key in keys.items() if await store.stat(key) is not None}
    assert left == {harness.reference("bad"), harness.reference("c")}, "that may be tried again"


# A person decides


async def ambiguous(harness: JobHarness) -> None:
    """Make a job whose one run may exist or not: it has lost its mark, and its items can't be read."""
    await harness.make("a", "b", chunk_size=2)
    harness.emulator.set_faults(
        {"operation": "create_run", "times": 1, "drop": "after"},
        {"operation": "list_results", "status": 500},
    )

    def overwrite(_job: BulkJob) -> None:
        (run_id,) = {run_id for _, run_id, _, _ in harness.emulator.ledger()}
        if harness.client.contract == "1.8":
            Asker(harness.emulator).put(f"/runs/{run_id}/custom-metadata", {"custom_metadata": {}})

    assert (await harness.run(on_first(EventType.RUN_UNKNOWN, overwrite))).status is JobStatus.UNDECIDED
    assert harness.told(EventType.RUN_AMBIGUOUS)
    harness.emulator.set_faults()


async def test_a_person_names_the_run(harness: JobHarness) -> None:
    await ambiguous(harness)
    (mine,) = harness.runs()
    other = harness.emulator.script({"items": ["other"], "application_version_id": "he-tme:v1.0.0"})[0]
    version = harness.emulator.script({"items": [harness.reference("a")]})[0]
    async with harness.opened() as job:
        for wrong in (other, version, "00000000-0000-4000-8000-000000000000"):
            with pytest.raises(JobRefused, match=wrong):
                await job.resolve(1, run_id=wrong, client=harness.client)
        with pytest.raises(JobStateError, match="chunk 2 has no open decision"):
            await job.resolve(2, run_id=mine, client=harness.client)
        await job.resolve(1, run_id=mine.upper(), client=harness.client)
        assert (await job.run(harness.client)).status is JobStatus.DONE
    with closing(sqlite3.connect(harness.database)) as database:
        assert database.execute("SELECT run_id FROM intents").fetchall() == [(mine,)]
    assert harness.posts() == 0
    harness.assert_each_has_one_run("a", "b")


async def test_a_person_is_sure_that_there_is_no_run(harness: JobHarness) -> None:
    await ambiguous(harness)
    (mine,) = harness.runs()
    assert harness.emulator.move({"run": mine, "delete": True}) == [True]
    async with harness.opened() as job:
        await job.resolve(1, run_id=None, client=harness.client)
        assert (await job.run(harness.client)).status is JobStatus.DONE
    assert harness.posts() == 1


@pytest.mark.parametrize("does_cancel", [True, False])
async def test_a_person_decides_about_a_second_run(
    harness: JobHarness, second_emulator: Emulator, does_cancel: bool
) -> None:
    await harness.make("a", chunk_size=1)
    twin = {"items": [harness.reference("a")], "application_version_id": "he-tme:v1.0.0"}
    scripted: list[str] = []
    summary = await harness.run(
        on_first(EventType.RUN_CREATED, lambda _: scripted.extend(harness.emulator.script(twin)))
    )
    assert summary.status is JobStatus.UNDECIDED
    assert [event.run_id for event in harness.told(EventType.RUN_DUPLICATE)] == scripted
    ((own,),) = harness.rows("SELECT run_id FROM intents")
    async with harness.opened() as job:
        with pytest.raises(JobStateError, match="is no second run"):
            await job.resolve_duplicate(own, client=harness.client)
        async with second_emulator.client(SETTINGS) as another:
            with pytest.raises(JobRefused, match="the client signs in at"):
                await job.resolve_duplicate(scripted[0], client=another)
        assert (await job.summary()).status is JobStatus.UNDECIDED, "the run goes on, and is billed"
        await job.resolve_duplicate(scripted[0], client=harness.client if does_cancel else None)
        assert (await job.summary()).status is JobStatus.DONE
    asked = [each["path"] for each in harness.emulator.requests() if each["operation"] == "cancel_run"]
    assert [Path(path).parent.name for path in asked] == scripted * does_cancel


@pytest.mark.one_contract("1.0")  # the other one has marks in the metadata; a tag proves nothing there
async def test_a_second_run_with_the_job_s_tag_is_cancelled(harness: JobHarness) -> None:
    await harness.make("a", chunk_size=1, reference_tag=True)

    def twin(_job: BulkJob) -> None:
        ((tag,),) = harness.rows("SELECT tag FROM intents")
        harness.emulator.script(
            {"items": [harness.reference("a") + tag], "application_version_id": "he-tme:v1.0.0"}
        )

    assert (await harness.run(on_first(EventType.RUN_CREATED, twin))).status is JobStatus.DONE
    ((own,),) = harness.rows("SELECT run_id FROM intents")
    ((second, done),) = harness.rows("SELECT run_id, done FROM seen WHERE is_duplicate")
    assert done == "it was cancelled"
    assert (await harness.client.run(second).details()).status == "CANCELED_USER"
    assert (await harness.client.run(own).details()).status == "COMPLETED"


# Whose the job is


@pytest.mark.one_contract("1.0")  # the other one tells the account
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"user": "somebody else"}, "another user"),
        ({"organization": "another"}, "another organization"),
        ({"application_version": "he-tme:v0.9.0"}, "another application version"),
    ],
)
async def test_who_resumes_is_who_began(harness: JobHarness, change: dict[str, str], words: str) -> None:
    await harness.make("a", "b", chunk_size=1)
    harness.emulator.script({"items": ["to know the user by"]})
    await harness.run(on_first(EventType.UPLOADED, drain))
    ((name, value),) = change.items()
    harness.write(f"UPDATE job SET identity = json_set(identity, '$.{name}', ?)", value)
    harness.emulator.set_faults()
    for _ in range(2):
        with pytest.raises(JobRefused, match=words):
            await harness.run()
    async with harness.opened() as job:
        with pytest.raises(JobRefused, match=words):
            await job.adopt(harness.client)
        with pytest.raises(JobRefused, match=words):
            await job.cancel(harness.client)
        for decide in DECISIONS[:2]:
            with pytest.raises(JobRefused, match=words):
                await decide(job, harness.client)
    assert (harness.posts(), harness.puts()) == (0, {})


@pytest.mark.one_contract("1.8")
async def test_the_account_tells_who_resumes(harness: JobHarness) -> None:
    await harness.make("a", "b", chunk_size=1)
    await harness.run(on_first(EventType.UPLOADED, drain))
    ((kept,),) = harness.rows("SELECT identity FROM job")
    assert json.loads(kept)["me_user"] == "emulator|developer"
    assert json.loads(kept)["me_organization"] == "emulator"
    for name, words in (("me_user", "another user"), ("me_organization", "another organization")):
        harness.write(f"UPDATE job SET identity = json_set(?, '$.{name}', 'another')", kept)
        harness.emulator.set_faults()
        with pytest.raises(JobRefused, match=words):
            await harness.run()
        assert (harness.posts(), harness.puts()) == (0, {})
    # As a job was kept before there was an account to ask: by its token and its newest run.
    before = {"token_user": "of an older token", "user": "emulator|developer", "organization": "emulator"}
    harness.write("UPDATE job SET identity = ?", json.dumps(before))
    assert (await harness.run()).status is JobStatus.DONE
    assert harness.rows("SELECT identity ->> 'me_user' FROM job") == [("emulator|developer",)]


@pytest.mark.one_contract("1.8")
@pytest.mark.parametrize("answer", [{"status": 403}, {"status": 404}, {"status": 200, "body": {}}], ids=str)
async def test_without_an_account_the_newest_run_tells_who_resumes(
    harness: JobHarness, answer: dict[str, Any]
) -> None:
    await harness.make("a")
    harness.emulator.script({"items": ["to know the user by"]})
    harness.emulator.set_faults({"operation": "get_me", **answer})
    await harness.run(on_first(EventType.UPLOADED, drain))
    ((kept,),) = harness.rows("SELECT identity FROM job")
    assert json.loads(kept)["user"] == "emulator|developer"
    assert "me_user" not in json.loads(kept)


@pytest.mark.one_contract("1.8")
async def test_a_job_waits_while_the_platform_is_down(harness: JobHarness) -> None:
    await harness.make("a")
    harness.emulator.set_conditions(health="DOWN")

    def recover(_job: BulkJob) -> None:
        assert harness.posts() == 0
        harness.emulator.set_conditions()

    summary = await harness.run(on_first(EventType.WAITING, recover, count=2))
    assert summary.status is JobStatus.DONE, summary.plain()
    waits = {event.text for event in harness.told(EventType.WAITING)}
    assert "the platform says that it is DOWN; wait until it is up" in waits


async def test_another_server_is_refused(harness: JobHarness, second_emulator: Emulator) -> None:
    await harness.make("a")
    async with second_emulator.client(SETTINGS) as client, harness.opened() as job:
        acts: tuple[Callable[[Any], Awaitable[object]], ...] = (
            *(job.run, job.adopt, job.cancel, job.clean, partial(job.correct, mpp=0.25)),
            *(partial(decide, job) for decide in DECISIONS),
            partial(run_preflight, job.plan, Sources(places=["."])),
        )
        for act in acts:
            with pytest.raises(JobRefused, match="the client signs in at"):
                await act(client)
            for wrong in (5, object()):
                with pytest.raises(UsageError, match="client takes a Client"):
                    await act(wrong)
    assert not second_emulator.requests()


async def test_a_login_that_sees_none_of_the_job_s_runs_is_refused(harness: JobHarness) -> None:
    """Neither the platform nor its token says who it is, and it has no run of its own by which to tell."""
    await harness.make("a", "b", "c", chunk_size=1)
    harness.emulator.set_clock(rate=0)
    await harness.run(on_first(EventType.RUN_CREATED, drain))
    harness.write("UPDATE job SET identity = '{}'")
    harness.emulator.set_faults(
        {"operation": "get_me", "status": 404},
        {"operation": "list_runs", "status": 200, "body": []},
        {"method": "GET", "path": f"{RUNS}/.*", **NOT_THERE},
    )
    with pytest.raises(JobRefused, match="none of the runs"):
        await harness.run()
    assert harness.posts() == 0
    assert "SET_ASIDE" not in harness.states().values()
    harness.emulator.set_faults()
    harness.emulator.set_clock(rate=RATE)
    assert (await harness.run()).status is JobStatus.DONE


# A database from before


@pytest.mark.parametrize("has_marker", [True, False])
async def test_a_copy_from_before_adopts_what_there_is_and_asks_for_nothing(
    harness: JobHarness, has_marker: bool
) -> None:
    names = ("a", "b", "c", "d")
    await harness.make(*names, chunk_size=2)
    copy = shutil.copy(harness.database, harness.folder / "copy.sqlite3")
    assert (await harness.run()).status is JobStatus.DONE
    assert {path.name for path in harness.job.iterdir()} >= {"job.sqlite3"}
    shutil.copy(copy, harness.database)
    if not has_marker:
        shutil.rmtree(harness.folder / "state")
    harness.copy("e")
    harness.write(
        "INSERT INTO items (uuid, reference, turn, path, changed_at) VALUES ('e', ?, 0, ?, 0)",
        harness.reference("e"),
        str(harness.path("e")),
    )
    harness.write("UPDATE job SET taken_in = taken_in + 1")
    harness.emulator.set_faults()

    assert (await harness.run()).status is JobStatus.DONE

    assert len(harness.told(EventType.RUN_ADOPTED)) == 2
    asked = [each["operation"] for each in harness.emulator.requests()]
    assert asked.count("create_run") == 1, "of the slide that was in no run"
    before = harness.emulator.requests()[: asked.index("create_run")]
    read = {Path(each["path"]).parent.name for each in before if each["operation"] == "list_results"}
    assert read >= {run_id for (run_id,) in harness.rows("SELECT run_id FROM intents WHERE how IS NOT NULL")}
    harness.assert_each_has_one_run(*names, "e")


@pytest.mark.parametrize("failed_questions", [0, 6])
async def test_a_copy_from_before_waits_for_what_it_has_forgotten_to_have_asked_for(
    harness: JobHarness, failed_questions: int
) -> None:
    await harness.make("a", "b", chunk_size=2, timeouts=PATIENT)
    copy = shutil.copy(harness.database, harness.folder / "copy.sqlite3")
    late = {"operation": "create_run", "times": 1, "late_s": 100}
    harness.emulator.set_faults(late)
    await harness.run(on_first(EventType.RUN_UNKNOWN, drain))
    shutil.copy(copy, harness.database)
    posts = harness.posts()
    harness.emulator.set_faults({"operation": "list_runs", "times": failed_questions, "status": 503})
    assert (await harness.run()).status is JobStatus.DONE
    assert (posts, harness.posts()) == (1, 0)
    harness.assert_each_has_one_run("a", "b")


@pytest.mark.sampled(test=2)
@pytest.mark.parametrize("shown", [0, 2])
@pytest.mark.parametrize("has_marker", [True, False])
async def test_a_copy_from_before_takes_no_part_of_a_run_for_the_whole(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch, has_marker: bool, shown: int
) -> None:
    names = ("a", "b", "c", "d")
    await harness.make(*names, chunk_size=4, timeouts=PATIENT)
    copy = shutil.copy(harness.database, harness.folder / "copy.sqlite3")
    await harness.run()
    shutil.copy(copy, harness.database)
    if not has_marker:
        shutil.rmtree(harness.folder / "state")
    references, read = PlatformClient.references, []

    async def in_part(self: PlatformClient, run_id: str) -> frozenset[str] | None:
        found = await references(self, run_id)
        read.append(run_id)
        return found if found is None or read.count(run_id) > 1 else frozenset(sorted(found)[:shown])

    monkeypatch.setattr(PlatformClient, "references", in_part)
    harness.emulator.set_faults()
    assert (await harness.run()).status is JobStatus.DONE
    assert harness.posts() == 0
    harness.assert_each_has_one_run(*names)


async def test_a_new_job_adopts_nothing(harness: JobHarness) -> None:
    """Somebody had a slide of that name analysed after the job was made: a person decides."""
    await harness.make("a", "b", chunk_size=1)
    run_id, *_ = harness.emulator.script(
        {"items": [harness.reference("a")], "application_version_id": VERSION}
    )
    assert (await harness.run()).status is JobStatus.UNDECIDED
    assert harness.states() == {"a": "SET_ASIDE", "b": "DONE"}
    assert harness.posts() == 1
    assert not harness.told(EventType.RUN_ADOPTED)
    async with harness.opened() as job:
        assert await job.held_items() == {harness.reference("a"): run_id}
        assert await job.retry() == 0, "it would be billed again"
        assert await job.count_billable_retries(failed=False, rerun=True) == 1
        assert await job.retry(rerun=True) == 1
    assert (await harness.run()).status is JobStatus.DONE, "and that run is not called a second one"
    assert harness.posts() == 2


async def test_nothing_is_sent_while_a_run_that_may_be_the_job_s_cannot_be_read(harness: JobHarness) -> None:
    await harness.make("a", "b", chunk_size=1)
    copy = shutil.copy(harness.database, harness.folder / "copy.sqlite3")
    await harness.run()
    shutil.copy(copy, harness.database)
    harness.emulator.set_faults({"operation": "list_results", "status": 500})
    with pytest.raises(JobError, match="nothing can be sent"):
        await harness.run()
    assert (harness.posts(), harness.puts()) == (0, {})


# What ends


async def test_results_that_end_soon_are_an_alarm(harness: JobHarness) -> None:
    await harness.make("a", "b", chunk_size=2)
    harness.emulator.set_faults({"method": "GET", "path": "/storage/objects/results/.*", "status": 503})
    await harness.run(on_first(EventType.RUN_ENDED, drain))
    assert not harness.told(EventType.RESULTS_EXPIRE)
    ended = (datetime.now(UTC) - timedelta(days=25)).timestamp()
    harness.write("UPDATE seen SET ended_at = ?", ended)
    harness.write("UPDATE items SET state = 'SUCCEEDED', fault = NULL")
    harness.emulator.set_faults()
    await harness.run()
    (alarm,) = harness.told(EventType.RESULTS_EXPIRE)
    first = datetime.fromtimestamp(ended, UTC) + timedelta(days=30)
    assert f"the results of 2 slides soon, the first on {first:%Y-%m-%d}" in (alarm.text or "")


async def test_a_full_disk_stops_the_job_and_leaves_nothing_half_written(harness: JobHarness) -> None:
    results = harness.folder / "small"
    results.mkdir()
    process = await asyncio.create_subprocess_exec(
        "mount",
        "-t",
        "tmpfs",
        "-o",
        "size=64k,mode=0700",
        "tmpfs",
        str(results),
        stderr=asyncio.subprocess.PIPE,
    )
    await process.communicate()
    if process.returncode:
        pytest.skip("this user may not mount a small file system")
    try:
        await harness.make("a", "b", results=results)
        with pytest.raises(JobStopped, match="make room"):
            await harness.run()
        await _check_whole(harness, results)
        assert "SET_ASIDE" not in harness.states().values()
        remounted = await asyncio.create_subprocess_exec("mount", "-o", "remount,size=64m", str(results))
        assert await remounted.wait() == 0
        harness.emulator.set_faults()
        assert (await harness.run()).status is JobStatus.DONE
        assert (harness.posts(), harness.puts()) == (0, {})
        await harness.assert_outputs_are_the_platform_s("a", "b", results=results)
    finally:
        await (await asyncio.create_subprocess_exec("umount", str(results))).wait()


async def test_results_where_no_folder_can_be_are_a_fault(harness: JobHarness) -> None:
    harness.folder.joinpath("file").touch()
    await harness.make("a", results=harness.folder / "file/results")
    assert (await harness.run()).status is JobStatus.SOME_FAILED
    (event,) = harness.told(EventType.QUARANTINED)
    assert "Not a directory" in (event.text or "")


async def _check_whole(harness: JobHarness, results: Path) -> None:
    """Check that whatever stands under a final name is whole."""
    async with harness.opened() as job:
        assert await job.verify() == []
    known = {Path(path) for (path,) in harness.rows("SELECT path FROM outputs WHERE status = 'VERIFIED'")}
    there = {path for path in results.rglob("*") if path.is_file() and not path.name.startswith(".")}
    assert there <= known


@define
class Ending:
    """A store whose credentials end in a day, and with them all URLs that they signed."""

    store: Store

    async def credentials_expire_at(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=1)

    async def put(self, key: str, source: Path, *, progress: Callable[[int], None] | None = None) -> Stored:
        return await self.store.put(key, source, progress=progress)

    async def stat(self, key: str) -> Stored | None:
        return await self.store.stat(key)

    async def presign_get(self, uri: str, expires: float) -> str:
        return await self.store.presign_get(uri, expires)


async def test_credentials_that_end_too_soon_are_refused_before_the_request(harness: JobHarness) -> None:
    await harness.make("a", "b")
    opened = harness.client.store(harness.emulator.store_url)
    with pytest.raises(JobStopped, match="credentials"):
        await harness.run(store=Ending(opened))
    assert harness.posts() == 0
    assert harness.rows("SELECT count(*) FROM attempts") == [(0,)]
    assert (await harness.run()).status is JobStatus.DONE
    assert set(harness.puts().values()) == {1}


async def test_a_login_that_ends_stops_the_job_and_a_new_one_resumes_it(harness: JobHarness) -> None:
    await harness.make("a", "b", "c", chunk_size=1)
    source = signed_in(harness.emulator)

    def end(_job: BulkJob) -> None:
        harness.emulator.set_faults(
            {"path": "/api/.*", "status": 401},
            {"path": TOKEN_PATH, "status": 403, "body": {"error": "invalid_grant"}},
        )

    root, contract = harness.client.api_root, harness.client.contract
    async with Client(root, source, settings=SETTINGS, contract=contract) as client:
        ending = evolve(harness, client=client)
        with pytest.raises(JobStopped) as stopped:
            await ending.run(on_first(EventType.RUN_CREATED, end))
    assert isinstance(stopped.value.cause, LoginRequired), stopped.value
    harness.emulator.set_faults()
    assert (await harness.run()).status is JobStatus.DONE
    harness.assert_each_has_one_run("a", "b", "c")


async def test_a_job_that_begins_during_an_outage_waits_for_its_end(harness: JobHarness) -> None:
    await harness.make("a")
    harness.emulator.set_faults(
        {"method": "GET", "path": "/api/v1/applications/.*", "times": 20, "status": 503}
    )
    assert (await harness.run()).status is JobStatus.DONE
    assert harness.told(EventType.WAITING)


async def test_a_network_that_fails_for_a_while_is_waited_for(harness: JobHarness) -> None:
    await harness.make("a", "b", chunk_size=1)
    harness.emulator.set_faults(
        {"path": "/api/v1/runs.*", "method": "GET", "skip": 3, "times": 12, "status": 503},
        {"path": "/storage/objects/.*", "method": "PUT", "times": 2, "drop": "before"},
    )
    seen: list[JobEvent] = []
    assert (await harness.run(lambda _job, event: seen.append(event))).status is JobStatus.DONE
    harness.assert_each_has_one_run("a", "b")
