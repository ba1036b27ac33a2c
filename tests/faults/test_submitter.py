"""One run for each intent on a platform that answers late, not at all, or twice as slowly as it works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from bulk_jobs import PLAN
from chaos._judge import all_over
from fast_clock import SteppedClock
from job import VERSION, intent, job_database, submitter
from support import count

from aignostics_async import (
    APIStatusError,
    CallableToken,
    Client,
    Item,
    JobStopped,
    LoginRequired,
    Retries,
    Timeouts,
)
from aignostics_async.bulk._create import _begin
from aignostics_async.bulk.database import _commands, _queries
from aignostics_async.bulk.database._database import Database
from aignostics_async.bulk.database._job_folder import HighWaterMark, HighWaterMarkFile
from aignostics_async.bulk.database._states import IntentState
from aignostics_async.bulk.reconciliation._platform import PlatformClient
from aignostics_async.bulk.reconciliation._protocol import AttemptResult
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.submission._marks import RunMark

pytestmark = pytest.mark.both_contracts

RUNS = "/api/v1/runs"
SEARCH = {"operation": "list_runs", "query": {"page_size": "100"}}
"""A question for runs; a shorter page is a question for the time."""


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
    async with job_database(tmp_path / "job", f"{tmp_path.name}-1", f"{tmp_path.name}-2") as database:
        await database.write(_commands.seal([1, 2]))
        yield database


async def reconcile(platform: Emulator, client: Client, database: Database, folder: Path) -> IntentState:
    worker = await submitter(client, database, folder, SteppedClock(platform))
    assert await worker.reconcile(await intent(database)) is None
    return (await intent(database)).state


def runs_of(platform: Emulator, folder: Path) -> int:
    """Return how many runs there are with this test's references, by the platform's own books."""
    references: dict[str, set[str | None]] = {}
    for _, run_id, reference, _ in platform.ledger():
        references.setdefault(run_id, set()).add(reference)
    return sum(f"{folder.name}-1" in found for found in references.values())


async def finished(platform: Emulator, folder: Path) -> int:
    """Return how many runs there are, once all of them are over and the ledger names their items."""
    platform.set_clock(rate=1000, advance_s=1000)
    for _ in range(600):
        if all_over(platform.ledger()):
            break
        await asyncio.sleep(0.02)
    return runs_of(platform, folder)


async def test_a_run_is_created_and_written_down(
    platform: Emulator, client: Client, database: Database, tmp_path: Path
) -> None:
    assert await reconcile(platform, client, database, tmp_path) is IntentState.CREATED
    run_id = (await intent(database)).run_id
    assert run_id is not None
    assert {item.reference async for item in client.run(run_id).results()} == {
        f"{tmp_path.name}-1",
        f"{tmp_path.name}-2",
    }
    assert HighWaterMarkFile("job", tmp_path / "state").read() == HighWaterMark(1, 1)
    assert count(platform, operation="create_run") == 1


@pytest.mark.parametrize(
    ("fault", "posts"),
    [
        ({"drop": "after"}, 1),
        ({"drop": "before"}, 2),
        ({"late_s": 40}, 1),
        ({"status": 500}, 2),
        ({"status": 502, "body": "<html>"}, 2),
        ({"status": 200, "body": {}}, 2),
        ({"status": 201, "body": {}}, 2),
        ({"status": 307, "headers": {"Location": "/elsewhere"}}, 2),
        ({"status": 429, "headers": {"Retry-After": "1"}, "body": {"detail": "too many"}}, 2),
        ({"status": 401}, 2),
    ],
    ids=lambda value: ", ".join(map(str, value)) if isinstance(value, dict) else None,
)
async def test_whatever_the_answer_there_is_one_run(
    platform: Emulator, client: Client, database: Database, tmp_path: Path, fault: dict[str, Any], posts: int
) -> None:
    platform.set_faults({"operation": "create_run", "times": 1, **fault})
    assert await reconcile(platform, client, database, tmp_path) is IntentState.CREATED
    assert count(platform, operation="create_run") == posts
    assert await finished(platform, tmp_path) == 1


async def test_stale_listings_and_late_commits(
    platform: Emulator, client: Client, database: Database, tmp_path: Path
) -> None:
    """The run is there after 40 s, and listings are 25 s behind: in five minutes it shows."""
    platform.set_faults(
        {"operation": "create_run", "times": 1, "late_s": 40},
        {"method": "GET", "path": f"{RUNS}.*", "lag_s": 25},
    )
    assert await reconcile(platform, client, database, tmp_path) is IntentState.CREATED
    assert count(platform, operation="create_run") == 1
    assert await finished(platform, tmp_path) == 1


@pytest.mark.one_contract("1.0")  # the other one has marks, which tell without the items
async def test_nothing_is_sent_again_while_a_run_may_be_the_one(
    platform: Emulator, client: Client, database: Database, tmp_path: Path
) -> None:
    """A run of the right time whose items can't be read: in the end a person has to look."""
    platform.set_faults(
        {"operation": "create_run", "times": 1, "drop": "after"},
        {"operation": "list_results", "status": 500},
    )
    assert await reconcile(platform, client, database, tmp_path) is IntentState.AMBIGUOUS
    assert count(platform, operation="create_run") == 1
    assert "these may be its run" in ((await intent(database)).reason or "")


async def test_a_process_that_died_after_sending_finds_its_run(
    platform: Emulator, client: Client, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform has answered, and nobody has written it down."""
    create = PlatformClient.create

    async def dies(self: PlatformClient, items: Sequence[Item], mark: RunMark | None) -> AttemptResult:
        await create(self, items, mark)
        raise asyncio.CancelledError

    worker = await submitter(client, database, tmp_path, SteppedClock(platform))
    with monkeypatch.context() as patch:
        patch.setattr(PlatformClient, "create", dies)
        with pytest.raises(asyncio.CancelledError):
            await worker.reconcile(await intent(database))
    assert (await intent(database)).state is IntentState.SENDING
    assert await reconcile(platform, client, database, tmp_path) is IntentState.CREATED
    assert count(platform, operation="create_run") == 1
    assert await finished(platform, tmp_path) == 1


async def test_a_process_that_died_before_sending_sends(
    platform: Emulator, client: Client, database: Database, tmp_path: Path
) -> None:
    """The request was written down and never left: that is known when five minutes are over."""
    worker = await submitter(client, database, tmp_path, SteppedClock(platform))
    await worker.begin(1, (await worker.platform.moment(fresh=True)).server)
    assert await reconcile(platform, client, database, tmp_path) is IntentState.CREATED
    assert count(platform, operation="create_run") == 1
    asked = [request for request in platform.requests() if request["method"] == "GET"]
    assert len(asked) > 8, "it has looked again and again"


async def test_two_equal_runs_are_for_a_person(
    platform: Emulator, client: Client, database: Database, tmp_path: Path
) -> None:
    """Somebody else made the same run while ours was under way; which one is ours can't be told."""
    references = [f"{tmp_path.name}-1", f"{tmp_path.name}-2"]
    twin = {"items": references, "application_version_id": "he-tme:v1.0.0"}
    platform.set_faults(
        {"operation": "create_run", "times": 1, "drop": "after"},
        {"operation": "list_runs", "skip": 1, "times": 1, "status": 503},
    )
    worker = await submitter(client, database, tmp_path, SteppedClock(platform))
    reconciling = asyncio.create_task(worker.reconcile(await intent(database)))
    while count(platform, operation="create_run") == 0:
        await asyncio.wait([reconciling], timeout=0.005)
    platform.script(twin)
    await reconciling
    found = await intent(database)
    assert found.state in (IntentState.AMBIGUOUS, IntentState.CREATED)
    assert count(platform, operation="create_run") == 1


@pytest.mark.parametrize(("status", "posts"), [(402, 1), (403, 1), (404, 1), (401, 2)])
async def test_an_answer_that_stops_the_job(
    platform: Emulator, client: Client, database: Database, tmp_path: Path, status: int, posts: int
) -> None:
    told = {"detail": "the server's own words"}
    platform.set_faults({"operation": "create_run", "status": status, "body": told})
    worker = await submitter(client, database, tmp_path, SteppedClock(platform))
    stopped = await worker.reconcile(await intent(database))
    assert stopped is not None
    assert isinstance(stopped.error, APIStatusError)
    assert stopped.error.status == status
    assert (await intent(database)).state is IntentState.SEALED, "nothing is lost"
    assert count(platform, operation="create_run") == posts


@pytest.mark.parametrize("status", [401, 403])
async def test_who_is_signed_out_while_an_answer_is_lost_is_told(
    platform: Emulator, client: Client, database: Database, tmp_path: Path, status: int
) -> None:
    platform.set_faults(
        {"operation": "create_run", "drop": "after"},
        {**SEARCH, "status": status},
    )
    worker = await submitter(client, database, tmp_path, SteppedClock(platform))
    with pytest.raises(APIStatusError) as told:
        await asyncio.wait_for(worker.reconcile(await intent(database)), 20)
    assert told.value.status == status
    assert (await intent(database)).state is IntentState.UNKNOWN


async def test_requests_without_an_answer_are_counted_over_interruptions(
    platform: Emulator, client: Client, database: Database, tmp_path: Path
) -> None:
    """A request that is never answered is repeated once, even if a listing failed in between."""
    lost = {"operation": "create_run", "drop": "before"}
    platform.set_faults(lost, {**SEARCH, "status": 403})
    worker = await submitter(client, database, tmp_path, SteppedClock(platform))
    with pytest.raises(APIStatusError):
        await asyncio.wait_for(worker.reconcile(await intent(database)), 20)
    platform.set_faults(lost)
    stopped = await asyncio.wait_for(worker.reconcile(await intent(database)), 20)
    assert stopped is not None
    assert count(platform, operation="create_run") == 1, "after the one before the interruption"
    assert (await intent(database)).state is IntentState.SEALED


@pytest.mark.sampled(test=1)
@pytest.mark.parametrize(
    "fault",
    [
        {"operation": "create_run", "status": 429, "body": {"detail": "too many"}},
        {**SEARCH, "status": 503},
    ],
    ids=["POST", "GET"],
)
async def test_an_outage_of_an_hour_stops_the_job(
    platform: Emulator, database: Database, tmp_path: Path, fault: dict[str, Any]
) -> None:
    lost = {"operation": "create_run", "times": 1, "drop": "after"}
    platform.set_faults(*[lost] * (fault["status"] == 503), fault)
    waited: list[str] = []
    async with platform.client(evolve(IMPATIENT, retries=Retries(attempts=1))) as client:
        worker = await submitter(client, database, tmp_path, SteppedClock(platform))
        with pytest.raises(JobStopped) as stopped:
            await evolve(worker, on_wait=waited.append).reconcile(await intent(database))
    assert isinstance(stopped.value.cause, APIStatusError)
    assert len(waited) == 1, "and not each time"
    assert count(platform, operation="create_run") < 3600 / 30
    assert (await intent(database)).state in (IntentState.SEALED, IntentState.UNKNOWN)


async def test_without_a_token_nothing_is_sent(
    platform: Emulator, client: Client, database: Database, tmp_path: Path
) -> None:
    async def gone() -> str:
        raise LoginRequired("sign in")

    worker = await submitter(client, database, tmp_path, SteppedClock(platform))
    async with Client(
        platform.root, CallableToken(gone), settings=IMPATIENT, contract=platform.contract
    ) as signed_out:
        version = await client.applications.version("he-tme:v1.0.0")
        stopped = await evolve(worker, platform=PlatformClient(signed_out, version, worker.clock)).reconcile(
            await intent(database)
        )
    assert stopped is not None
    assert isinstance(stopped.error, LoginRequired)
    assert count(platform, operation="create_run") == 0


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_request_that_is_refused_dissolves_its_intent(
    platform: Emulator, client: Client, database: Database, tmp_path: Path, status: int
) -> None:
    platform.set_faults({"operation": "create_run", "status": status, "body": {"detail": "no"}})
    assert await reconcile(platform, client, database, tmp_path) is IntentState.DISSOLVED
    states = await database.read(lambda execute: execute("SELECT state, attempts FROM items").fetchall())
    assert states == [("STORED", 1)] * 2


async def test_many_intents_at_once(platform: Emulator, client: Client, tmp_path: Path) -> None:
    """Half of the answers are lost; every intent has its run, and no run is there twice."""
    names = [f"{tmp_path.name}-{number}" for number in range(40)]
    async with job_database(tmp_path / "many", *names) as database:
        for number in range(20):
            await database.write(_commands.seal([2 * number + 1, 2 * number + 2]))
        lost = {"operation": "create_run", "skip": 1, "times": 1, "drop": "after"}
        platform.set_faults(*[lost] * 10)
        worker = await submitter(client, database, tmp_path, SteppedClock(platform))
        sealed = [await intent(database, number) for number in range(1, 21)]
        await asyncio.gather(*map(worker.reconcile, sealed))
        ended = [await intent(database, number) for number in range(1, 21)]
        assert {each.state for each in ended} == {IntentState.CREATED}
        assert len({each.run_id for each in ended}) == 20
        assert count(platform, operation="create_run") == 20


async def test_the_server_s_clock_runs_under_other_options(
    platform: Emulator, client: Client, database: Database, tmp_path: Path
) -> None:
    """Each request reports its own Date: a view of a client has no clock that could stand still."""
    view = client.with_options(timeouts=Timeouts(read=5))
    version = await view.applications.version(VERSION)
    server = PlatformClient(view, version)
    dates = [await server.moment(fresh=True) for _ in range(2)]
    await server.runs(0.0)
    dates.append(await server.moment())
    platform.set_clock(advance_s=60)
    dates.append(await server.moment(fresh=True))
    told = [date.server for date in dates if date.server is not None]
    assert (len(told), told) == (len(dates), sorted(told))
    assert told[-1] - told[0] >= 60


async def test_a_run_is_found_that_seems_older_than_its_request(
    platform: Emulator, client: Client, database: Database, tmp_path: Path
) -> None:
    """The Date of an answer may be far ahead of the clock that dates runs."""
    platform.set_faults({"operation": "create_run", "times": 1, "drop": "before"})
    references = [f"{tmp_path.name}-1", f"{tmp_path.name}-2"]
    (run_id,) = platform.script({"items": references, "application_version_id": VERSION, "after_s": -7200})
    assert await reconcile(platform, client, database, tmp_path) is IntentState.CREATED
    assert (await intent(database)).run_id == run_id
    assert count(platform, operation="create_run") == 1


async def test_a_lost_request_is_reconciled_under_other_options(
    platform: Emulator, client: Client, database: Database, tmp_path: Path
) -> None:
    """The run is committed late, by a request whose answer was lost: silence must not be proven too early."""
    platform.set_faults({"operation": "create_run", "times": 1, "late_s": 90})
    view = client.with_options(timeouts=Timeouts(read=5))
    assert await reconcile(platform, view, database, tmp_path) is IntentState.CREATED
    assert count(platform, operation="create_run") == 1
    assert await finished(platform, tmp_path) == 1


@pytest.mark.parametrize("hours", [-1, -23])
async def test_a_run_from_before_the_job_is_known_whatever_clock_dates_it(
    platform: Emulator, client: Client, tmp_path: Path, hours: int
) -> None:
    (run_id,) = platform.script({"items": ["a"], "after_s": hours * 3600})
    async with job_database(tmp_path / "new") as database:
        await _begin(database, evolve(PLAN, application_version="he-tme:v1.0.0"), client)
        assert await database.read(_queries.known_runs()) == {run_id}
