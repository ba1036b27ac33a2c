"""What a job spends, and what stops it from spending: judged by the platform's own ledger."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import define, evolve
from running_jobs import RATE, SETTINGS, VERSION, JobHarness, on_first

from aignostics_async import (
    Fault,
    Forbidden,
    Item,
    JobDatabaseError,
    JobStopped,
    QuotaExceeded,
    Slide,
    UsageError,
)
from aignostics_async.bulk import (
    BulkJob,
    EventType,
    JobEvent,
    JobObserver,
    JobStatus,
    PreflightReport,
    Sources,
    create_job,
)
from aignostics_async.emulator.process import Emulator
from aignostics_async.storage import Store, Stored

pytestmark = pytest.mark.both_contracts
under_every_client = pytest.mark.parametrize("harness", ["plain", "with_options"], indirect=True)
"""What `make test` tries under both; the others it tries under a plain client."""


@pytest.fixture(scope="module")
def fast_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator"), clock_rate=RATE, url_lifetime=10**6) as emulator:
        yield emulator


@pytest.fixture(params=["plain", pytest.param("with_options", marks=pytest.mark.slow)])
async def harness(
    request: pytest.FixtureRequest,
    fast_emulator: Emulator,
    tiny_slide: Path,
    tmp_path: Path,
    contract: str,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[JobHarness]:
    """Give a job under a plain client, and under one with other options that shares its connections."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    fast_emulator.set_clock(rate=RATE)
    fast_emulator.set_faults()
    async with fast_emulator.client(SETTINGS, contract=contract) as plain:
        timeouts = evolve(SETTINGS.timeouts, read=SETTINGS.timeouts.read + 1)
        client = plain if request.param == "plain" else plain.with_options(timeouts=timeouts)
        yield JobHarness(emulator=fast_emulator, client=client, folder=tmp_path, slide=tiny_slide)


def attempts(harness: JobHarness) -> list[str | None]:
    """Return what is on the disk of each request for a run.

    A busy machine prepares some and is too late to send them, which is no fault.
    """
    told = [outcome for (outcome,) in harness.rows("SELECT outcome FROM attempts ORDER BY number")]
    return [outcome for outcome in told if outcome != "NOT_SENT"]


async def summary_of(harness: JobHarness) -> Any:
    return await JobObserver(harness.job).summary()


# The server's date


@under_every_client
async def test_a_late_commit_is_waited_for_under_every_client(harness: JobHarness) -> None:
    """A clock that stands still would let silence last for ever, or end too soon."""
    await harness.make("a", "b", chunk_size=2)
    harness.emulator.set_faults({"operation": "create_run", "times": 1, "late_s": 90})
    assert (await harness.run()).status is JobStatus.DONE
    assert harness.posts() == 1
    harness.assert_each_has_one_run("a", "b")


@under_every_client
async def test_a_request_that_was_lost_is_repeated_under_every_client(harness: JobHarness) -> None:
    await harness.make("a", "b", chunk_size=2)
    harness.emulator.set_faults({"operation": "create_run", "times": 1, "drop": "before"})
    assert (await harness.run()).status is JobStatus.DONE
    assert harness.posts() == 2
    harness.assert_each_has_one_run("a", "b")


# Quotas and unexpected answers


@under_every_client
async def test_a_quota_that_is_used_up_stops_sending_and_nothing_else(harness: JobHarness) -> None:
    await harness.make("a", "b", "c", "d", chunk_size=1)
    quota = {"operation": "create_run", "skip": 1, "answer": "quota_exceeded"}
    harness.emulator.set_faults(quota)
    with pytest.raises(JobStopped, match="12 of 500 are left") as stopped:
        await harness.run()
    assert isinstance(stopped.value.cause, QuotaExceeded)

    assert sorted(harness.states().values()) == ["ASSIGNED", "ASSIGNED", "ASSIGNED", "DONE"], "it came home"
    assert set(harness.rows("SELECT state, size FROM intents WHERE run_id IS NULL")) == {("SEALED", 1)}
    summary = await summary_of(harness)
    assert (summary.status, summary.exit_status) == (JobStatus.QUOTA_EXCEEDED, 8)
    assert (summary.job.stop_kind, summary.job.stopped_at is not None) == ("QuotaExceeded", True)
    assert "12 of 500 are left" in summary.job.stop_reason

    harness.emulator.set_faults()
    async with harness.opened() as job:
        summary = await job.run(harness.client, chunk_size=3)
    assert summary.status is JobStatus.DONE
    assert (summary.job.stopped_at, summary.job.stop_reason) == (None, None)
    assert harness.posts() == 1, "what was not sent was sealed again"
    harness.assert_each_has_one_run("a", "b", "c", "d")
    async with harness.opened() as job:
        assert job.plan.chunk_size == 3


async def test_an_answer_that_is_not_listed_is_asked_for_twice_and_not_for_ever(harness: JobHarness) -> None:
    await harness.make("a", "b", chunk_size=2)
    teapot = {"operation": "create_run", "status": 418, "body": {"detail": "short and stout"}}
    harness.emulator.set_faults(teapot)
    with pytest.raises(JobStopped, match="short and stout"):
        await harness.run()
    assert harness.posts() == 2
    assert attempts(harness) == ["UNKNOWN", "UNKNOWN"]
    harness.emulator.set_faults()
    assert (await harness.run()).status is JobStatus.DONE
    harness.assert_each_has_one_run("a", "b")


# Why it stopped


async def test_status_says_why_and_when_a_job_stopped(harness: JobHarness) -> None:
    await harness.make("a")
    harness.emulator.set_faults({"operation": "create_run", "answer": "forbidden"})
    with pytest.raises(JobStopped) as stopped:
        await harness.run()
    assert isinstance(stopped.value.cause, Forbidden)
    summary = await summary_of(harness)
    assert summary.job.stop_kind == "Forbidden"
    assert "may not access" in summary.job.stop_reason
    assert summary.job.stopped_at is not None
    harness.emulator.set_faults()
    assert (await harness.run()).job.stopped_at is None


async def test_a_full_disk_in_the_job_s_folder_is_told_and_resumed(harness: JobHarness) -> None:
    harness.job.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", str(harness.job)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a small file system")
    try:
        names = tuple("abcdef")
        await harness.make(*names, chunk_size=1, results=harness.folder / "results")
        filler = harness.job / "filler"

        def fill(_job: BulkJob) -> None:
            with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
                while True:
                    file.write(bytes(4096))

        with pytest.raises(JobStopped) as stopped:
            await harness.run(on_first(EventType.RUN_CREATED, fill))
        assert isinstance(stopped.value.cause, JobDatabaseError)
        summary = await summary_of(harness)
        assert "no space is left" in (summary.job.stop_reason or "")
        filler.unlink()
        assert (await harness.run()).status is JobStatus.DONE
        harness.assert_each_has_one_run(*names)
    finally:
        subprocess.run(["umount", str(harness.job)], check=True)


# Callbacks


class CallbackError(Exception):
    """What a caller's callback raises."""


def raising(what: str) -> Callable[[JobEvent], None]:
    def listen(event: JobEvent) -> None:
        if event.type == what:
            raise CallbackError(what)

    return listen


CALLBACKS = (
    EventType.STARTED,
    EventType.UPLOADED,
    EventType.RUN_CREATED,
    EventType.RUN_UNKNOWN,
    EventType.RUN_ENDED,
    EventType.ITEM_DONE,
    "progress",
)


@pytest.mark.sampled(test=4)
@pytest.mark.parametrize("where", CALLBACKS)
async def test_a_callback_that_raises_ends_the_job_and_no_answer_is_lost(
    harness: JobHarness, where: str
) -> None:
    names = ("a", "b", "c", "d")
    await harness.make(*names, chunk_size=1)
    slow = {"operation": "create_run", "skip": 1, "delay_s": 0.3}
    lost = {"operation": "create_run", "times": 1, "drop": "after"}
    harness.emulator.set_faults(*([lost] if where == EventType.RUN_UNKNOWN else []), slow)

    def progress(_event: object) -> None:
        raise CallbackError("progress")

    async with harness.opened() as job:
        with pytest.raises(CallbackError):
            await job.run(
                harness.client,
                listener=raising(where),
                progress=progress if where == "progress" else None,
            )
        assert None not in attempts(harness), "every answer was written down"
        sent = len(attempts(harness))
        assert harness.posts() == sent
        summary = await job.summary()
        assert summary.job.stop_kind == "CallbackError"
        assert (await job.run(harness.client)).status is JobStatus.DONE
    assert harness.posts() == len(attempts(harness))
    harness.assert_each_has_one_run(*names)


@pytest.mark.parametrize(
    "error", [SystemExit(3), asyncio.CancelledError()], ids=lambda error: type(error).__name__
)
async def test_a_callback_that_raises_no_exception_loses_no_answer_either(
    harness: JobHarness, error: BaseException
) -> None:
    """`sys.exit()` in a listener must not cut a request for a run in two."""
    await harness.make("a", "b", chunk_size=1)
    harness.emulator.set_faults({"operation": "create_run", "skip": 1, "delay_s": 0.3})

    def leave(event: JobEvent) -> None:
        if event.type == EventType.RUN_CREATED:
            raise error

    async with harness.opened() as job:
        with pytest.raises(type(error)) as caught:
            await job.run(harness.client, listener=leave)
        assert caught.value is error
        assert None not in attempts(harness)
        assert harness.posts() == len(attempts(harness))
        assert (await job.run(harness.client)).status is JobStatus.DONE
    harness.assert_each_has_one_run("a", "b")


# Cancelling at work


async def test_another_process_cancels_a_job_at_work(harness: JobHarness) -> None:
    names = ("a", "b", "c", "d", "e", "f")
    await harness.make(*names, chunk_size=1)
    harness.emulator.set_clock(rate=0)
    slow = {"operation": "create_run", "skip": 1, "delay_s": 0.3}
    harness.emulator.set_faults(slow)
    observer = JobObserver(harness.job)
    await harness.run(on_first(EventType.RUN_CREATED, lambda _job: observer.request_cancel()))
    harness.emulator.set_clock(rate=RATE)
    begun = harness.posts()
    summary = await summary_of(harness)
    assert summary.job.cancelled_at is not None
    assert not (harness.job / "cancel").exists()
    assert set(attempts(harness)) == {"CREATED"}
    ended = await harness.run()
    assert (harness.posts(), ended.status) == (begun, JobStatus.SOME_FAILED), "nothing is sent any more"
    assert set(harness.states().values()) <= {"FAILED", "SET_ASIDE"}


async def test_a_cancel_that_no_process_has_seen_is_carried_out_before_anything_is_sent(
    harness: JobHarness,
) -> None:
    await harness.make("a", "b")
    JobObserver(harness.job).request_cancel()
    summary = await harness.run()
    assert (harness.posts(), harness.puts()) == (0, {})
    assert summary.job.cancelled_at is not None
    assert set(harness.states().values()) == {"SET_ASIDE"}
    async with harness.opened() as job:
        assert await job.retry() == 2
        assert (await job.summary()).job.cancelled_at is None
        assert (await job.run(harness.client)).status is JobStatus.DONE


# Slides that were analysed before


def other_job(harness: JobHarness, name: str = "other") -> JobHarness:
    """Return a job of the same user beside another one."""
    folder = harness.folder / name
    folder.mkdir()
    return evolve(harness, folder=folder, events=[])


async def test_a_slide_of_another_name_is_recognized_and_held(harness: JobHarness) -> None:
    await harness.make("a")
    assert (await harness.run()).status is JobStatus.DONE
    (run_id,) = harness.runs()
    second = other_job(harness)
    await second.make("x")
    summary = await second.run()
    assert (second.posts(), summary.status, summary.exit_status) == (0, JobStatus.UNDECIDED, 4)
    async with second.opened() as job:
        assert await job.held_items() == {second.reference("x"): run_id}
        assert await job.retry(failed=True) == 0
        assert await job.retry(rerun=True) == 1
        assert (await job.run(harness.client)).status is JobStatus.DONE
    assert second.posts() == 1


async def test_a_slide_that_was_submitted_by_itself_is_held(harness: JobHarness) -> None:
    (path,) = harness.copy("a")
    item = Item("alone", slide=Slide(path))
    run = await harness.client.runs.submit(VERSION, [item], store=harness.emulator.store_url)
    await harness.make("x")
    assert (await harness.run()).status is JobStatus.UNDECIDED
    assert harness.posts() == 0
    async with harness.opened() as job:
        assert await job.held_items() == {harness.reference("x"): run.id}


async def test_a_slide_of_a_job_that_is_submitted_by_itself_is_warned_of(harness: JobHarness) -> None:
    await harness.make("a")
    assert (await harness.run()).status is JobStatus.DONE
    (run_id,) = harness.runs()
    (path,) = harness.copy("x")
    warnings: list[Fault] = []
    item = Item("alone", slide=Slide(path))
    address = harness.emulator.store_url
    run = await harness.client.runs.submit(VERSION, [item], store=address, warn=warnings.append)
    told = [warning for warning in warnings if "analysed with this version already" in warning.problem]
    assert [warning.reference for warning in told] == ["alone"]
    assert f"in run {run_id}" in told[0].problem
    assert run.id != run_id, "it is sent all the same"


async def test_a_slide_whose_results_are_gone_is_analysed_again(harness: JobHarness) -> None:
    await harness.make("a")
    assert (await harness.run()).status is JobStatus.DONE
    (run_id,) = harness.runs()
    await harness.client.run(run_id).delete_results()
    second = other_job(harness)
    await second.make("x")
    assert (await second.run()).status is JobStatus.DONE
    assert second.posts() == 1


async def test_a_slide_that_failed_before_is_analysed_again(harness: JobHarness) -> None:
    await harness.make("a")
    harness.emulator.set_faults({"method": "GET", "path": ".*-a.tiff", "status": 404})
    assert (await harness.run()).status is JobStatus.SOME_FAILED
    second = other_job(harness)
    await second.make("x")
    assert (await second.run()).status is JobStatus.DONE


async def test_a_damaged_index_keeps_no_job_from_running(harness: JobHarness) -> None:
    index = harness.folder / "state" / "aignostics-async" / "billing"
    index.mkdir(parents=True)
    (index / "index.sqlite3").write_bytes(b"damaged" * 1000)
    await harness.make("a")
    assert (await harness.run()).status is JobStatus.DONE


# Copies of a job's folder, one after the other


def copied(harness: JobHarness, monkeypatch: pytest.MonkeyPatch) -> JobHarness:
    """Return a copy of the job unchanged, on another machine of the same user."""
    elsewhere = harness.folder / "elsewhere"
    shutil.copytree(harness.job, elsewhere / "job")
    monkeypatch.setenv("XDG_STATE_HOME", str(elsewhere / "state"))
    return evolve(harness, folder=elsewhere, events=[])


@pytest.mark.parametrize(
    ("chunk_size", "tag"),
    [
        (1, True),
        (3, False),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in ((1, False), (2, True), (2, False), (3, True))
        ),
    ],
)
async def test_copies_that_run_in_turn_pay_once(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch, contract: str, chunk_size: int, tag: bool
) -> None:
    names = tuple("abcdef")
    await harness.make(*names, chunk_size=2, reference_tag=tag)
    await harness.run(on_first(EventType.UPLOADED, lambda job: job.drain()))
    copy = copied(harness, monkeypatch)
    async with copy.opened() as job:
        assert (await job.run(harness.client, chunk_size=chunk_size)).status is JobStatus.DONE
    paid = harness.posts()

    monkeypatch.setenv("XDG_STATE_HOME", str(harness.folder / "state"))
    summary = await harness.run()
    assert harness.posts() == paid, "the copy's runs were found"
    assert not harness.told(EventType.RUN_DUPLICATE)
    if tag or contract == "1.8":
        assert summary.status is JobStatus.DONE, "tag or mark proves that they are the job's"
    else:
        assert (summary.status, summary.runs.held) == (JobStatus.UNDECIDED, len(names))
        async with harness.opened() as job:
            assert await job.adopt(harness.client)
            assert (await job.run(harness.client)).status is JobStatus.DONE
    assert harness.posts() == paid
    async with harness.opened() as job:
        assert await job.verify() == []


# Consent and limits


async def test_what_was_agreed_to_is_not_held_again(harness: JobHarness) -> None:
    await harness.make("a")
    assert (await harness.run()).status is JobStatus.DONE
    second = other_job(harness)
    places = list(map(str, second.copy("x")))
    agreed: list[int] = []

    def consent(report: PreflightReport) -> None:
        assert report.earlier is not None
        agreed.append(len(report.earlier.again))

    sources = Sources(places=places, reference_from="stem")
    await create_job(second.job, second.plan(), sources, harness.client, consent=consent)
    harness.emulator.set_faults()
    assert (await second.run()).status is JobStatus.DONE
    assert (agreed, second.posts()) == ([1], 1)


@pytest.mark.parametrize("option", ["consent", "progress"])
@pytest.mark.parametrize("callback", [anyio.sleep, lambda _value: anyio.sleep(1)], ids=["async", "awaitable"])
async def test_a_callback_that_nobody_awaits_lets_no_job_be_created(
    harness: JobHarness, option: str, callback: Callable[[object], object]
) -> None:
    sources, options = Sources(places=[str(each) for each in harness.copy("a")]), {option: callback}
    with pytest.raises(UsageError, match="plain function"):
        await create_job(harness.job, harness.plan(), sources, harness.client, **options)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no job"):
        JobObserver(harness.job)


async def test_no_more_is_billed_than_the_limit_and_the_job_ends_with_3(harness: JobHarness) -> None:
    places = list(map(str, harness.copy("a", "b", "c")))
    sources = Sources(places=places, reference_from="stem")
    report = await create_job(harness.job, harness.plan(max_items=2, chunk_size=1), sources, harness.client)
    assert report.is_clear
    harness.emulator.set_faults()
    summary = await harness.run()
    assert (summary.exit_status, summary.beyond_limit, harness.posts()) == (3, 1, 2)


# Uploads


@define
class Unconfirming:
    """A store that tells neither checksums nor what it has."""

    store: Store

    async def put(self, key: str, source: Path, *, progress: Callable[[int], None] | None = None) -> Stored:
        return evolve(await self.store.put(key, source, progress=progress), crc32c=None, verified=False)

    async def stat(self, key: str) -> Stored | None:
        raise NotImplementedError

    async def presign_get(self, uri: str, expires: float) -> str:
        return await self.store.presign_get(uri, expires)

    async def credentials_expire_at(self) -> datetime | None:
        return await self.store.credentials_expire_at()


class Losing(Unconfirming):
    """A store during whose answer the file that it was sent goes."""

    async def put(self, key: str, source: Path, *, progress: Callable[[int], None] | None = None) -> Stored:
        self.sources = [source]
        return await super().put(key, source, progress=progress)

    async def stat(self, key: str) -> Stored | None:
        for source in getattr(self, "sources", ()):
            source.unlink(missing_ok=True)
        return None


async def test_a_file_that_goes_as_it_is_uploaded_holds_its_item_alone(harness: JobHarness) -> None:
    await harness.make("a")
    store = harness.client.store(harness.emulator.store_url)
    summary = await harness.run(store=Losing(store))
    assert summary.status is JobStatus.SOME_FAILED
    assert summary.last_error is not None
    assert "it can't be read" in summary.last_error.message


async def test_an_upload_that_the_store_did_not_confirm_is_counted_and_told(harness: JobHarness) -> None:
    await harness.make("a")
    store = harness.client.store(harness.emulator.store_url)
    assert (await harness.run(store=Unconfirming(store))).status is JobStatus.DONE
    uploads = (await summary_of(harness)).uploads
    assert (uploads.stored_items, uploads.store_verified) == (1, 0)
    (event,) = harness.told(EventType.UPLOADED)
    assert event.text == "the store did not confirm its checksum"
