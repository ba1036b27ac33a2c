"""Runs that are found by their marks, on a platform that shows marks late, ignores filters, or has copies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from fast_clock import SteppedClock
from job import VERSION, intent, job_database, submitter
from line_1_8 import Asker
from support import METADATA

from aignostics_async import Client, InputArtifact, Item, NotInContract, SubmissionUnknown
from aignostics_async.bulk._maintenance import resolve
from aignostics_async.bulk._plan import JobPlan
from aignostics_async.bulk.database import _commands, _queries
from aignostics_async.bulk.database._database import Database
from aignostics_async.bulk.database._states import AttemptOutcome, IntentState
from aignostics_async.bulk.reconciliation._duplicates import Reconciler
from aignostics_async.bulk.reconciliation._platform import PlatformClient
from aignostics_async.bulk.reconciliation._submitter import Submitter
from aignostics_async.emulator.platform._account import USER
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.errors import JobRefused
from aignostics_async.models import RESERVED_KEY
from aignostics_async.submission._marks import RunMark

LOST: dict[str, Any] = {"operation": "create_run", "times": 1, "drop": "after"}


@pytest.fixture
def contract(request: pytest.FixtureRequest) -> str:
    """Give the contract that has marks, unless a test names another one."""
    chosen: str = getattr(request, "param", "1.8")
    return chosen


@pytest.fixture
def platform(emulator: Emulator) -> Emulator:
    """Give an emulator whose clock stands still, Date and all, until the job sleeps."""
    emulator.reset(clock_rate=0)
    return emulator


@pytest.fixture
async def client(platform: Emulator) -> AsyncIterator[Client]:
    async with platform.client(IMPATIENT) as client:
        yield client


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with job_database(tmp_path / "job", "a", "b") as database:
        await database.write(_commands.seal([1, 2]))
        yield database


@pytest.fixture
async def worker(platform: Emulator, client: Client, database: Database, tmp_path: Path) -> Submitter:
    return await submitter(client, database, tmp_path, SteppedClock(platform))


def reads(platform: Emulator) -> list[str]:
    """Return the operations that read, in order, since the request for the run."""
    asked = [each["operation"] for each in platform.requests()]
    return asked[asked.index("create_run") + 1 :]


def posts(platform: Emulator) -> int:
    """Return how often a run was asked for."""
    return sum(each["operation"] == "create_run" for each in platform.requests())


async def die_after_sending(worker: Submitter, database: Database) -> None:
    """Let a process send a request, and die before it has its answer."""
    row = await intent(database)
    mark = worker.new_mark(row)
    await worker.begin(1, None, mark)
    await worker.platform.create(await worker.prepare(row), mark)


@pytest.mark.parametrize(
    ("contract", "needed"),
    [("1.0", ["list_runs"] * 3 + ["list_results"]), ("1.8", ["list_runs"])],
    indirect=["contract"],
)
async def test_a_lost_answer_costs_one_request_with_a_mark(
    platform: Emulator, worker: Submitter, database: Database, needed: Sequence[str]
) -> None:
    platform.set_faults(LOST)
    assert await worker.reconcile(await intent(database)) is None
    assert (await intent(database)).state is IntentState.CREATED
    assert reads(platform) == needed


async def test_another_process_takes_the_run_by_a_word_in_its_mark(
    platform: Emulator, client: Client, worker: Submitter, database: Database
) -> None:
    await die_after_sending(worker, database)
    heir = evolve(worker, holder="heir")
    assert await heir.reconcile(await intent(database)) is None
    found = await intent(database)
    assert (found.state, found.reason) == (IntentState.CREATED, "found by its mark")
    assert reads(platform) == ["list_runs", "list_results", "get_run", "set_run_metadata"]
    mark = RunMark.read((await client.run(found.run_id or "").details()).sdk_metadata)
    assert mark is not None
    assert (mark.holder, mark.claimed) == (worker.holder, "heir")


@pytest.mark.parametrize(
    "conditions",
    [
        {"filters_metadata": False},
        {"metadata_late_s": 60.0},
        {"filters_metadata": False, "metadata_late_s": 200.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("fault", [LOST, {**LOST, "drop": None, "late_s": 90}], ids=["answer lost", "late"])
async def test_a_filter_that_finds_nothing_proves_nothing(
    platform: Emulator,
    worker: Submitter,
    database: Database,
    conditions: dict[str, Any],
    fault: dict[str, Any],
) -> None:
    platform.set_conditions(**conditions)
    platform.set_faults({name: value for name, value in fault.items() if value is not None})
    assert await worker.reconcile(await intent(database)) is None
    assert (await intent(database)).state is IntentState.CREATED
    assert posts(platform) == 1


async def test_metadata_that_were_overwritten_leave_the_items_to_tell(
    platform: Emulator, client: Client, worker: Submitter, database: Database
) -> None:
    await die_after_sending(worker, database)
    (run,) = await client.runs.list().to_list()
    asker = Asker(platform)
    asker.put(f"/runs/{run.run_id}/custom-metadata", {"custom_metadata": {"mine": 1}})
    assert await evolve(worker, holder="heir").reconcile(await intent(database)) is None
    found = await intent(database)
    assert (found.state, found.run_id) == (IntentState.CREATED, run.run_id)
    assert posts(platform) == 1


async def test_the_run_that_a_copy_of_the_folder_has_sent_is_taken(
    platform: Emulator, client: Client, worker: Submitter, database: Database
) -> None:
    """The copy has sent the same chunk again: to send it once more would be paid twice."""
    row = await intent(database)
    theirs = RunMark(attempt="theirs", holder="copy", job="job", intent=row.uuid)
    script = {"items": ["a", "b"], "application_version_id": VERSION}
    (run_id,) = platform.script({**script, "custom_metadata": {RESERVED_KEY: theirs.as_json()}})
    platform.set_faults({**LOST, "drop": "before"})
    assert await worker.reconcile(row) is None
    found = await intent(database)
    assert (found.state, found.run_id, posts(platform)) == (IntentState.CREATED, run_id, 1)
    mark = RunMark.read((await client.run(run_id).details()).sdk_metadata)
    assert mark == theirs.claimed_by(worker.holder), "and the copy can't cancel it any more"


async def test_a_run_of_another_job_with_the_same_references_is_not_taken(
    platform: Emulator, worker: Submitter, database: Database
) -> None:
    theirs = RunMark(attempt="theirs", holder="another", job="another", intent="one").as_json()
    script = {"items": ["a", "b"], "application_version_id": VERSION}
    (run_id,) = platform.script({**script, "custom_metadata": {RESERVED_KEY: theirs}})
    platform.set_faults({**LOST, "drop": "before"})
    assert await worker.reconcile(await intent(database)) is None
    found = await intent(database)
    assert (found.state, found.run_id != run_id) == (IntentState.CREATED, True)
    assert "list_results" not in reads(platform), "its mark tells, and its items need not be read"


async def test_a_run_that_comes_after_the_proof_of_its_absence_is_taken_before_another_is_asked_for(
    platform: Emulator, worker: Submitter, database: Database
) -> None:
    platform.set_faults({"operation": "create_run", "times": 1, "late_s": 400})
    prepare, prepared = worker.prepare, 0

    async def slowly(row: Any) -> Any:
        nonlocal prepared
        prepared += 1
        if prepared == 2:  # the URLs of the request that is to be repeated
            await come(platform, 1, after_s=400)
        return await prepare(row)

    assert await evolve(worker, prepare=slowly).reconcile(await intent(database)) is None
    assert (await intent(database)).state is IntentState.CREATED
    assert (prepared, posts(platform)) == (2, 1)


@pytest.mark.parametrize("whose", ["the job's", "another user's", "copied", "another job's"])
async def test_a_run_that_comes_while_nobody_works_is_the_job_s_if_its_mark_is(
    platform: Emulator, client: Client, worker: Submitter, database: Database, whose: str
) -> None:
    """The process has proven its absence, and was killed before it has sent another request."""
    await die_after_sending(worker, database)
    await database.write(_commands.conclude(1, AttemptOutcome.UNKNOWN, IntentState.UNKNOWN))
    await database.write(_commands.resolve(1, IntentState.SEALED, reason="the platform has no such run"))
    (run,) = await client.runs.list().to_list()
    if whose != "the job's":
        platform.move({"run": run.run_id, "delete": True})
        mark = RunMark.read(run.sdk_metadata)
        assert mark is not None
        mark = evolve(mark, job="another") if whose == "another job's" else mark
        metadata = {RESERVED_KEY: mark.as_json()}
        script = {"items": ["a", "b"], "application_version_id": VERSION, "custom_metadata": metadata}
        user = {"submitted_by": "another"} if whose == "another user's" else {}
        platform.script(*[{**script, **user}] * (2 if whose == "copied" else 1))
    settling = evolve(reconciler(client, database, worker.platform, "heir"), user=USER, replica_lag=0.0)
    while (result := await settling.adopt(is_copy=False)).is_open:
        pass
    assert (result.adopted == [run.run_id]) == (whose == "the job's")
    assert bool(result.held) == (whose != "the job's")


async def test_a_run_of_a_copy_that_has_some_items_again_is_told_of(
    platform: Emulator, client: Client, worker: Submitter, database: Database
) -> None:
    """The copy has put the items into other chunks, so no chunk has the references of its run."""
    assert await worker.reconcile(await intent(database)) is None
    theirs = RunMark(attempt="theirs", holder="copy", job="job", intent="other")
    script = {"application_version_id": VERSION, "custom_metadata": {RESERVED_KEY: theirs.as_json()}}
    other = evolve(theirs, attempt="another's", job="another").as_json()
    run_id, _ = platform.script(
        {**script, "items": ["b", "c"]},
        {**script, "items": ["a"], "custom_metadata": {RESERVED_KEY: other}},
    )
    (told,) = await reconciler(client, database, worker.platform, worker.holder).find_duplicates()
    assert (told.run_id, told.intent, told.done) == (run_id, 1, None)


def reconciler(client: Client, database: Database, platform: PlatformClient, holder: str) -> Reconciler:
    told: dict[str, Any] = {"database": database, "platform": platform, "client": client}
    return Reconciler(**told, version=VERSION, tag="", since=0.0, replica_lag=30.0, job="job", holder=holder)


async def late_second_run(platform: Emulator, worker: Submitter, database: Database) -> None:
    """Let a request be repeated, and the run of the first one come later than all limits."""
    platform.set_faults({"operation": "create_run", "times": 1, "late_s": 5000})
    assert await worker.reconcile(await intent(database)) is None
    assert (await intent(database)).state is IntentState.CREATED
    await come(platform, 2, after_s=5000)


async def come(platform: Emulator, runs: int, *, after_s: float) -> None:
    """Let time pass, after which there are some runs."""
    platform.set_clock(advance_s=after_s)
    for _ in range(600):
        if len({run_id for _, run_id, _, _ in platform.ledger()}) == runs:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the run never comes")


@pytest.mark.parametrize("who", ["the process itself", "another one", "nobody: a copy has it"])
async def test_a_second_run_is_cancelled_by_who_has_sent_it_alone(
    platform: Emulator, client: Client, worker: Submitter, database: Database, who: str
) -> None:
    await late_second_run(platform, worker, database)
    first = (await intent(database)).run_id
    (second,) = [run async for run in client.runs.list() if run.run_id != first]
    if who == "nobody: a copy has it":
        assert await worker.platform.claim(
            next(run for run in await worker.platform.runs(0.0) if run.run_id == second.run_id), "a copy"
        )
    holder = "another" if who == "another one" else worker.holder
    (told,) = await reconciler(client, database, worker.platform, holder).find_duplicates()
    assert told.run_id == second.run_id
    assert (told.done is not None) == (who == "the process itself")
    status = (await client.run(second.run_id).details()).status
    assert (status == "CANCELED_USER") == (who == "the process itself")


async def test_what_is_being_cancelled_is_taken_by_nobody(
    platform: Emulator, client: Client, worker: Submitter, database: Database, tmp_path: Path
) -> None:
    await die_after_sending(worker, database)
    (run,) = await worker.platform.runs(0.0)
    assert await worker.platform.withdraw(run, worker.holder)
    (run,) = await worker.platform.runs(0.0)
    assert not await worker.platform.claim(run, "heir")
    await database.write(_commands.doubt(1, "nobody knows"))
    plan = JobPlan(api_root=client.api_root, application_version=VERSION, store="s3://bucket")
    with pytest.raises(JobRefused, match="about to be cancelled"):
        await resolve(database, client, plan, 1, run_id=run.run_id)
    assert (await database.read(_queries.intent(1))).run_id is None


# Single runs


def items(*references: str) -> list[Item]:
    artifact = InputArtifact("slide", "http://127.0.0.1:9/slide.tiff", METADATA)
    return [Item(reference, artifacts=[artifact]) for reference in references]


@pytest.mark.parametrize("conditions", [{}, {"filters_metadata": False}, {"metadata_late_s": 60.0}], ids=str)
async def test_the_run_of_a_lost_reply_is_told_from_its_twin(
    platform: Emulator, client: Client, conditions: dict[str, Any]
) -> None:
    platform.set_conditions(**conditions)
    twin = await client.runs.create(VERSION, items("a"))
    platform.set_faults(LOST)
    with pytest.raises(SubmissionUnknown) as lost:
        await client.runs.create(VERSION, items("a"))
    told: dict[str, Any] = {"references": lost.value.references, "since": lost.value.sent_at}
    assert len((await client.runs.find(**told)).exact) == 2, "by their items they are the same"
    if "metadata_late_s" in conditions:
        early = await client.runs.find(**told, submission=lost.value.submission)
        assert (len(early.exact), len(early.possible)) == (0, 2), "too early to know"
        platform.set_clock(advance_s=61)
    found = await client.runs.find(**told, submission=lost.value.submission)
    assert not found.possible
    (run,) = found.exact
    assert run.run_id != twin.id
    assert (await client.runs.find(submission=lost.value.submission)).exact == (run,)
    assert not await client.runs.find(**told, submission="another one")


async def test_marks_are_not_of_the_older_contract(emulator: Emulator) -> None:
    async with emulator.client(contract="1.0") as older:
        emulator.set_faults(LOST)
        with pytest.raises(SubmissionUnknown) as lost:
            await older.runs.create(VERSION, items("a"))
        assert lost.value.submission is None
        assert "submission" not in str(lost.value)
        with pytest.raises(NotInContract):
            await older.runs.find(submission="x")
