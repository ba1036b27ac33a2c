"""What is done to a job beside its work, and what listings and results do to it: on a real database."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from bulk_jobs import BEGUN, MadeUpJob, made_up_job

from aignostics_async import JobRefused, JobStateError
from aignostics_async.bulk import _corrections, _identity, _maintenance
from aignostics_async.bulk.database import _commands, _ownership_queries, _queries, _retries, _run_commands
from aignostics_async.bulk.database._database import Database
from aignostics_async.bulk.database._run_commands import ExpectedOutput, ObservedRun, OutputFile
from aignostics_async.bulk.database._states import AttemptOutcome, IntentState, ItemState
from aignostics_async.bulk.preflight.sources._slide_entry import SlideEntry
from aignostics_async.bulk.report._audit import JobStatus
from aignostics_async.bulk.report._summary import read_summary
from aignostics_async.downloads._outcomes import FileStatus


@pytest.fixture
def job(tmp_path: Path) -> Iterator[MadeUpJob]:
    with made_up_job(tmp_path) as job:
        yield job
        assert not read_summary(job.connection.execute).audit.lost, "every item is accounted for"


def states(job: MadeUpJob) -> list[str]:
    return [row[0] for row in job.execute("SELECT state FROM items ORDER BY number")]


def intents(job: MadeUpJob) -> list[str]:
    return [row[0] for row in job.execute("SELECT state FROM intents ORDER BY number")]


def read(job: MadeUpJob, query: Any) -> Any:
    return query(job.connection.execute)


def fetched(artifact_id: str, status: FileStatus = FileStatus.VERIFIED) -> OutputFile:
    return OutputFile(
        artifact_id=artifact_id,
        name="areas",
        status=status,
        path="areas.csv",
        size=1,
        crc32c=None,
        fault=None,
    )


def succeed(job: MadeUpJob, run_id: str, reference: str, *artifact_ids: str) -> bool:
    """Record the success of an item with some outputs."""
    outputs = [ExpectedOutput(each, "areas") for each in artifact_ids]
    command = _run_commands.take_result(
        run_id,
        reference,
        item_id=str(uuid.uuid4()),
        state=ItemState.SUCCEEDED,
        status="SUCCEEDED",
        error=None,
        outputs=outputs,
    )
    return bool(job.apply(command))


def fail(job: MadeUpJob, run_id: str, reference: str) -> None:
    command = _run_commands.take_result(
        run_id, reference, item_id="item", state=ItemState.FAILED, status="ERROR_SYSTEM", error="no"
    )
    assert job.apply(command)


# Trying again


def test_what_was_set_aside_goes_on_where_it_was(job: MadeUpJob) -> None:
    unread, sent, there = job.add("unread", "sent", "there")
    job.upload([sent, there])
    _, run_id = job.submit([there])
    assert succeed(job, run_id, "there", "x")
    job.move([unread, sent, there], ItemState.QUARANTINED, fault="something")
    assert job.apply(_retries.retry(failed=False)) == 3
    assert states(job) == ["FOUND", "STORED", "SUCCEEDED"]
    assert job.execute("SELECT count(fault) FROM items").fetchone() == (0,)


def test_failed_items_go_on_only_when_that_is_asked_for(job: MadeUpJob) -> None:
    numbers = job.add("a", "b")
    job.upload(numbers)
    intent, run_id = job.submit(numbers)
    assert succeed(job, run_id, "a")
    fail(job, run_id, "b")
    job.apply(_run_commands.take_files(1, ItemState.DONE, []))
    job.apply(_run_commands.end_run(run_id, "COMPLETED_WITH_ERROR", BEGUN))
    assert (states(job), intents(job)) == (["DONE", "FAILED"], ["CLOSED"])
    assert job.apply(_retries.retry(failed=False)) == 0
    assert job.apply(_retries.retry(failed=True)) == 1
    assert (states(job), intents(job)) == (["DONE", "STORED"], ["CLOSED"])
    again, _ = job.submit([2])
    assert again != intent
    assert read(job, _queries.billed()) == 3, "it is billed twice, and counts twice"


def test_a_failed_item_without_an_object_is_uploaded_again(job: MadeUpJob) -> None:
    """It was adopted from its run: a request for it would hold no URL."""
    (number,) = job.add("a")
    job.apply(
        _run_commands.adopt(
            ObservedRun(str(uuid.uuid4()), BEGUN, "RUNNING", "v"), [number], tag="", how="found"
        )
    )
    ((run_id,),) = job.execute("SELECT run_id FROM intents").fetchall()
    fail(job, run_id, "a")
    assert job.apply(_retries.retry(failed=True)) == 1
    assert states(job) == ["FOUND"]


def test_items_of_a_run_that_is_gone_are_paid_again_or_stay(job: MadeUpJob) -> None:
    numbers = job.add("pending", "succeeded")
    job.upload(numbers)
    _, run_id = job.submit(numbers)
    assert succeed(job, run_id, "succeeded", "x")
    assert job.apply(_run_commands.lose_run(run_id, BEGUN)) == 2
    assert (states(job), intents(job)) == (["SET_ASIDE"] * 2, ["CLOSED"])
    assert read(job, _queries.newest_runs(5)) == []
    assert job.apply(_retries.retry(failed=False)) == 0
    assert states(job) == ["SET_ASIDE"] * 2
    assert job.apply(_retries.retry(failed=True)) == 2
    assert states(job) == ["STORED"] * 2
    job.submit(numbers)


# Outputs


def test_an_item_is_done_when_all_of_its_outputs_are_here(job: MadeUpJob) -> None:
    """The last output is listed while the first ones are on their way."""
    job.upload(job.add("a"))
    _, run_id = job.submit([1])
    assert succeed(job, run_id, "a", "first")
    job.apply(
        _run_commands.know_outputs(run_id, {"a": [ExpectedOutput("first", "x"), ExpectedOutput("last", "y")]})
    )
    assert not job.apply(_run_commands.take_files(1, ItemState.DONE, [fetched("first")]))
    assert states(job) == ["SUCCEEDED"]
    assert job.apply(_run_commands.take_files(1, ItemState.DONE, [fetched("first"), fetched("last")]))
    assert states(job) == ["DONE"]


def test_an_output_that_is_listed_at_the_end_opens_its_item_again(job: MadeUpJob) -> None:
    job.upload(job.add("a"))
    _, run_id = job.submit([1])
    assert succeed(job, run_id, "a", "first")
    job.apply(_run_commands.take_files(1, ItemState.DONE, [fetched("first")]))
    job.apply(_run_commands.know_outputs(run_id, {"a": [ExpectedOutput("first", "x")], "stranger": []}))
    assert states(job) == ["DONE"], "that is no news"
    job.apply(_run_commands.know_outputs(run_id, {"a": [ExpectedOutput("last", "x")]}))
    assert job.apply(_run_commands.end_run(run_id, "COMPLETED", BEGUN)) == 0
    assert (states(job), intents(job)) == (["SUCCEEDED"], ["CREATED"])


def test_a_result_is_news_once(job: MadeUpJob) -> None:
    job.upload(job.add("a"))
    _, run_id = job.submit([1])
    assert not succeed(job, str(uuid.uuid4()), "a"), "of another run"
    assert not succeed(job, run_id, "stranger")
    assert succeed(job, run_id, "a")
    assert not succeed(job, run_id, "a")


def test_files_that_come_after_their_run_was_lost_count(job: MadeUpJob) -> None:
    job.upload(job.add("a", "b"))
    _, run_id = job.submit([1, 2])
    for reference in "ab":
        assert succeed(job, run_id, reference, reference)
    job.apply(_run_commands.lose_run(run_id, BEGUN))
    assert job.apply(_run_commands.take_files(1, ItemState.DONE, [fetched("a")]))
    assert not job.apply(_run_commands.take_files(2, ItemState.SUCCEEDED, [fetched("b", FileStatus.FAILED)]))
    assert not job.apply(_commands.quarantine(2, "its own fault", None))
    assert states(job) == ["DONE", "SET_ASIDE"]
    (first, second) = job.execute("SELECT fault FROM items ORDER BY number").fetchall()
    assert first == (None,)
    assert run_id in second[0], "the first fault is the one that is told"


def test_a_missing_file_opens_its_item_and_its_intent(job: MadeUpJob) -> None:
    job.upload(job.add("a", "b"))
    intent, run_id = job.submit([1, 2])
    for number, reference in enumerate("ab", start=1):
        assert succeed(job, run_id, reference, reference)
        job.apply(_run_commands.take_files(number, ItemState.DONE, [fetched(reference)]))
    assert intents(job) == ["CREATED"], "its run is not over"
    job.apply(_run_commands.end_run(run_id, "COMPLETED", BEGUN))
    assert intents(job) == ["CLOSED"]
    job.apply(_run_commands.miss_files(2, ["b"]))
    assert (states(job), intents(job)) == (["DONE", "SUCCEEDED"], ["CREATED"])
    assert read(job, _queries.runs_under_way()) == [], "there is nothing to watch"
    assert [row[:2] for row in read(job, _queries.files(Path()))] == [(1, "a")]
    job.apply(_run_commands.take_files(2, ItemState.DONE, [fetched("b")]))
    assert (states(job), intents(job)) == (["DONE"] * 2, ["CLOSED"])
    assert read(job, _queries.intent(intent)).run_id == run_id


def test_what_a_run_ended_without_has_failed(job: MadeUpJob) -> None:
    job.upload(job.add("a", "b"))
    _, run_id = job.submit([1, 2])
    assert succeed(job, run_id, "a", "x")
    assert job.apply(_run_commands.end_run(run_id, "COMPLETED_WITH_ERROR", BEGUN)) == 1
    assert states(job) == ["SUCCEEDED", "FAILED"]
    assert intents(job) == ["CREATED"], "not before the outputs are here"


def test_an_intent_that_has_a_run_keeps_it(job: MadeUpJob) -> None:
    job.upload(job.add("a"))
    intent, run_id = job.submit([1])
    assert succeed(job, run_id, "a")
    job.apply(_run_commands.take_files(1, ItemState.DONE, []))
    job.apply(_run_commands.end_run(run_id, "COMPLETED", BEGUN))
    with pytest.raises(JobStateError):
        job.apply(_commands.resolve(intent, IntentState.CREATED, str(uuid.uuid4())))
    assert read(job, _queries.intent(intent)).run_id == run_id


# Correcting


@pytest.mark.parametrize("numbers", [(1, 2), (2, 1)])
def test_a_reference_stays_with_the_slide_that_has_it(numbers: tuple[int, int]) -> None:
    """Whichever of the two comes first, and also if that one is corrected too."""
    mended, owner = numbers
    entries = {number: SlideEntry(path=f"/slides/{number}.svs", reference="case-7") for number in (1, 2)}
    faults = list(_corrections._take_collisions(entries, {"slides.csv, line 2": mended, "case-7": owner}))
    assert list(entries) == [owner]
    assert [fault.slide for fault in faults] == [f"/slides/{mended}.svs"]


# Cancelling


async def test_a_chunk_of_a_cancelled_job_that_has_no_run_is_not_sent(job: MadeUpJob) -> None:
    for names, reason in (("ab", "nobody knows"), ("cd", None)):
        numbers = job.add(*names)
        job.upload(numbers)
        if reason is None:
            intent = job.apply(_commands.seal(numbers))
            job.apply(_commands.begin(intent, 0.0))  # a request is on its way
        else:
            job.doubt(numbers, reason=reason)
    for _ in range(2):
        job.apply(_commands.cancel("cancelled", "retry"))
    job.connection.commit()
    database = Database(job.path).open()
    try:
        open_to_decide = await database.read(_queries.intents_in(IntentState.AMBIGUOUS))
        assert [row.reason for row in open_to_decide] == [
            "the job was cancelled; nobody knows",
            "the job was cancelled; nobody knew whether it has a run",
        ]
        for row in open_to_decide:
            nothing = cast("Any", None)
            await _maintenance.resolve(database, nothing, nothing, row.number, run_id=None)
        assert await database.read(_queries.counts()) == {ItemState.QUARANTINED: 4}
        assert not await database.read(_queries.intents_in(IntentState.SEALED, IntentState.AMBIGUOUS))
    finally:
        database.close()
        job.connection.execute("BEGIN")


async def test_what_was_retried_goes_on_whatever_is_decided_about_another_chunk(job: MadeUpJob) -> None:
    job.add("a")
    numbers = job.add("b", "c")
    job.upload(numbers)
    intent = job.doubt(numbers)
    job.apply(_commands.cancel("cancelled", "retry"))
    assert job.apply(_retries.retry(failed=False)) == 1
    job.connection.commit()
    database = Database(job.path).open()
    try:
        nothing = cast("Any", None)
        await _maintenance.resolve(database, nothing, nothing, intent, run_id=None)
        assert await database.read(_queries.counts()) == {ItemState.FOUND: 1, ItemState.QUARANTINED: 2}
        assert (await database.read(read_summary)).job.cancelled_at is None
    finally:
        database.close()
        job.connection.execute("BEGIN")


def test_cancelling_leaves_nothing_that_would_be_sent(job: MadeUpJob) -> None:
    found, stored, sealed, asked, lost, running, done = job.add(*"abcdefg")
    job.upload([stored, sealed, asked, lost, running, done])
    job.apply(_commands.seal([sealed]))
    for number in (asked, lost):
        job.apply(_commands.begin(job.apply(_commands.seal([number])), BEGUN))
    job.apply(_commands.conclude(3, AttemptOutcome.UNKNOWN, IntentState.UNKNOWN))
    job.submit([running])
    _, run_id = job.submit([done])
    assert succeed(job, run_id, "g")
    job.apply(_run_commands.take_files(done, ItemState.DONE, []))

    for _ in range(2):
        job.apply(_commands.cancel("cancelled", "retry"))
        assert states(job) == [*["SET_ASIDE"] * 3, "ASSIGNED", "ASSIGNED", "SUBMITTED", "DONE"]
        assert intents(job) == ["DISSOLVED", "AMBIGUOUS", "AMBIGUOUS", "CREATED", "CREATED"]
    assert found == 1
    assert read(job, _queries.waiting()) == []
    assert job.execute("SELECT count(*) FROM attempts WHERE outcome IS NULL").fetchone() == (0,)
    assert job.apply(_retries.retry(failed=False)) == 3
    assert states(job)[:3] == ["FOUND", "STORED", "STORED"]


# Runs in listings


def test_what_was_seen_before_a_chunk_was_sealed_is_not_its_run(job: MadeUpJob) -> None:
    job.upload(job.add("a", "b"))
    job.apply(_run_commands.record_runs([ObservedRun("early", BEGUN, "RUNNING", "v")]))
    first = job.apply(_commands.seal([1]))
    job.apply(_run_commands.record_runs([ObservedRun("late", BEGUN, "RUNNING", "v")]))
    second = job.apply(_commands.seal([2]))
    assert read(job, _queries.others_runs(first)) == {"early"}
    assert read(job, _queries.others_runs(second)) == {"early", "late"}
    job.apply(_run_commands.find_duplicate(ObservedRun("twin", BEGUN, "RUNNING", "v"), second, None))
    assert read(job, _queries.others_runs(first)) == {"early", "twin"}


def test_a_second_run_is_settled_once_it_is_known_to_be_one(job: MadeUpJob) -> None:
    job.upload(job.add("a"))
    intent, run_id = job.submit([1])
    second = job.duplicate(intent)
    assert read(job, _queries.duplicates()) == {second}
    assert read_summary(job.connection.execute).status is JobStatus.UNDECIDED
    job.apply(_run_commands.resolve_duplicate(run_id, "no"))
    assert read_summary(job.connection.execute).status is JobStatus.UNDECIDED
    job.apply(_run_commands.resolve_duplicate(second, "it was cancelled"))
    assert read_summary(job.connection.execute).status is JobStatus.UNFINISHED


def test_adopting_a_run_frees_the_items_that_waited_with_its_own(job: MadeUpJob) -> None:
    """The copy has one chunk of three; what happened later was a chunk of two, and one that was refused."""
    numbers = job.add("a", "b", "c")
    job.upload(numbers)
    old = job.apply(_commands.seal(numbers))
    job.apply(_commands.begin(old, BEGUN))
    run = ObservedRun(str(uuid.uuid4()), BEGUN, "RUNNING", "v")
    adopted = job.apply(_run_commands.adopt(run, [1, 2], tag="", how="forgotten"))
    assert states(job) == ["SUBMITTED", "SUBMITTED", "STORED"]
    assert intents(job) == ["DISSOLVED", "CREATED"]
    assert [each.run_id for each in read(job, _queries.runs_under_way())] == [run.run_id]
    assert read(job, _queries.others_runs(old)) >= {run.run_id}
    with pytest.raises(JobStateError):
        job.apply(_commands.begin(old, BEGUN))
    ownership = read(job, _ownership_queries.ownership())
    assert (ownership.intents, ownership.runs) == ({frozenset("ab"): adopted}, {run.run_id})
    assert ownership.placed == {1, 2}


def test_claims_tell_what_is_open_from_what_has_a_run(job: MadeUpJob) -> None:
    job.upload(job.add("a", "b", "c", "d"))
    job.submit([1])
    job.apply(_commands.seal([2], tag="~mark"))
    job.doubt([3])
    refused = job.apply(_commands.seal([4]))
    job.apply(_commands.begin(refused, BEGUN))
    job.apply(_commands.conclude(refused, AttemptOutcome.REFUSED, IntentState.DISSOLVED, reason="no"))
    ownership = read(job, _ownership_queries.ownership())
    assert ownership.intents == {frozenset("a"): 1}
    assert ownership.open == {frozenset({"b~mark.2"}), frozenset("c")}


def test_until_when_a_second_run_may_come(job: MadeUpJob) -> None:
    job.upload(job.add("a", "b"))
    for number in (1, 2):
        job.apply(_commands.begin(job.apply(_commands.seal([number])), BEGUN + number))
    job.apply(_commands.conclude(1, AttemptOutcome.UNKNOWN, IntentState.UNKNOWN))
    assert read(job, _queries.doubted()) is None, "one request, so one run at most"
    job.apply(_commands.resolve(1, IntentState.SEALED))
    job.apply(_commands.begin(1, BEGUN + 500))
    ((sent_at,),) = job.execute("SELECT sent_at FROM attempts WHERE outcome = 'UNKNOWN'").fetchall()
    doubted = read(job, _queries.doubted())
    assert doubted == _queries.RequestTime(sent_at, BEGUN + 1)
    assert doubted.age(sent_at + 60, BEGUN + 8000) == 60, "a server may be ahead"
    assert doubted.age(sent_at + 8000, BEGUN + 61) == 60, "the clock of this machine may have been set"
    assert doubted.age(sent_at + 60, None) == 60


def test_what_is_committed_to_the_limit_of_items(job: MadeUpJob) -> None:
    numbers = job.add(*"abcdef")
    job.upload(numbers[:4])
    job.submit(numbers[:1])
    job.apply(_commands.seal(numbers[1:2]))
    job.move(numbers[4:5], ItemState.READY, ItemState.SENDING)
    assert read(job, _queries.billed()) == 2
    assert read(job, _queries.committed()) == 4, "one that is on its way is counted by who sends it"


# Identity


def test_an_identity_is_kept_and_completed() -> None:
    first = _identity.check_identity(None, {"api_root": "https://a", "token_user": "me"})
    second = _identity.check_identity(first, {"api_root": "https://a", "user": "u", "organization": "o"})
    assert _identity.check_identity(second, {}) == second
    for name, words in _identity._WORDS.items():
        if name not in ("api_root", "token_user", "user", "organization"):
            continue
        with pytest.raises(JobRefused, match=words):
            _identity.check_identity(second, {name: "another"})


def test_an_account_counts_more_than_the_token_of_one_client() -> None:
    by_token = {"token_user": "me@one", "token_organization": "one"}
    kept = _identity.check_identity(None, {**by_token, "me_user": "u", "me_organization": "o"})
    other = {"token_user": "me@two", "token_organization": "two"}
    for known in (kept, _identity.check_identity(None, by_token)):
        with pytest.raises(JobRefused, match="another user"):
            _identity.check_identity(known, other)
    assert _identity.check_identity(kept, {**other, "me_user": "u", "me_organization": "o"})
    for name in ("me_user", "me_organization"):
        with pytest.raises(JobRefused, match=_identity._WORDS[name]):
            _identity.check_identity(kept, {**other, "me_user": "u", "me_organization": "o", name: "x"})


def test_when_it_is_proven_who_resumes() -> None:
    before = _identity.check_identity(None, {"token_user": "me", "user": "u", "organization": "o"})
    assert _identity.is_proven(before, {"token_user": "me"})
    assert _identity.is_proven(before, {"user": "u"})
    assert _identity.is_proven(before, {"me_user": "u"})
    assert not _identity.is_proven(before, {"me_user": "another"})
    assert not _identity.is_proven(before, {"organization": "o"}), "a colleague does not see the runs"
    assert not _identity.is_proven(before, {})
    assert not _identity.is_proven(None, {"user": "u"})
