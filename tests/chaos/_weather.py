"""What network and platform do to one round: rules of the emulator's, drawn from the round's seed.

All times are seconds of the emulator's clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from aignostics_async.bulk import ReconciliationTimeouts

TIMEOUTS = ReconciliationTimeouts(quiescence=300, replica_lag=30, ambiguity=900, late_commit=400)
LATEST = 120.0
"""How late a commit is at most; with the longest lag it is well within `TIMEOUTS.quiescence`."""
LONGEST_LAG = 25.0
LATEST_MARK = 250.0
"""How much later than their run metadata show at most."""
TIMEOUTS_LATE = ReconciliationTimeouts(quiescence=300, replica_lag=30, ambiguity=900, late_commit=2000)
LATE_BEYOND = 900.0
"""How late a commit is that no timeouts was made for."""

_CREATE = {"operation": "create_run"}
_OBJECTS, _OUTPUTS = "/storage/objects/.*", "/storage/objects/results/.*"
_TOKENS = "/oauth/token"
Rule = dict[str, Any]


def weather(seed: int) -> list[Rule]:
    """Return the rules of a round in which every commit comes within the bound."""
    random = Random(seed)
    rules: list[Rule] = []
    for _ in range(random.randint(1, 4)):
        rules.append(_once(random, _CREATE, _lost(random), most_skip=2))
    for _ in range(random.randint(2, 6)):
        rules.append(_once(random, {"operation": "list_runs"}, _stale(random), most_skip=12, most_times=5))
    for name in ("list_results", "get_run", "get_artifact_file"):
        for _ in range(random.randint(0, 3)):
            rules.append(_once(random, {"operation": name}, _stale(random), most_skip=10, most_times=4))
    rules += _storage(random)
    if random.random() < 0.3:
        rules.append(_once(random, {"method": "POST", "path": _TOKENS}, {"status": 503}))
    return rules


def conditions(seed: int, kind: str) -> dict[str, Any]:
    """Return what contract 1.8 leaves to a platform: all that comes of it means nothing under 1.0."""
    random = Random(seed)
    of_kind: dict[str, Any] = {}
    if kind == "marks":
        of_kind = {"metadata_late_s": random.uniform(30, LATEST_MARK)}
    if kind == "unfiltered":
        of_kind = {"filters_metadata": False}
    return {
        "lists_urls": random.random() < 0.5,
        "empty_runs": random.choice(["page", "404"]),
        "filters_metadata": random.random() < 0.5,
        "metadata_late_s": random.choice([0.0, 60.0]),
        **of_kind,
    }


def lost_and_late(requests: int) -> list[Rule]:
    """Return the rules of a round whose first requests for runs are done when all timeouts has ended."""
    return [{**_CREATE, "times": requests, "late_s": LATE_BEYOND}]


def lost(late_s: float, times: int = 1) -> list[Rule]:
    """Return the rule by which requests for runs are done late, and not answered."""
    return [{**_CREATE, "times": times, "late_s": late_s}]


def quota(seed: int) -> list[Rule]:
    """Return the rule by which the quota is used up in mid-job, and raised after some more requests."""
    random = Random(seed)
    action = {"answer": "quota_exceeded", "skip": random.randint(0, 3), "times": random.randint(1, 6)}
    return [{**_CREATE, **action}]


def _once(random: Random, asked: Rule, action: Rule, *, most_skip: int = 0, most_times: int = 1) -> Rule:
    times = random.randint(1, most_times)
    return {
        **asked,
        "skip": random.randint(0, most_skip),
        "times": times,
        **action,
    }


def _lost(random: Random) -> Rule:
    return random.choice(
        [
            {"late_s": random.uniform(5, LATEST)},
            {"late_s": random.uniform(5, LATEST)},
            {"drop": "after"},
            {"drop": "after"},
            {"drop": "before"},
            {"status": random.choice([500, 502, 503, 504])},
            {"status": 429, "headers": {"retry-after": "1"}},
            {"delay_s": 0.05},
        ]
    )


def _stale(random: Random) -> Rule:
    return random.choice(
        [
            {"lag_s": random.uniform(2, LONGEST_LAG)},
            {"lag_s": random.uniform(2, LONGEST_LAG)},
            {"lag_s": random.uniform(2, LONGEST_LAG)},
            {"status": random.choice([500, 503])},
            {"drop": "after"},
        ]
    )


def _storage(random: Random) -> Iterator[Rule]:
    # A fault in the platform's own fetch of a slide would fail the slide, which no job can help.
    for method, path in (("PUT", _OBJECTS), ("GET", _OUTPUTS)):
        if random.random() < 0.5:
            action: Rule = random.choice([{"status": 503}, {"drop": "before"}, {"drop": "after"}])
            yield _once(random, {"method": method, "path": path}, action, most_skip=6)
