"""Watching, whatever happens: made-up histories of runs and faults, and what was seen of them.

Pages are as small as the contract allows, so that a handful of runs and items takes several of them.
`make test-slow` looks for more histories than the suite has time for, other ones each time.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from random import Random
from typing import Any, ClassVar

import pytest
from attrs import evolve
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from rounds import rounds
from support import signed_in

from aignostics_async import (
    Change,
    Client,
    ConfigurationError,
    Conflict,
    NotFound,
    Watcher,
)
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.watch import _results_scan, _run_scan
from aignostics_async.watch._status_order import rank

PATIENT = evolve(IMPATIENT, read_after_write_timeout=1, results_timeout=600)
FINAL = ("COMPLETED", "COMPLETED_WITH_ERROR", "CANCELED_USER", "CANCELED_SYSTEM", "REJECTED")
TOKEN_LIFETIME = 100_000
Key = tuple[str, str | None]

ITEM_ENDS = st.sampled_from(["SUCCEEDED", "ERROR_USER", "ERROR_SYSTEM"])
RUN_ENDS = st.sampled_from(["COMPLETED", "COMPLETED_WITH_ERROR", "CANCELED_SYSTEM"])
MOST = st.sampled_from([0, 1, 5, 50])
DICE = st.integers(0, 2**32).map(Random)


@pytest.fixture
def standing(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Give an emulator whose clock stands, and pages of five."""
    monkeypatch.setattr(_results_scan, "MAX_PAGE_SIZE", 5)
    monkeypatch.setattr(_run_scan, "MAX_PAGE_SIZE", 5)
    emulator.reset(clock_rate=0, token_lifetime=TOKEN_LIFETIME)
    return emulator


def and_watch(act: Callable[..., None]) -> Callable[..., None]:
    """Return a rule that is followed by watching: nothing, one change, or all that there are for a while."""

    def rule_and_watch(self: Watching, *, most: int, **drawn: Any) -> None:
        act(self, **drawn)
        self.watch_a_while(most)

    rule_and_watch.__name__ = act.__name__
    return rule_and_watch


class Watching(RuleBasedStateMachine):
    """A platform on which things happen, and somebody who watches it, with restarts."""

    emulator: ClassVar[Emulator]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.pending: dict[str, list[str]] = {}
        self.seen: list[Change] = []
        self.again: set[str] = set()
        self.begun_at: dict[str, int] = {}  # where in `seen` a run begins that was reported again
        self.client: Client | None = None
        self.is_at_end = self.has_expired = False

    # The watcher

    @initialize(names_runs=st.booleans(), runs=st.lists(st.integers(1, 12), min_size=1, max_size=8))
    def begin(self, names_runs: bool, runs: list[int]) -> None:
        self.emulator.set_faults()
        self.emulator.set_clock(advance_s=7200)  # away from earlier histories
        self.since = datetime.fromtimestamp(self.emulator.now() - 1000, UTC)
        self.names_runs = names_runs
        self.script(runs, 0)
        self.open(None)

    def open(self, cursor: str | None) -> None:
        async def opened() -> Watcher:
            source = signed_in(self.emulator)
            self.client = await Client(self.emulator.api_root, source, settings=PATIENT).__aenter__()
            if self.names_runs:
                return self.client.watch(set(self.pending) - self.over(), cursor=cursor)
            return self.client.watch_all(since=self.since, cursor=cursor)

        self.watcher = self.loop.run(opened())
        self.is_at_end = self.has_expired = False

    def close(self) -> None:
        async def closed() -> None:
            assert self.client is not None
            await self.client.__aexit__(None, None, None)

        self.loop.run(closed())

    def current(self) -> list[Change]:
        """Return the changes seen, without those of a run that was reported again from its beginning."""
        return [
            change for place, change in enumerate(self.seen) if place >= self.begun_at.get(change.run_id, 0)
        ]

    def over(self) -> set[str]:
        return {
            change.run_id for change in self.current() if change.reference is None and change.new.is_final
        }

    async def watch_for(self, seconds: float, most: int = 10_000) -> None:
        try:
            for _ in range(most):
                async with asyncio.timeout(seconds):
                    self.see(await anext(self.watcher))
        except TimeoutError:
            pass
        except StopAsyncIteration:
            self.is_at_end = True
        except ExceptionGroup as group:
            deleted = {row[1] for row in self.emulator.ledger() if row[3] == "DELETED"}
            for error in group.exceptions:
                # One that was deleted before it was seen is not found, one that was seen has vanished.
                if not (isinstance(error, NotFound) and error.path.rpartition("/")[2] in deleted):
                    raise
            self.is_at_end = True

    def see(self, change: Change) -> None:
        """Record a change, if it is one that may come now."""
        if change.run_id in self.again and not self.names_runs:
            # It was over before a restart, but so recently that it is reported again.
            self.again.remove(change.run_id)
            self.begun_at[change.run_id] = len(self.seen)
        before = [
            each
            for each in self.current()
            if (each.run_id, each.reference) == (change.run_id, change.reference)
        ]
        assert change.old == (before[-1].new if before else None), (before, change)
        assert not before or rank(change.new) > rank(before[-1].new), (before, change)
        assert change.run_id not in self.over(), "nothing comes after the end"
        assert not change.items_incomplete
        self.seen.append(change)

    def watch_a_while(self, most: int) -> None:
        if most and not self.is_at_end:
            self.loop.run(self.watch_for(0.1, most))

    @rule(back=st.integers(1, 30))
    def restart(self, back: int) -> None:
        """Go on from the place of a change, which is then the first one to come again."""
        if not self.seen:
            return
        place = max(0, len(self.seen) - back)
        cursor = self.seen[place].cursor
        self.close()
        self.seen = self.seen[:place]
        self.begun_at = {run_id: begun for run_id, begun in self.begun_at.items() if begun < place}
        self.again = self.over()
        self.open(cursor)

    # The platform

    @rule(
        runs=st.lists(st.integers(1, 12), min_size=1, max_size=3), late_s=st.sampled_from([0, 300]), most=MOST
    )
    @and_watch
    def create(self, runs: list[int], late_s: int) -> None:
        self.script(runs, late_s)

    def script(self, runs: list[int], late_s: int) -> None:
        """Create runs, that show in the list when they are triggered or some time later."""
        scripts = [{"items": [f"{number}" for number in range(items)], "after_s": -late_s} for items in runs]
        for run_id, items in zip(self.emulator.script(*scripts), runs, strict=True):
            self.pending[run_id] = [f"{number}" for number in range(items)]
        if self.names_runs:
            self.emulator.set_clock(advance_s=100)  # an id that somebody has is known to every replica

    def some_items(self, dice: Random, number: int, status: str) -> list[dict[str, Any]]:
        """Return the moves by which some items end, and their runs run."""
        moves: list[dict[str, Any]] = []
        for _ in range(number):
            run_id = dice.choice([*self.pending])
            if self.pending[run_id]:
                reference = dice.choice(self.pending[run_id])
                moves.append({"run": run_id, "reference": reference, "status": status})
            moves.append({"run": run_id, "status": dice.choice(["RUNNING"] * 9 + ["COMPLETED"])})
        return moves

    @rule(dice=DICE, number=st.integers(1, 15), status=ITEM_ENDS, most=MOST)
    @and_watch
    def finish_items(self, dice: Random, number: int, status: str) -> None:
        self.emulator.move(*self.some_items(dice, number, status))

    @rule(dice=DICE, most=MOST)
    @and_watch
    def start_run(self, dice: Random) -> None:
        self.emulator.move({"run": dice.choice([*self.pending]), "status": "RUNNING"})

    @rule(dice=DICE, status=RUN_ENDS, is_early=st.booleans(), most=MOST)
    @and_watch
    def end_run(self, dice: Random, status: str, is_early: bool) -> None:
        """Let a run end, its items before or after it."""
        run_id = dice.choice([*self.pending])
        items = [{"run": run_id, "reference": each, "status": "SUCCEEDED"} for each in self.pending[run_id]]
        end = [{"run": run_id, "status": status}]
        self.emulator.move(*(end + items if is_early else items + end))

    @rule(dice=DICE, most=MOST)
    @and_watch
    def end_run_and_let_its_items_be_late(self, dice: Random) -> None:
        self.emulator.move({"run": dice.choice([*self.pending]), "status": "COMPLETED"})

    @rule(dice=DICE, most=MOST)
    @and_watch
    def cancel_run(self, dice: Random) -> None:
        async def cancel() -> None:
            assert self.client is not None
            with suppress(Conflict, NotFound):
                await self.client.run(dice.choice([*self.pending])).cancel()

        self.emulator.set_faults()
        self.loop.run(cancel())

    @rule(dice=DICE, number=st.integers(1, 2), most=MOST)
    @and_watch
    def delete_runs(self, dice: Random, number: int) -> None:
        self.emulator.move(*({"run": dice.choice([*self.pending]), "delete": True} for _ in range(number)))

    @rule(seconds=st.integers(1, 100), most=MOST)
    @and_watch
    def pass_time(self, seconds: int) -> None:
        self.emulator.set_clock(advance_s=seconds)

    @rule(most=MOST)
    @and_watch
    def let_tokens_expire(self) -> None:
        # Once per client: a token that is refused as soon as it was renewed would not be renewed again.
        if not self.has_expired:
            self.has_expired = True
            self.emulator.set_clock(advance_s=TOKEN_LIFETIME)

    # The faults

    @rule(
        lags=st.lists(st.sampled_from([0, 5, 30, 90]), max_size=6),
        statuses=st.lists(st.sampled_from([500, 502, 503, 429]), max_size=5),
        losses=st.integers(0, 2),
        most=MOST,
    )
    @and_watch
    def trouble(self, lags: list[int], statuses: list[int], losses: int) -> None:
        """Let the next answers be those of replicas that lag, each by another time; some fail or are lost."""
        self.emulator.set_faults(
            *({"method": "GET", "path": "/api/.*", "lag_s": lag, "times": 1} for lag in lags),
            *({"method": "GET", "path": "/api/.*", "status": status, "times": 1} for status in statuses),
            {"method": "GET", "path": "/api/.*", "drop": "after", "times": losses},
        )

    @rule(
        dice=DICE,
        pages=st.lists(st.integers(1, 6), min_size=1, max_size=5),
        status=ITEM_ENDS,
        deletes=st.booleans(),
        most=MOST,
    )
    @and_watch
    def move_between_pages(self, dice: Random, pages: list[int], status: str, deletes: bool) -> None:
        """Let items end, and runs vanish, after each of the next pages."""
        gone = [{"run": dice.choice([*self.pending]), "delete": True}] if deletes else []
        self.emulator.set_faults(
            *(
                {"path": ".*(runs|results)", "times": 1, "then": self.some_items(dice, number, status) + gone}
                for number in pages
            )
        )

    # The end

    def teardown(self) -> None:
        try:
            if self.client is not None:
                self.emulator.set_faults()
                self.end_everything()
        finally:
            if self.client is not None:
                self.close()
            self.loop.close()

    def end_everything(self) -> None:
        for run_id, references in self.pending.items():
            items = [{"run": run_id, "reference": each, "status": "SUCCEEDED"} for each in references]
            with suppress(ConfigurationError):
                self.emulator.move(*items, {"run": run_id, "status": "COMPLETED"})
        self.emulator.set_clock(advance_s=200)
        book: dict[Key, list[str]] = defaultdict(list)
        deleted = set()
        for _, run_id, reference, status in self.emulator.ledger():
            if run_id in self.pending and status != "DELETED":
                book[run_id, reference].append(status)
            elif status == "DELETED":
                deleted.add(run_id)
        for run_id, references in self.pending.items():
            for each in references:
                book[run_id, each].insert(0, "PENDING")
        if self.names_runs and self.is_at_end:
            watched = {change.run_id for change in self.seen}
        else:
            watched = set(self.pending)
        if not self.is_at_end:
            if self.names_runs:
                watched = self.over() | set(self.watcher._subscription.run_ids)
            self.loop.run(self.watch_until_over(watched - deleted))
        self.compare(book, watched, deleted)

    async def watch_until_over(self, expected: set[str]) -> None:
        for _ in range(200):
            await self.watch_for(0.2)
            if self.is_at_end or (not self.names_runs and expected <= self.over()):
                return
        raise AssertionError(f"not seen to end: {expected - self.over()}")

    def compare(self, book: dict[Key, list[str]], watched: set[str], deleted: set[str]) -> None:
        seen: dict[Key, list[str]] = defaultdict(list)
        for change in self.current():
            seen[change.run_id, change.reference].append(change.new)
        for key, states in seen.items():
            rest = iter(book[key])
            assert all(state in rest for state in states), f"{key} was never {states}: {book[key]}"
        for key, states in book.items():
            if key[0] in watched - deleted:
                assert seen[key][-1:] == states[-1:], f"{key} ended as {states[-1]}, seen was {seen[key]}"


def test_whatever_happens_is_seen_once_in_order_and_to_its_end(standing: Emulator) -> None:
    Watching.emulator = standing
    run_state_machine_as_test(
        Watching,
        settings=settings(
            max_examples=rounds(200, sample=10),
            stateful_step_count=25,
            phases=[Phase.generate],
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
