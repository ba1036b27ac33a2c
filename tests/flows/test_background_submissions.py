"""Submissions of a service in the background: one run each, whenever its process ends."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from anyio.lowlevel import checkpoint
from attrs import define, field
from odd_platform import SimulatedClock

from aignostics_async import (
    Client,
    ConfigurationError,
    Fault,
    InputArtifact,
    InvalidSubmission,
    Item,
    Run,
    Slide,
    UsageError,
)
from aignostics_async.emulator.process import Emulator
from aignostics_async.services import BackgroundSubmissions, Submission, SubmissionStatus
from aignostics_async.services._journal import SubmissionJournal

pytestmark = pytest.mark.both_contracts

METADATA = {
    "checksum_base64_crc32c": "AAAAAA==",
    "width": 1,
    "height": 1,
    "width_mpp": 0.5,
    "height_mpp": 0.5,
}
VERSION = "he-tme:v1.0.0"
PENDING, CREATED, FAILED = SubmissionStatus

SubmitWith = Callable[[Client, Submission, dict[str, Any]], Awaitable[Run]]


async def create(client: Client, submission: Submission, tracking: dict[str, Any]) -> Run:
    """Create the run of a submission, without slides."""
    artifact = InputArtifact("slide", "http://127.0.0.1:9/a.tiff", METADATA)
    items = [Item(reference, artifacts=[artifact]) for reference in submission.references]
    return await client.runs.create(VERSION, items, metadata=tracking["metadata"])


async def hang(client: Client, submission: Submission, tracking: dict[str, Any]) -> Run:
    """Submit for ever."""
    await asyncio.Event().wait()
    raise AssertionError


@define
class Process:
    """Background submissions in a process of a service, with what they have told."""

    submissions: BackgroundSubmissions = field(init=False)
    told: list[Submission] = field(factory=list)
    has_problem: asyncio.Event = field(factory=asyncio.Event)

    def tell(self, submission: Submission) -> None:
        self.told.append(submission)
        if submission.problem:
            self.has_problem.set()

    async def over(self, ident: str) -> Submission:
        """Return a submission when it is over."""
        async with asyncio.timeout(60):
            while (latest := self.latest(ident)).status is PENDING:
                await asyncio.wait(self.submissions._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
        return latest

    def latest(self, ident: str) -> Submission:
        return next(each for each in reversed(self.told) if each.id == ident)


@asynccontextmanager
async def process(
    emulator: Emulator, path: Path, submit_with: SubmitWith = create, **options: Any
) -> AsyncIterator[Process]:
    """Run background submissions whose waits take no time."""
    running = Process()
    async with emulator.client() as client:

        async def submit(submission: Submission, **tracking: Any) -> Run:
            return await submit_with(client, submission, tracking)

        running.submissions = BackgroundSubmissions(path, client, submit, on_change=running.tell, **options)
        running.submissions._clock = SimulatedClock()
        async with running.submissions:
            yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "submissions.json"


async def run_ids(emulator: Emulator) -> list[str]:
    async with emulator.client() as client:
        return [run.run_id for run in await client.runs.list().to_list()]


async def begun_by_a_killed_process(emulator: Emulator, path: Path, *references: str) -> Submission:
    """Return a submission of a process that was killed before it sent anything."""
    async with process(emulator, path, hang) as killed:
        return await killed.submissions.start(references, owner="ada")


async def test_each_becomes_a_run(emulator: Emulator, path: Path) -> None:
    async with process(emulator, path) as running:
        first = await running.submissions.start(["a", "b", "a"], owner="ada")
        assert (first.references, first.owner, first.status) == (("a", "b"), "ada", PENDING)
        second = await running.submissions.start(["c"])
        over = [await running.over(each.id) for each in (first, second)]
        assert [each.status for each in over] == [CREATED, CREATED]
        assert {each.run_id for each in over} == set(await run_ids(emulator))
    kept = json.loads(path.read_text())
    assert {each["run_id"] for each in kept} == {each.run_id for each in over}


async def test_it_is_on_disk_before_it_is_begun(emulator: Emulator, path: Path) -> None:
    begun = asyncio.Queue[list[dict[str, Any]]]()

    async def look(client: Client, submission: Submission, tracking: dict[str, Any]) -> Run:
        begun.put_nowait(json.loads(path.read_text()))
        return await create(client, submission, tracking)

    async with process(emulator, path, look) as running:
        submission = await running.submissions.start(["a"])
        assert [each["id"] for each in await begun.get()] == [submission.id]


async def test_what_on_change_raises_is_logged(
    emulator: Emulator, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def tell(submission: Submission) -> None:
        raise RuntimeError(submission.id)

    async with emulator.client() as client:

        async def submit(submission: Submission, **tracking: Any) -> Run:
            return await create(client, submission, tracking)

        async with BackgroundSubmissions(path, client, submit, on_change=tell) as submissions:
            submission = await submissions.start(["a"])
            await asyncio.wait(submissions._tasks.values())
    assert len(await run_ids(emulator)) == 1
    assert f"on_change failed for submission {submission.id}" in caplog.text


@pytest.mark.parametrize("was_created", [True, False], ids=["after the run", "before the run"])
async def test_it_is_continued_after_a_kill(emulator: Emulator, path: Path, was_created: bool) -> None:
    async with process(emulator, path, create if was_created else hang) as killed:
        submission = await killed.submissions.start(["a"], owner="ada")
        begun = path.read_bytes()
        if was_created:
            await killed.over(submission.id)
    path.write_bytes(begun)
    async with process(emulator, path) as running:
        assert running.told == [submission], "it is told again"
        over = await running.over(submission.id)
    assert [over.run_id] == await run_ids(emulator)
    async with process(emulator, path) as later:
        assert later.told == [over]
        assert await run_ids(emulator) == [over.run_id]


@pytest.mark.one_contract("1.8")
async def test_a_clock_that_was_ahead_does_not_hide_the_run(emulator: Emulator, path: Path) -> None:
    async with process(emulator, path) as killed:
        submission = await killed.submissions.start(["a"])
        await killed.over(submission.id)
    tomorrow = (submission.began + timedelta(days=1)).isoformat()
    path.write_text(saved(id=submission.id, began=tomorrow))
    async with process(emulator, path) as running:
        over = await running.over(submission.id)
    assert [over.run_id] == await run_ids(emulator), "it is paid once"


async def test_none_takes_the_run_of_another_that_is_being_created(emulator: Emulator, path: Path) -> None:
    """The same references may be submitted twice, on purpose."""
    first = await begun_by_a_killed_process(emulator, path, "a", "b")

    async def reply_late(client: Client, submission: Submission, tracking: dict[str, Any]) -> Run:
        run = await create(client, submission, tracking)
        if submission.id != first.id:
            await running.over(first.id)  # which looks for its run just now
        return run

    async with process(emulator, path, reply_late) as running:
        second = await running.submissions.start(["b", "a"])
        runs = [(await running.over(each.id)).run_id for each in (first, second)]
    assert sorted(map(str, runs)) == sorted(await run_ids(emulator))
    assert len(set(runs)) == 2


async def test_none_takes_the_run_of_another_that_was_killed(
    emulator: Emulator, path: Path, contract: str
) -> None:
    """Of two with the same references only the second had come to its run."""
    first = await begun_by_a_killed_process(emulator, path, "a")
    async with process(emulator, path, hang) as killed:
        second = await killed.submissions.start(["a"])
        begun = path.read_bytes()
    path.write_text(json.dumps([each for each in json.loads(begun) if each["id"] == second.id]))
    async with process(emulator, path) as killed:
        created = await killed.over(second.id)
    path.write_bytes(begun)
    async with process(emulator, path) as running:
        runs = [(await running.over(each.id)).run_id for each in (first, second)]
    assert created.run_id in runs
    assert sorted(map(str, runs)) == sorted(await run_ids(emulator))
    assert len(set(runs)) == 2
    assert contract == "1.0" or runs[1] == created.run_id, "its metadata tells"


@pytest.mark.parametrize("answer", [{"status": 503}, {"answer": "jwt_expired"}, {"drop": "before"}])
async def test_nothing_is_sent_while_nobody_can_tell_whether_there_is_a_run(
    emulator: Emulator, path: Path, answer: dict[str, Any]
) -> None:
    submission = await begun_by_a_killed_process(emulator, path, "a")
    emulator.set_faults({"operation": "list_runs", **answer})
    async with process(emulator, path) as running:
        await running.has_problem.wait()
        assert [each for each in emulator.requests() if each["method"] == "POST"] == []
        emulator.set_faults()
        over = await running.over(submission.id)
    assert (over.status, over.problem) == (CREATED, "")
    assert await run_ids(emulator) == [over.run_id]


async def test_a_run_that_appears_late_is_found(emulator: Emulator, path: Path) -> None:
    async with process(emulator, path) as killed:
        begun = await killed.submissions.start(["a"])
        before = path.read_bytes()
        created = await killed.over(begun.id)
    path.write_bytes(before)
    emulator.set_faults({"operation": "list_runs", "status": 200, "body": [], "times": 4})
    async with process(emulator, path) as running:
        assert (await running.over(begun.id)).run_id == created.run_id
    assert await run_ids(emulator) == [created.run_id]


async def test_a_run_of_another_that_can_t_be_read_holds_nothing_up(emulator: Emulator, path: Path) -> None:
    """It may have the same references, but it is known whose it is; one that nobody has is told."""
    async with process(emulator, path) as running:
        other = await running.over((await running.submissions.start(["a"])).id)
    submission = await begun_by_a_killed_process(emulator, path, "a")
    begun = path.read_bytes()
    unreadable = {"path": f".*/runs/{other.run_id}/(results|items).*", "status": 404}
    emulator.set_faults(unreadable)
    async with process(emulator, path) as running:
        over = await running.over(submission.id)
    assert sorted(await run_ids(emulator)) == sorted([str(other.run_id), str(over.run_id)])
    assert all(each.problem == "" for each in running.told)
    kept = [each for each in json.loads(begun) if each["id"] == submission.id]
    if emulator.contract == "1.0":  # where nothing but references tells whose it is
        path.write_text(json.dumps(kept))
        emulator.set_faults({**unreadable, "path": ".*/runs/.*/results.*"})
        async with process(emulator, path) as running:
            await running.has_problem.wait()
            assert "can't be read" in running.latest(submission.id).problem


@pytest.mark.parametrize(("dropped", "status"), [("after", CREATED), ("before", FAILED)])
async def test_a_lost_reply_is_looked_for_and_nothing_is_sent_twice(
    emulator: Emulator, path: Path, dropped: str, status: SubmissionStatus
) -> None:
    emulator.set_faults({"operation": "create_run", "drop": dropped})
    async with process(emulator, path) as running:
        submission = await running.submissions.start(["a"])
        over = await running.over(submission.id)
    assert over.status is status
    assert ("unknown" in over.problem) == (status is FAILED)
    assert await run_ids(emulator) == ([over.run_id] if status is CREATED else [])
    posts = [each for each in emulator.requests() if each["method"] == "POST" and "runs" in each["path"]]
    assert len(posts) == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (InvalidSubmission([Fault("it is empty", "a")]), "item 'a': it is empty"),
        (KeyError("bug"), "KeyError"),
    ],
    ids=["faults", "a bug"],
)
async def test_a_failure_says_why_and_is_kept(
    emulator: Emulator, path: Path, error: Exception, words: str
) -> None:
    async def fail(client: Client, submission: Submission, tracking: dict[str, Any]) -> Run:
        raise error

    async with process(emulator, path, fail) as running:
        over = await running.over((await running.submissions.start(["a"])).id)
        assert over.status is FAILED
        assert words in over.problem
    async with process(emulator, path) as later:
        assert later.told == [over]


async def test_progress_is_told_by_hundredths(emulator: Emulator, path: Path, slide: Slide) -> None:
    async def upload(client: Client, submission: Submission, tracking: dict[str, Any]) -> Run:
        return await client.runs.submit(
            "he-tme:v1.1.0", [Item("a", slide=slide)], store=emulator.store_url, **tracking
        )

    async with process(emulator, path, upload) as running:
        over = await running.over((await running.submissions.start(["a"])).id)
    assert over.sent == over.size == slide.path.stat().st_size
    assert len(running.told) < 110
    assert [each.sent for each in running.told] == sorted(each.sent for each in running.told)


async def test_at_most_max_pending_are_under_way(emulator: Emulator, path: Path) -> None:
    async with process(emulator, path, hang, max_pending=2) as running:
        for reference in "ab":
            assert not running.submissions.is_full
            await running.submissions.start([reference])
        assert running.submissions.is_full
        with pytest.raises(UsageError, match="too many"):
            await running.submissions.start(["c"])
    async with process(emulator, path, hang, max_pending=2) as later:
        assert later.submissions.is_full
    with pytest.raises(UsageError, match="references"):
        await later.submissions.start([])


async def test_one_process_at_a_time_uses_the_file(emulator: Emulator, path: Path) -> None:
    async with process(emulator, path):
        with pytest.raises(ConfigurationError, match="another process uses"):
            async with process(emulator, path):
                raise AssertionError
    async with process(emulator, path) as running:
        pass
    with pytest.raises(UsageError, match="inside `async with"):
        await running.submissions.start(["a"])


def saved(**changes: object) -> str:
    """Return the content of a file with one submission, and something else in it."""
    began = "2026-01-01T00:00:00+00:00"
    entry = {"id": "x", "references": ["a"], "owner": None, "began": began, "status": "PENDING", **changes}
    return json.dumps([entry])


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[1]",
        '[{"id": "x"}]',
        '{"a": 1}',
        "[" * 100_000,
        saved(references="abc"),
        saved(references=[1]),
        saved(references=[]),
        saved(began="2026-01-01T00:00:00"),
        saved(id=None),
        json.dumps(2 * json.loads(saved())),
    ],
)
async def test_a_damaged_file_is_refused(emulator: Emulator, path: Path, content: str) -> None:
    """It says what was submitted: whoever takes it for empty may pay twice."""
    path.parent.mkdir()
    path.write_text(content)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="move it away"):
            async with process(emulator, path):
                raise AssertionError


async def test_a_folder_is_no_file_of_submissions(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for place in (Path(), tmp_path):
        with pytest.raises(ConfigurationError, match="move it away"):
            async with process(emulator, place):
                raise AssertionError


async def test_what_can_t_be_written_is_not_begun(emulator: Emulator, path: Path) -> None:
    async with process(emulator, path) as running:
        (path.parent / path.name).mkdir()
        with pytest.raises(OSError, match=path.name):
            await running.submissions.start(["a"])
        assert running.told == []
        path.rmdir()
        assert (await running.over((await running.submissions.start(["a"])).id)).status is CREATED
    assert len(await run_ids(emulator)) == 1


@pytest.mark.one_contract("1.8")
async def test_no_write_replaces_a_later_one(
    emulator: Emulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write goes on in its thread although the call that wanted it was cancelled."""
    write, is_writing, may_end = SubmissionJournal.write, threading.Event(), threading.Event()

    def write_slowly(journal: SubmissionJournal, submissions: Iterable[Submission]) -> None:
        if not is_writing.is_set():
            is_writing.set()
            may_end.wait()
        write(journal, submissions)

    monkeypatch.setattr(SubmissionJournal, "write", write_slowly)
    async with process(emulator, path, hang) as running:
        cancelled = asyncio.create_task(running.submissions.start(["a"]))
        await asyncio.to_thread(is_writing.wait)
        cancelled.cancel()
        await asyncio.wait([cancelled])
        starting = asyncio.create_task(running.submissions.start(["b"]))
        while len(running.submissions._writes) < 3:  # with one that takes back what was cancelled
            await checkpoint()
        may_end.set()
        started = await starting
        assert [each["id"] for each in json.loads(path.read_text())] == [started.id]


@pytest.mark.one_contract("1.8")
async def test_a_submit_that_waited_for_something_cancelled_has_failed(
    emulator: Emulator, path: Path
) -> None:
    async def submit(client: Client, submission: Submission, tracking: dict[str, Any]) -> Run:
        lost: asyncio.Future[Run] = asyncio.get_running_loop().create_future()
        lost.cancel()
        return await lost

    async with process(emulator, path, submit) as running:
        over = await running.over((await running.submissions.start(["a"])).id)
    assert (over.status, "RuntimeError" in over.problem) == (FAILED, True)


@pytest.mark.one_contract("1.8")
async def test_what_describe_raises_does_not_keep_a_submission_from_its_end(
    emulator: Emulator, path: Path
) -> None:
    def describe(error: BaseException) -> str:
        raise KeyError("a bug of the service")

    async def submit(client: Client, submission: Submission, tracking: dict[str, Any]) -> Run:
        raise ConfigurationError("no store")

    async with process(emulator, path, submit, describe=describe) as running:
        over = await running.over((await running.submissions.start(["a"])).id)
    assert (over.status, "ConfigurationError" in over.problem) == (FAILED, True)


@pytest.mark.one_contract("1.8")
async def test_functions_of_another_kind_are_refused(emulator: Emulator, path: Path) -> None:
    async def tell(submission: Submission) -> None:
        raise AssertionError

    async def submit(submission: Submission, **tracking: Any) -> Run:
        raise AssertionError

    async with emulator.client() as client:
        with pytest.raises(UsageError, match="plain function"):
            BackgroundSubmissions(path, client, submit, on_change=tell)
        for wrong in ({"submit": None}, {"on_change": None}, {"describe": "text"}):
            with pytest.raises(UsageError, match=f"{next(iter(wrong))} is an? .*function, not"):
                BackgroundSubmissions(path, client, **{"submit": submit, **wrong})  # type: ignore[arg-type]


@pytest.mark.one_contract("1.8")
async def test_those_that_ended_last_are_kept(
    emulator: Emulator, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aignostics_async.services._submissions._MAX_KEPT", 1)
    may_end = asyncio.Event()

    async def submit(client: Client, submission: Submission, tracking: dict[str, Any]) -> Run:
        if submission.references == ("slow",):
            await may_end.wait()
        return await create(client, submission, tracking)

    async with process(emulator, path, submit) as running:
        slow = await running.submissions.start(["slow"])
        await running.over((await running.submissions.start(["a"])).id)
        may_end.set()
        await running.over(slow.id)
    assert [each["id"] for each in json.loads(path.read_text())] == [slow.id]


async def test_the_file_is_bounded(emulator: Emulator, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aignostics_async.services._submissions._MAX_KEPT", 2)
    async with process(emulator, path) as running:
        idents = []
        for number in range(4):
            idents.append((await running.submissions.start([str(number)])).id)
            await running.over(idents[-1])
        hanging = await running.submissions.start(["last"])
        await running.over(hanging.id)
    assert [each["id"] for each in json.loads(path.read_text())] == [idents[-1], hanging.id]
