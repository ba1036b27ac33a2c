"""What a job is to do: refused where it can't be, the same after a restart, and without secrets."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from attrs import evolve

from aignostics_async import ConfigurationError, JobDatabaseError, JobRefused, UsageError
from aignostics_async.bulk._plan import JobPlan, replace_values
from aignostics_async.bulk.reconciliation._quiescence import ReconciliationTimeouts

PLAN = JobPlan(
    api_root="https://host.example.com/", application_version="he-tme:1.1.0", store="s3://bucket/prefix"
)


def test_what_is_given_is_kept_in_the_platform_s_form() -> None:
    assert (PLAN.api_root, PLAN.application_version) == ("https://host.example.com", "he-tme:v1.1.0")
    assert (PLAN.chunk_size, PLAN.max_items, PLAN.results) == (100, None, None)


@pytest.mark.parametrize(
    "plan",
    [
        PLAN,
        evolve(
            PLAN,
            prefix="lab-7/ß",
            results=Path("here"),
            chunk_size=500,
            reference_tag=True,
            max_items=20_000,
            artifact="slide",
            pack=True,
            timeouts=ReconciliationTimeouts(quiescence=1.5, replica_lag=2, ambiguity=3),
            metadata=MappingProxyType({"deep": json.loads("[" * 400 + "]" * 400)}),
            callback_context=MappingProxyType({"lab": MappingProxyType({"room": 7})}),
        ),
    ],
    ids=["defaults", "everything"],
)
def test_a_plan_is_the_same_after_a_restart(plan: JobPlan) -> None:
    again = JobPlan.from_json(plan.to_json())
    assert again == plan
    assert hash(again) == hash(plan)
    assert again.results is None or again.results == Path("here").absolute()


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("api_root", "http://host.example.com", "must be https"),
        ("api_root", "https://host.example.com/api", "without /api"),
        ("application_version", "he-tme", "is no version id"),
        ("store", "", "store is the address of a store"),
        ("store", "s3://bucket\n", "store is the address of a store"),
        ("store", "https://[broken", "store is no address"),
        ("store", "https://name:PLANTED@host/path", "a job keeps no secrets"),
        ("store", "https://host/path?sig=PLANTEDPLANTED", "a job keeps no secrets"),
        ("prefix", "", "prefix is what the keys"),
        ("prefix", "/lab", "prefix is what the keys"),
        ("prefix", "lab/../other", "prefix is what the keys"),
        ("prefix", "x" * 201, "prefix is what the keys"),
        ("chunk_size", 0, "chunk_size is a whole number, from 1 to 500, not 0"),
        ("chunk_size", 501, "from 1 to 500, not 501"),
        ("chunk_size", True, "from 1 to 500, not True"),
        ("chunk_size", "5", "from 1 to 500, not '5'"),
        ("max_items", 0, "max_items is a whole number, at least 1, not 0"),
        ("max_items", 1.5, "at least 1, not 1.5"),
        ("reference_tag", 1, "reference_tag is True or False"),
        ("pack", "yes", "pack is True or False"),
        ("artifact", " ", "artifact is the name of an input artifact"),
        ("results", 5, "results is the path of a folder, not 5"),
        ("results", "a\0b", "results is the path of a folder"),
        ("results", os.fsdecode(b"/results-\xfc"), "results is the path of a folder"),
        ("metadata", {"lab": "\ud800"}, "metadata of runs can't be sent"),
        ("contract", 5, "contract is the text '1.0' or '1.8', not 5"),
        ("timeouts", 300, r"timeouts takes ReconciliationTimeouts\(...\)"),
        ("timeouts", ReconciliationTimeouts(quiescence=0), r"timeouts takes ReconciliationTimeouts\(...\)"),
        (
            "timeouts",
            ReconciliationTimeouts(replica_lag=float("inf")),
            r"timeouts takes ReconciliationTimeouts\(...\)",
        ),
    ],
)
def test_what_can_t_be_is_refused(field: str, value: Any, told: str) -> None:
    with pytest.raises((ConfigurationError, UsageError), match=told) as caught:
        evolve(PLAN, **{field: value})
    assert "PLANTED" not in str(caught.value)


def test_values_that_replace_those_of_a_plan_are_checked_too() -> None:
    """Only None keeps a value: 0 is one, and an invalid one."""
    assert replace_values(PLAN, chunk_size=None, deadline=None) == PLAN
    assert replace_values(PLAN, chunk_size=7).chunk_size == 7
    with pytest.raises(ConfigurationError, match="from 1 to 500, not 0"):
        replace_values(PLAN, chunk_size=0)


def test_a_plan_of_a_newer_release_is_refused() -> None:
    with pytest.raises(JobRefused, match="the job's plan says chunks, which this release does not know"):
        JobPlan.from_json(json.dumps({**json.loads(PLAN.to_json()), "chunks": 3}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "no json",
        PLAN.to_json()[:-30],
        PLAN.to_json().replace("100", "0"),
        PLAN.to_json().replace("300.0", '"x"'),
    ],
    ids=["nothing", "list", "empty", "text", "cut", "impossible", "no number"],
)
def test_a_plan_that_can_t_be_read_is_told(text: str) -> None:
    with pytest.raises(JobDatabaseError, match="the job's plan can't be read"):
        JobPlan.from_json(text)
