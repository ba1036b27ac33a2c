"""Runs of a job that its database does not know, where listings show them late, and in part."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import define, evolve, field
from job import job_database

from aignostics_async import JobStateError
from aignostics_async.bulk.database import _commands, _retries
from aignostics_async.bulk.database._database import Database
from aignostics_async.bulk.database._run_commands import ObservedRun
from aignostics_async.bulk.database._states import AttemptOutcome, IntentState
from aignostics_async.bulk.reconciliation._duplicates import Reconciler
from aignostics_async.bulk.reconciliation._matching import CLOCK_SKEW
from aignostics_async.bulk.reconciliation._quiescence import Moment

VERSION = "he-tme:v1.0.0"
LAG = 30.0


@define
class Listing:
    """A platform whose listing of a run's items shows another thing each time, the last one for ever."""

    shown: Mapping[str, Sequence[Sequence[str]]]
    now: float = 0.0
    date: float | None = None
    """Of its answers; that of `now` unless it is set."""
    triggered_at: float = 2000.0
    """When its clock says that the runs were created."""
    meanwhile: Callable[[], Awaitable[object]] | None = None
    _asked: dict[str, int] = field(factory=dict)

    async def moment(self, *, fresh: bool = False) -> Moment:
        """Return the time."""
        return Moment(self.now, self.now if self.date is None else self.date)

    async def runs(self, since: float) -> list[ObservedRun]:
        """Return all runs, unless they are older."""
        if self.triggered_at < since:
            return []
        return [ObservedRun(run_id, self.triggered_at, "RUNNING", VERSION) for run_id in self.shown]

    async def claim(self, run: ObservedRun, holder: str) -> bool:
        """Take a run, which nobody contests."""
        return True

    async def references(self, run_id: str) -> frozenset[str] | None:
        """Return what is shown this time; None for a run that can't be read."""
        if not self.shown[run_id]:
            return None
        if self.meanwhile is not None:
            await self.meanwhile()
        asked = self._asked[run_id] = self._asked.get(run_id, -1) + 1
        return frozenset(self.shown[run_id][min(asked, len(self.shown[run_id]) - 1)])


def sweep_of(database: Database, platform: Listing) -> Reconciler:
    told: dict[str, Any] = {"database": database, "platform": platform, "client": None}
    return Reconciler(**told, version=VERSION, tag="", since=1000.0, replica_lag=LAG)


async def create(database: Database, numbers: list[int], run_id: str) -> int:
    intent = await database.write(_commands.seal(numbers))
    await database.write(_commands.begin(intent, 2000.0))
    await database.write(_commands.conclude(intent, AttemptOutcome.CREATED, IntentState.CREATED, run_id))
    return intent


async def test_a_second_run_is_found_whose_items_are_listed_later_than_itself(tmp_path: Path) -> None:
    async with job_database(tmp_path / "job", "a", "b") as database:
        intent = await create(database, [1, 2], "first")
        reconciler = sweep_of(database, Listing({"second": ["", "a", "ab"], "other": ["xy"]}))
        assert [await reconciler.find_duplicates() for _ in range(2)] == [[], []]
        (second,) = await reconciler.find_duplicates()
        assert (second.run_id, second.intent) == ("second", intent)


@pytest.mark.parametrize(("behind", "found"), [(CLOCK_SKEW, ["second"]), (CLOCK_SKEW + 1, [])])
async def test_a_second_run_is_found_where_a_clock_is_behind(
    tmp_path: Path, behind: float, found: list[str]
) -> None:
    async with job_database(tmp_path / "job", "a") as database:
        await create(database, [1], "first")
        listing = Listing({"second": ["a"]}, triggered_at=1000.0 - behind)
        assert [each.run_id for each in await sweep_of(database, listing).find_duplicates()] == found


async def test_who_is_cancelled_while_a_second_run_is_written_down_has_told_of_it(tmp_path: Path) -> None:
    async with job_database(tmp_path / "job", "a") as database:
        await create(database, [1], "first")
        told: list[str] = []
        with anyio.CancelScope() as scope:
            cancelling = evolve(
                sweep_of(database, Listing({"second": ["a"]})),
                on_duplicate=lambda second: told.append(second.run_id),
            )
            write = database.write

            def cancelled(command: Any) -> Any:
                scope.cancel()
                return write(command)

            database.write = cancelled  # type: ignore[method-assign]
            await cancelling.find_duplicates()
        database.write = write  # type: ignore[method-assign]
        assert scope.cancel_called
        assert told == ["second"]


async def test_the_late_run_of_a_chunk_that_was_refused_is_a_second_one(tmp_path: Path) -> None:
    """Its answer was lost, it was sent again and refused, and its halves have runs by now."""
    async with job_database(tmp_path / "job", "a", "b") as database:
        whole = await database.write(_commands.seal([1, 2]))
        await database.write(_commands.begin(whole, 2000.0))
        await database.write(_commands.conclude(whole, AttemptOutcome.UNKNOWN, IntentState.UNKNOWN))
        await database.write(_commands.resolve(whole, IntentState.SEALED))
        await database.write(_commands.begin(whole, 2400.0))
        await database.write(_commands.conclude(whole, AttemptOutcome.REFUSED, IntentState.DISSOLVED))
        for number in (1, 2):
            await create(database, [number], f"half-{number}")
        (second,) = await sweep_of(database, Listing({"late": ["ab"]})).find_duplicates()
        assert (second.run_id, second.intent) == ("late", whole)


@pytest.mark.parametrize("own", [["a~mark.1"], ["x"], None], ids=["there", "another one", "not there"])
async def test_a_second_run_is_cancelled_only_if_the_first_one_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: list[str] | None
) -> None:
    """The platform may have named a run that is not there, or another one: the second is the only one."""
    cancelled: list[str] = []

    async def cancel(_self: Reconciler, run_id: str) -> str:
        cancelled.append(run_id)
        return "it was cancelled"

    monkeypatch.setattr(Reconciler, "_cancelled", cancel)
    async with job_database(tmp_path / "job", "a") as database:
        intent = await database.write(_commands.seal([1], tag="~mark"))
        await database.write(_commands.begin(intent, 2000.0))
        await database.write(_commands.conclude(intent, AttemptOutcome.CREATED, IntentState.CREATED, "first"))
        platform = Listing({"second": [["a~mark.1"]], "first": [own] if own else []})
        reconciler = evolve(sweep_of(database, platform), tag="~mark")
        (second,) = await reconciler.find_duplicates()
        assert (second.run_id, bool(second.done), cancelled) == (
            ("second", True, ["second"]) if own == ["a~mark.1"] else ("second", False, [])
        )


async def test_a_run_that_is_listed_in_part_is_not_adopted_in_part(tmp_path: Path) -> None:
    async with job_database(tmp_path / "job", "a", "b", "c") as database:
        platform = Listing({"run": ["", "ab", "abc"]})
        reconciler, doubts = sweep_of(database, platform), 0
        while (recalled := await reconciler.adopt(is_copy=True)).doubtful:
            assert not recalled.adopted
            doubts += 1
            platform.now += LAG
        assert (doubts, list(recalled.adopted)) == (3, ["run"]), "the same was read twice"
        rows = await database.read(lambda execute: execute("SELECT state, run_id FROM items").fetchall())
        assert rows == [("SUBMITTED", "run")] * 3


async def test_two_readings_within_the_lag_are_one(tmp_path: Path) -> None:
    async with job_database(tmp_path / "job", "a") as database:
        platform = Listing({"run": ["a"]})
        reconciler = sweep_of(database, platform)
        for now in (0.0, 1.0, LAG - 1):
            platform.now = now
            assert (await reconciler.adopt(is_copy=True)).doubtful == ["run"]
        platform.now = LAG
        assert (await reconciler.adopt(is_copy=True)).adopted == ["run"]


@pytest.mark.parametrize("dates", [(0.0, 7200.0), (0.0, 0.0), (7200.0, 0.0)], ids=str)
async def test_no_date_alone_makes_a_lag_of_two_readings(tmp_path: Path, dates: tuple[float, float]) -> None:
    """Two servers are hours apart, or a cache answers: the readings are a second apart, or the same."""
    async with job_database(tmp_path / "job", "a") as database:
        platform = Listing({"run": ["a"]})
        reconciler = sweep_of(database, platform)
        for uptime, date in enumerate(dates):
            platform.now, platform.date = uptime * (1.0 if date else LAG), date
            assert (await reconciler.adopt(is_copy=True)).doubtful == ["run"]


async def test_a_run_of_others_is_in_no_doubt(tmp_path: Path) -> None:
    async with job_database(tmp_path / "job", "a") as database:
        recalled = await sweep_of(database, Listing({"run": ["xy"]})).adopt(is_copy=True)
        assert not recalled.is_open
        assert not recalled.adopted


async def states(database: Database) -> list[tuple[str, str | None]]:
    query = "SELECT state, billed_run FROM items ORDER BY number"
    return await database.read(lambda execute: execute(query).fetchall())


async def test_an_item_that_a_foreign_run_has_is_held_and_its_neighbours_go_on(tmp_path: Path) -> None:
    async with job_database(tmp_path / "job", "a", "b") as database:
        await database.write(_commands.seal([1, 2]))
        platform = Listing({"run": ["ax"]})
        reconciler = sweep_of(database, platform)
        assert (await reconciler.adopt(is_copy=True)).doubtful == ["run"]
        platform.now += LAG
        result = await reconciler.adopt(is_copy=True)
        assert (result.held, result.adopted, result.is_open) == ({"a": "run"}, [], False)
        assert await states(database) == [("SET_ASIDE", "run"), ("STORED", None)]
        assert not (await reconciler.adopt(is_copy=True)).held, "it is held once"
        assert await database.write(_retries.retry(failed=True)) == 0, "nothing is dropped or sent by itself"
        assert await database.write(_retries.retry(failed=False, rerun=True)) == 1
        assert not (await reconciler.adopt(is_copy=True)).held, "a person has decided"
        assert await states(database) == [("FOUND", "run"), ("STORED", None)]


@pytest.mark.parametrize("shown", ["a", "ab", "ax"])
async def test_without_a_proof_nothing_is_taken_nor_sent(tmp_path: Path, shown: str) -> None:
    async with job_database(tmp_path / "job", "a", "b", "c") as database:
        platform = Listing({"run": [shown]})
        reconciler = sweep_of(database, platform)
        assert (await reconciler.adopt(is_copy=False)).doubtful, "it may be listed in part, whatever its age"
        platform.now += LAG
        result = await reconciler.adopt(is_copy=False)
        assert (result.adopted, result.is_open) == ([], False)
        assert result.held == dict.fromkeys(set(shown) & set("abc"), "run")


async def test_what_was_held_is_adopted_when_a_person_says_so(tmp_path: Path) -> None:
    async with job_database(tmp_path / "job", "a", "b") as database:
        platform = Listing({"run": ["ab"]})
        reconciler = sweep_of(database, platform)
        assert (await reconciler.adopt(is_copy=False)).doubtful
        platform.now += LAG
        assert (await reconciler.adopt(is_copy=False)).held
        assert (await reconciler.adopt(is_copy=True)).adopted == ["run"]
        assert await states(database) == [("SUBMITTED", None)] * 2


@pytest.mark.parametrize("listed", ["a", "ab"])
async def test_what_a_request_may_have_created_is_left_to_it(tmp_path: Path, listed: str) -> None:
    async with job_database(tmp_path / "job", "a", "b") as database:
        intent = await database.write(_commands.seal([1, 2]))
        await database.write(_commands.begin(intent, 2000.0))
        reconciler = sweep_of(database, Listing({"run": [listed]}, now=10**4))
        result = await reconciler.adopt(is_copy=True)
        assert (result.adopted, result.held, result.is_open) == ([], {}, False)
        assert await states(database) == [("ASSIGNED", None)] * 2


async def test_a_copy_that_has_chunked_a_doubtful_chunk_otherwise_leaves_it_to_a_person(
    tmp_path: Path,
) -> None:
    async with job_database(tmp_path / "job", "a", "b", "c") as database:
        intent = await database.write(_commands.seal([1, 2]))
        await database.write(_commands.begin(intent, 2000.0))
        platform = Listing({"run": ["bc"]})
        reconciler = sweep_of(database, platform)
        assert (await reconciler.adopt(is_copy=False)).doubtful == ["run"]
        platform.now += LAG
        assert (await reconciler.adopt(is_copy=False)).held == {"c": "run"}
        rows = await database.read(lambda execute: execute("SELECT state FROM intents").fetchall())
        assert rows == [("AMBIGUOUS",)]


async def test_nothing_is_settled_while_a_run_cannot_be_read(tmp_path: Path) -> None:
    async with job_database(tmp_path / "job", "a") as database:
        result = await sweep_of(database, Listing({"run": []})).adopt(is_copy=True)
        assert (result.unread, result.is_open) == (["run"], True)


async def test_a_chunk_that_has_its_run_by_now_keeps_it(tmp_path: Path) -> None:
    async with job_database(tmp_path / "job", "a", "b") as database:
        intent = await database.write(_commands.seal([1, 2]))
        platform = Listing({"second": ["ab"]})
        reconciler = sweep_of(database, platform)
        assert (await reconciler.adopt(is_copy=True)).doubtful

        async def answered() -> None:
            await database.write(_commands.begin(intent, 2000.0))
            command = _commands.conclude(intent, AttemptOutcome.CREATED, IntentState.CREATED, "first")
            await database.write(command)

        platform.now, platform.meanwhile = LAG, answered
        with pytest.raises(JobStateError, match=f"chunk {intent} has its run already"):
            await reconciler.adopt(is_copy=True)
        rows = await database.read(lambda execute: execute("SELECT state, run_id FROM intents").fetchall())
        assert rows == [("CREATED", "first")]
