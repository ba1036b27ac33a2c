"""The states of contract 1.8 as statuses that users know, and its filters and orders. Pure."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest
from aignostics_api_1_8.models import ApplicationVersion, ItemState, ItemTerminationReason
from hypothesis import given, strategies as st

from aignostics_async import ItemStatus, RunStatistics, RunStatus, UsageError
from aignostics_async.contracts.v1_8._filters import metadata_path
from aignostics_async.contracts.v1_8._sorting import ITEMS, RUNS, sort_versions, translated
from aignostics_async.contracts.v1_8._states import item_filter, item_status, run_status
from aignostics_async.errors import NotInContract

ALL_PENDING = RunStatistics(
    total=3, pending=3, processing=0, succeeded=0, user_errors=0, system_errors=0, skipped=0
)
UNDER_WAY = RunStatistics(
    total=3, pending=2, processing=0, succeeded=1, user_errors=0, system_errors=0, skipped=0
)
GOOD = RunStatistics(total=3, pending=0, processing=0, succeeded=3, user_errors=0, system_errors=0, skipped=0)
LAGGING = RunStatistics(
    total=3, pending=0, processing=1, succeeded=2, user_errors=0, system_errors=0, skipped=0
)
BAD = RunStatistics(total=3, pending=0, processing=0, succeeded=2, user_errors=0, system_errors=0, skipped=1)


@pytest.mark.parametrize(
    ("state", "reason", "counts", "status"),
    [
        ("PENDING", None, ALL_PENDING, RunStatus.RECEIVED),
        ("PENDING", None, UNDER_WAY, RunStatus.RUNNING),
        ("PROCESSING", None, UNDER_WAY, RunStatus.RUNNING),
        ("TERMINATED", "ALL_ITEMS_PROCESSED", GOOD, RunStatus.COMPLETED),
        ("TERMINATED", "ALL_ITEMS_PROCESSED", LAGGING, RunStatus.COMPLETED),
        ("TERMINATED", "ALL_ITEMS_PROCESSED", BAD, RunStatus.COMPLETED_WITH_ERROR),
        ("TERMINATED", "CANCELED_BY_USER", UNDER_WAY, RunStatus.CANCELED_USER),
        ("TERMINATED", "CANCELED_BY_SYSTEM", UNDER_WAY, RunStatus.CANCELED_SYSTEM),
        ("TERMINATED", None, UNDER_WAY, RunStatus.COMPLETED_WITH_ERROR),
        ("TERMINATED", "OUT_OF_COFFEE", GOOD, RunStatus.COMPLETED),
        ("TERMINATED", "OUT_OF_COFFEE", LAGGING, RunStatus.COMPLETED_WITH_ERROR),
        ("terminated", "canceled_by_user", GOOD, RunStatus.CANCELED_USER),
    ],
)
def test_a_run_has_the_status_of_its_state(
    state: str, reason: str | None, counts: RunStatistics, status: RunStatus
) -> None:
    assert run_status(state, reason, counts, has_ended=False) == status


@pytest.mark.parametrize(("reason", "has_ended"), [("ANY", False), (None, True)])
def test_an_unknown_state_is_final_if_the_run_has_ended(reason: str | None, has_ended: bool) -> None:
    assert run_status("ASLEEP", reason, GOOD, has_ended=has_ended).is_final
    assert item_status("ASLEEP", reason, has_ended=has_ended).is_final
    assert run_status("ASLEEP", None, GOOD, has_ended=False) == "ASLEEP"
    assert not item_status("ASLEEP", None, has_ended=False).is_final


@pytest.mark.parametrize(
    ("state", "reason", "status"),
    [
        ("PENDING", None, ItemStatus.PENDING),
        ("PROCESSING", None, ItemStatus.PROCESSING),
        ("TERMINATED", "SUCCEEDED", ItemStatus.SUCCEEDED),
        ("TERMINATED", "USER_ERROR", ItemStatus.ERROR_USER),
        ("TERMINATED", "SYSTEM_ERROR", ItemStatus.ERROR_SYSTEM),
        ("TERMINATED", "SKIPPED", ItemStatus.SKIPPED),
        ("TERMINATED", "OUT_OF_COFFEE", ItemStatus.ERROR_SYSTEM),
        ("TERMINATED", None, ItemStatus.ERROR_SYSTEM),
    ],
)
def test_an_item_has_the_status_of_its_state(state: str, reason: str | None, status: ItemStatus) -> None:
    assert item_status(state, reason, has_ended=False) == status


def test_a_filter_keeps_every_item_with_one_of_the_statuses() -> None:
    reasons = [None, *ItemTerminationReason, ItemTerminationReason("OUT_OF_COFFEE")]
    for number in range(1, 4):
        for wanted in itertools.combinations(ItemStatus, number):
            state, reason = item_filter(wanted)
            for its_state, its_reason in itertools.product(ItemState, reasons):
                if item_status(its_state, its_reason, has_ended=False) in wanted:
                    assert state in (None, its_state)
                    assert reason in (None, its_reason)


def test_one_status_is_filtered_by_the_server() -> None:
    assert item_filter([ItemStatus.SUCCEEDED]) == ("TERMINATED", "SUCCEEDED")
    assert item_filter([ItemStatus.PENDING]) == ("PENDING", None)
    assert item_filter([status for status in ItemStatus if status.is_final]) == ("TERMINATED", None)
    assert item_filter([]) == (None, None)


def test_orders_are_in_the_words_of_the_contract() -> None:
    assert translated(["-triggered_at", "+status", "custom_metadata"], RUNS) == [
        *("-submitted_at", "+state", "custom_metadata"),
    ]
    assert translated(["-application_version_id"], RUNS) == ["-application_id", "-version_number"]
    assert translated(["-termination_reason"], RUNS) == ["-termination_reason"]
    assert translated(["reference", "-item_id"], ITEMS) == ["external_id", "-item_id"]


def released(number: str) -> ApplicationVersion:
    return ApplicationVersion.from_dict({"number": number, "released_at": "2026-01-01T00:00:00Z"})


def test_versions_are_sorted_as_versions() -> None:
    numbers = ["1.10.0", "1.2.0", "1.2.0-beta.2", "1.2.0-beta.11", "1.2.0-alpha", "0.9.9", "1.2.0-beta.x"]
    found = sort_versions([released(number) for number in numbers], ["version"])
    assert [each.number for each in found] == [
        *("0.9.9", "1.2.0-alpha", "1.2.0-beta.2", "1.2.0-beta.11", "1.2.0-beta.x", "1.2.0", "1.10.0"),
    ]
    assert sort_versions(found, ["-version"])[0].number == "1.10.0"
    with pytest.raises(NotInContract, match=r"contract 1\.8.*sort versions by version"):
        sort_versions(found, ["changelog"])


# Metadata


def test_metadata_are_found_by_filter_expressions() -> None:
    assert metadata_path({"study": "high"}) == '$.study ? (@ == "high")'
    assert metadata_path({"a": {"b c": 3}}) == '$.a."b c" ? (@ == 3)'
    assert metadata_path({"a": True, "b": {"c": None, "d": 0.5}}) == (
        "$ ? (@.a == true && @.b.c == null && @.b.d == 0.5)"
    )


NESTED: dict[str, Any] = {}
for _ in range(5000):
    NESTED = {"a": NESTED}


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({}, "names no value"),
        ({"a": {}}, "names no value"),
        ({"a": [1]}, "can't be looked for"),
        ({"a": float("nan")}, "can't be looked for"),
        ({"a": object()}, "can't be looked for"),
        ({1: "x"}, "a key of metadata is a text"),
        ({"a": "x" * 1000}, "1000 are the limit"),
        ({"a": "\x00"}, "can't store"),
        ({"a": "\ud800"}, "can't store"),
        (NESTED, "nested too deeply"),
    ],
)
def test_what_can_not_be_looked_for_is_told(metadata: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        metadata_path(metadata)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)


@given(key=TEXTS.filter(bool), value=TEXTS)
def test_no_text_gets_out_of_its_quotes(key: str, value: str) -> None:
    path = metadata_path({key: value})
    shape = re.fullmatch(
        r'\$\.(?:(\w+)|("(?:[^"\\]|\\.)*")) \? \(@ == ("(?:[^"\\]|\\.)*")\)', path, re.DOTALL
    )
    assert shape is not None
    assert (shape[1] or json.loads(shape[2], strict=False)) == key
    assert json.loads(shape[3], strict=False) == value
