"""Which kills make up a trial. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random

from attrs import frozen

from ._plans import MARKS, Kill, Kind, Outcome, Plan
from ._points import AFTER_DUPLICATE, DOUBT, POINTS, REQUEST, RESUMED, Point

_KILLS_OF_A_ROUND = 3
_MOST_TRIES = 4
_ALSO_LATE: tuple[Kind, ...] = ("together", "rerun", "user")
"""Of these every other round has commits beyond the bound."""


@frozen(kw_only=True)
class Trial:
    """How much is tried."""

    kills: int
    """With two chunks in flight or more."""
    in_all: int = 0
    """With any number of them."""
    at_point: int
    at_random: int
    late: int = 0
    """Rounds whose commits come later than the bound."""
    copies: int = 0
    """Rounds in which an older database is brought back."""
    naps: int = 0
    """Rounds in which the process sleeps for longer than its timeouts."""
    turns: int = 0
    """Rounds in which copies of the job's folder work one after the other."""
    quotas: int = 0
    """Rounds in which the quota is used up."""
    callbacks: int = 0
    """Rounds in which callbacks of the caller raise."""
    full: int = 0
    """Rounds in which the disk is full."""
    points: Sequence[Point] = POINTS
    """Of which points."""
    url_lifetime: float = 200.0
    """Seconds of the emulator's clock: output URLs end meanwhile, and slides' on a busy machine."""
    kinds: Sequence[Kind] = ("kills",)
    """What the jobs are that are killed."""


WHOLE = Trial(
    kills=200, at_point=5, at_random=100, late=10, copies=10, naps=6, turns=10, quotas=6, callbacks=10, full=6
)
QUICK = Trial(
    kills=0, at_point=1, at_random=6, late=2, copies=1, naps=1, turns=2, quotas=1, callbacks=1, full=1
)
# Quotas and callbacks are tried in process, in tests/flows/test_bulk_money.py.
SAMPLE = Trial(
    kills=0,
    at_point=1,
    at_random=1,
    late=1,
    copies=1,
    naps=0,
    turns=1,
    quotas=0,
    callbacks=0,
    full=1,
    points=[POINTS[number - 1] for number in (8, 19)],
)
# Each kind of what marks withstand, with and without commits beyond the bound.
OF_MARKS = Trial(kills=100, in_all=200, at_point=3, at_random=30, kinds=MARKS, url_lifetime=5000.0)
SAMPLE_OF_MARKS = Trial(
    kills=0,
    at_point=1,
    at_random=4,
    kinds=MARKS,
    url_lifetime=5000.0,
    points=[POINTS[number - 1] for number in (2, 6, 8, 9, 10, 11, 12, 13, 14, 15)],
)
TRIALS = {
    "whole": WHOLE,
    "quick": QUICK,
    "sample": SAMPLE,
    "marks": OF_MARKS,
    "sample-marks": SAMPLE_OF_MARKS,
}


def first_wave(trial: Trial, seed: int) -> list[Plan]:
    """Return the rounds of a trial, should every kill hit."""
    return [*_special(trial, seed), *wave(trial, [], seed)]


def wave(trial: Trial, outcomes: Iterable[Outcome], seed: int) -> list[Plan]:
    """Return rounds with the kills that are missing yet."""
    random = Random(seed)
    done = [death for outcome in outcomes for death in outcome.deaths]
    at = Counter(death.point for death in done)
    flying = [death for death in done if death.in_flight >= 2]
    random_flying = sum(death.point is None for death in flying)
    pointed = [point for point in trial.points for _ in range(max(0, trial.at_point - at[point.number]))]
    wanted = trial.at_random - random_flying
    missing = max(trial.kills - len(flying), trial.in_all - len(done))
    count = max(wanted, missing - len(pointed), 0)
    count = count if not done else 2 * count  # some of them hit before two chunks are in flight
    return _rounds(pointed, count, random, f"w{seed}", trial.kinds)


def _rounds(
    pointed: Sequence[Point], at_random: int, random: Random, name: str, kinds: Sequence[Kind]
) -> list[Plan]:
    kills: list[Point | None] = [*pointed, *[None] * at_random]
    random.shuffle(kills)
    plans: list[Plan] = []
    for start in range(0, len(kills), _KILLS_OF_A_ROUND):
        chosen = kills[start : start + _KILLS_OF_A_ROUND]
        seed = random.randrange(1_000_000)
        number = len(plans)
        kind = kinds[number % len(kinds)]
        plans.append(
            Plan(
                name=f"{name}r{number}",
                seed=seed,
                kind=kind,
                kills=_in_order(chosen, random),
                is_late=kind in _ALSO_LATE and number // len(kinds) % 2 == 1,
            )
        )
    return plans


def _in_order(chosen: Sequence[Point | None], random: Random) -> list[Kill]:
    """Return kills in an order in which all can hit: a job that is past its uploads uploads no more."""
    points = [point for point in chosen if point is not None]
    is_after = any(point.number == RESUMED for point in points)
    ordered = sorted((point for point in points if point.number != RESUMED), key=lambda point: point.number)
    if any(point.number in DOUBT for point in points) and not any(
        point.number == REQUEST for point in points
    ):
        # A doubt to be settled: a request is cut off first.
        at = next(index for index, point in enumerate(ordered) if point.number in DOUBT)
        ordered.insert(at, POINTS[REQUEST - 1])
    kills = [Kill(point=point, skip=random.randint(0, 1)) for point in ordered]
    for _ in range(len(chosen) - len(points)):
        kills.insert(random.randint(0, len(kills)), Kill(part=random.uniform(0.12, 0.75)))
    if is_after:
        at = random.randint(1, len(kills)) if kills else 0
        kills.insert(at, Kill(point=POINTS[RESUMED - 1]))
        if at == 0:
            kills.insert(0, Kill(part=0.5))
    return kills


def _special(trial: Trial, seed: int) -> list[Plan]:
    random = Random(seed + 1)
    plans: list[Plan] = []
    for number in range(trial.late):
        kills = [Kill(point=POINTS[14], chunks=1), Kill(point=AFTER_DUPLICATE, chunks=0)]
        plans.append(_plan("late", number, seed, kills if number % 2 == 0 else (), has_tag=number % 4 > 1))
    for number in range(trial.copies):
        kills = [
            Kill(point=POINTS[random.randint(3, 8) - 1], chunks=0),
            Kill(point=POINTS[random.choice([REQUEST, 11, 12]) - 1], skip=random.randint(0, 2), chunks=1),
        ]
        plans.append(_plan("copy", number, seed, kills))
    for number in range(trial.naps):
        kill = Kill(point=POINTS[(7, 8, 9, 10)[number % 4] - 1], chunks=1, sleeps=True)
        plans.append(_plan("asleep", number, seed, [kill]))
    for number in range(trial.turns):
        kill = Kill(part=random.uniform(0.12, 0.6))
        plans.append(_plan("turns", number, seed, [kill], has_tag=number % 2 == 0))
    others: list[tuple[Kind, int]] = [
        ("quota", trial.quotas), ("callback", trial.callbacks), ("full", trial.full)
    ]  # fmt: skip
    plans += [_plan(kind, number, seed, ()) for kind, count in others for number in range(count)]
    return plans


def _plan(kind: Kind, number: int, seed: int, kills: Sequence[Kill], *, has_tag: bool = False) -> Plan:
    name = f"{kind}{number}s{seed}"
    is_late = kind == "late"
    return Plan(name=name, seed=seed + number, kind=kind, kills=kills, has_tag=has_tag, is_late=is_late)
