"""Due dates, deadlines and callback contexts: what is refused before anything is sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from answers_1_8 import ITEM, ITEMS, ROOT, RUN, RUN_ID, VERSION
from job import job_database
from pytest_httpx import HTTPXMock

from aignostics_async import Client, ConfigurationError, NotInContract, UsageError
from aignostics_async._core._display_text import with_code
from aignostics_async.bulk import JobPlan
from aignostics_async.bulk._plan import replace_values
from aignostics_async.bulk.database import _commands
from aignostics_async.bulk.database._queries import OwnRun
from aignostics_async.bulk.database._states import AttemptOutcome, IntentState
from aignostics_async.bulk.report._rows import read_troubles
from aignostics_async.bulk.stages._monitoring import Monitoring
from aignostics_async.cli._options import as_time, run_metadata
from aignostics_async.cli.runs import _list
from aignostics_async.contracts._protocol import RunOptions
from aignostics_async.contracts.v1_8 import _decoding

LATER = datetime.now(UTC) + timedelta(days=1)
PAST = datetime.now(UTC) - timedelta(seconds=1)


async def test_all_of_it_is_sent(httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(method="GET", json=VERSION)
    httpx_mock.add_response(method="POST", status_code=201, json={"run_id": RUN_ID})
    async with Client(ROOT, "token", contract="1.8") as client:
        times: dict[str, Any] = {"due_date": LATER, "deadline": LATER}
        await client.runs.create("he-tme:v1.1.0", ITEMS, **times, callback_context={"job": 7})
    (request,) = httpx_mock.get_requests(method="POST")
    sent = json.loads(request.content)
    assert sent["scheduling"] == {name: LATER.isoformat() for name in times}
    assert sent["callback_context"] == {"job": 7}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"due_date": PAST}, "due_date must be a time to come"),
        ({"deadline": PAST}, "deadline must be a time to come"),
        ({"deadline": LATER.replace(tzinfo=None)}, "aware"),
        ({"callback_context": {"x": "y" * 1020}}, "1024 are the limit"),
        ({"callback_context": {"x": "é" * 170 + "y" * 5}}, "1024 are the limit"),
        ({"callback_context": {"x": object()}}, "no JSON"),
        ({"callback_context": [("a", 1)]}, "a mapping, not list"),
        ({"callback_context": {"x": "\ud800"}}, "no JSON"),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
async def test_what_can_not_be_is_refused(given: dict[str, Any], told: str) -> None:
    async with Client(ROOT, "token", contract="1.8") as client:
        with pytest.raises(UsageError, match=told):
            await client.runs.create("he-tme:v1.1.0", ITEMS, **given)


async def test_a_context_of_the_longest_length_is_sent() -> None:
    RunOptions(callback_context={"x": "y" * (1024 - len('{"x": ""}'))}).check()


async def test_a_deadline_that_passes_during_the_uploads_keeps_the_request_back() -> None:
    with pytest.raises(UsageError, match="has passed"):
        RunOptions(deadline=PAST).check()


@pytest.mark.parametrize(
    "given",
    [{"due_date": LATER}, {"deadline": LATER}, {"callback_context": {}}],
    ids=lambda given: next(iter(given)),
)
async def test_the_older_contract_has_none_of_it(given: dict[str, Any]) -> None:
    async with Client(ROOT, "token", contract="1.0") as client:
        with pytest.raises(NotInContract):
            await client.runs.create("he-tme:v1.1.0", ITEMS, **given)


def plan(**told: Any) -> JobPlan:
    return JobPlan(api_root=ROOT, application_version="he-tme:v1.0.0", store="s3://bucket", **told)


def test_a_plan_keeps_its_times() -> None:
    given = plan(due_date=LATER, deadline=LATER, callback_context={"a": 1}, metadata={"study": ["x"]})
    assert JobPlan.from_json(given.to_json()) == given
    changed = replace_values(given, chunk_size=None, due_date=None, deadline=LATER + timedelta(1))
    assert (changed.due_date, changed.deadline) == (LATER, LATER + timedelta(1))


@pytest.mark.parametrize(
    "told",
    [
        {"deadline": "never"},
        {"deadline": datetime(2027, 1, 1)},  # noqa: DTZ001
        {"metadata": {"aignostics_async": 1}},
        {"metadata": {"a": object()}},
        {"callback_context": {"a": "b" * 2000}},
    ],
    ids=lambda told: next(iter(told)),
)
def test_a_plan_without_sense_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        plan(**told)


def test_a_due_date_that_has_passed_is_not_sent() -> None:
    options = RunOptions(due_date=PAST, deadline=LATER)
    assert options.without_past(datetime.now(UTC)) == RunOptions(deadline=LATER)
    assert options.without_past(PAST - timedelta(seconds=1)) is options


def test_a_time_without_a_zone_is_local() -> None:
    assert as_time("2027-01-31T18:00Z") == datetime(2027, 1, 31, 18, tzinfo=UTC)
    local = as_time("2027-01-31T18:00")
    assert local is not None
    assert (local.hour, local.utcoffset()) == (18, datetime(2027, 1, 31, 18).astimezone().utcoffset())
    assert as_time(None) is None
    for text in ("tomorrow", "0001-01-01", "9999-12-31T23:59-12:00"):
        with pytest.raises(UsageError, match="a time is written as"):
            as_time(text)


@pytest.mark.parametrize("option", ["--metadata", "--run-metadata"])
def test_the_option_that_is_no_pair_is_named(option: str) -> None:
    with pytest.raises(UsageError, match=f"^{option} takes KEY=VALUE, not 'study'"):
        run_metadata(["study"], option)
    assert run_metadata(["study=x"]) == {"study": "x"}


def test_what_a_run_tells_is_shown() -> None:
    run = _decoding.run(
        {
            **RUN,
            "state": "TERMINATED",
            "termination_reason": "CANCELED_BY_SYSTEM",
            "error_code": "SCHEDULER.DEADLINE_EXCEEDED",
            "error_message": "not in time",
            "num_preceding_items_org": 12,
        }
    )
    assert list(_list._facts(run)) == [
        "items: 2 (1 PENDING, 1 SUCCEEDED)",
        "items before it: 12 of the organization",
        "due date: 2026-01-02 00:00 UTC",
        "error: not in time [SCHEDULER.DEADLINE_EXCEEDED]",
    ]
    item = _decoding.item(RUN_ID, {**ITEM, "error_code": "E7", "queue_position_org": 3})
    assert (item.error_code, item.queue_position_organization) == ("E7", 3)
    assert [with_code(*each) for each in (("a", "B"), (None, "B"), ("a", None), (None, None))] == [
        "a [B]", "B", "a", None
    ]  # fmt: skip


async def test_the_platform_s_code_for_an_item_is_in_the_report_of_a_job(tmp_path: Path) -> None:
    told = {"state": "TERMINATED", "termination_reason": "USER_ERROR", "error_message": "no slide"}
    item = _decoding.item(RUN_ID, {**ITEM, **told, "external_id": "a", "error_code": "E7"})
    async with job_database(tmp_path / "job", "a") as database:
        await database.write(_commands.seal([1]))
        await database.write(_commands.begin(1, None))
        created = _commands.conclude(1, AttemptOutcome.CREATED, IntentState.CREATED, RUN_ID)
        await database.write(created)
        monitoring = Monitoring(context=Mock(database=database), submitting=Mock(), tag="")
        await monitoring._take(OwnRun(1, RUN_ID, ""), item)
        (trouble,) = await database.read(lambda execute: list(read_troubles(execute)))
    assert (trouble.reference, trouble.fault) == ("a", "no slide [E7]")
