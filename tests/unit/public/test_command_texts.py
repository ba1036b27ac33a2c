"""What commands print: how much of a long list, and JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from attrs import evolve
from bulk_jobs import PLAN
from hostile_texts import terminal

from aignostics_async import RunDetails, RunStatus
from aignostics_async.bulk import PendingDecisions
from aignostics_async.bulk.preflight._earlier_runs import EarlierRuns
from aignostics_async.bulk.preflight._findings import FindingGroup, FindingKind
from aignostics_async.bulk.preflight._report import DiskEstimate, PreflightReport
from aignostics_async.bulk.preflight._store_probe import StoreProbe
from aignostics_async.cli._log_lines import shown_log_lines
from aignostics_async.cli._login import _warn_of_precedence
from aignostics_async.cli._output import (
    human_moment,
    jsonable,
    moment,
    print_json,
    print_json_line,
    print_table,
    show,
)
from aignostics_async.cli._submit import _advice
from aignostics_async.cli.bulk._plan import _figures, _slides


@pytest.mark.parametrize(
    ("number", "end"), [(1, " 'case 0'\n"), (20, " 'case 19'\n"), (21, " 'case 19' ...\n")]
)
def test_an_interrupted_submission_names_twenty_slides(
    capsys: pytest.CaptureFixture[str], number: int, end: str
) -> None:
    with pytest.raises(asyncio.CancelledError), _advice([f"case {each}" for each in range(number)]):
        raise asyncio.CancelledError
    told = capsys.readouterr().err
    assert told.endswith(end)
    assert "aignostics-async runs find 'case 0'" in told


@pytest.mark.parametrize(("number", "rest"), [(5, []), (6, ["and 1 more slide"]), (7, ["and 2 more slides"])])
def test_a_plan_names_five_slides_of_a_finding(number: int, rest: list[str]) -> None:
    slides = tuple(f"slide {each}" for each in range(number))
    group = FindingGroup(FindingKind.METADATA, "a problem", "a remedy", slides)
    assert _slides(group) == [*slides[:5], *rest]


def test_a_plan_shows_what_is_known_and_what_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    def shown(report: PreflightReport) -> str:
        show(_figures(report))
        return " ".join(capsys.readouterr().out.split())

    unknown = PreflightReport(
        plan=PLAN, found=3, ready=2, bytes=5_000_000, left_out=(), beyond_limit=0,
        store=StoreProbe((), is_verified=False, seconds=0.0, credentials_end=None, left=None, faults=()),
        earlier=None, disk=DiskEstimate("/results", None, None, "nothing to measure"), faults=(), warnings=(),
        seconds=1.0,
    )  # fmt: skip
    assert shown(unknown) == (
        "application h-e-tme:v1.2.3 at https://platform.example.com "
        "slides 3 found, 2 ready, 5 MB "
        "to be billed 2 items in 1 run "
        "store s3://bucket: nothing worked, in 0.0 s "
        "results unknown (nothing to measure); an unknown space free in /results "
        "run before unknown "
        "read by this machine"
    )
    end = datetime(2027, 1, 2, tzinfo=UTC)
    known = evolve(
        unknown,
        plan=evolve(PLAN, max_items=1),
        beyond_limit=4,
        store=evolve(unknown.store, steps=("put", "get"), left="a/key", credentials_end=end),
        earlier=EarlierRuns(1, 0, is_whole=True, again={"a": "run"}, similar={}, output_bytes=1.0, samples=1),
        disk=DiskEstimate("/results", 7_000_000, 6_000_000, "measured"),
    )
    assert shown(known) == (
        "application h-e-tme:v1.2.3 at https://platform.example.com "
        "slides 3 found, 2 ready, 5 MB, 4 beyond the limit "
        "to be billed 2 items of 1 allowed in 1 run "
        "store s3://bucket: put, get worked, in 0.0 s; a/key stays there; "
        "its credentials end 2027-01-02 00:00 UTC "
        "results about 6 MB (measured); 7 MB free in /results "
        "run before 1 slide of these, by 1 earlier run "
        "read by this machine"
    )


def test_json_is_readable_in_any_language(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"reference": "Präparat 標本"}
    for write, lines in ((print_json, 3), (print_json_line, 1)):
        write(value)
        told = capsys.readouterr().out
        assert json.loads(told) == value
        assert value["reference"] in told
        assert told.count("\n") == lines


def test_what_json_lacks_is_written_as_null(capsys: pytest.CaptureFixture[str]) -> None:
    metadata = {"a": float("nan"), "b": [float("inf"), {"c": 1.5}]}
    now = datetime.now(UTC)
    run = RunDetails("run", "he-tme:v1.0.0", "org", RunStatus.RUNNING, now, "me", metadata=metadata)
    print_json(jsonable(run))
    written = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert written["metadata"] == {"a": None, "b": [None, {"c": 1.5}]}


def test_sets_are_sorted_lists_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(jsonable(PendingDecisions(chunks=(), duplicates=(), cancelled=frozenset({10, 2}), held={})))
    assert json.loads(capsys.readouterr().out)["cancelled"] == [2, 10]


def test_times_name_their_zone() -> None:
    east = timezone(timedelta(hours=14))
    assert human_moment(datetime(2026, 11, 30, 18, 0, tzinfo=east)) == "2026-11-30 04:00 UTC"
    assert human_moment(datetime(1, 1, 1, tzinfo=east)).endswith("-01-01 00:00 UTC+14:00")
    assert moment(0) == datetime(1970, 1, 1, tzinfo=UTC)
    assert [moment(none) for none in (None, "0", 1e20, math.inf, math.nan)] == [None] * 5


def test_log_lines_are_in_utc_and_say_so(capsys: pytest.CaptureFixture[str]) -> None:
    told = {"levelno": logging.INFO, "levelname": "INFO", "msg": "x", "created": 0.0}
    with pytest.MonkeyPatch.context() as patch, shown_log_lines(verbose=True, quiet=False):
        patch.setenv("TZ", "XXX-9")
        time.tzset()
        logging.getLogger("aignostics_async").handle(logging.makeLogRecord(told))
    time.tzset()
    assert capsys.readouterr().err.startswith("00:00:00Z info: x")


def test_a_credential_that_takes_precedence_over_a_login_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIGNOSTICS_REFRESH_TOKEN", raising=False)
    monkeypatch.setenv("AIGNOSTICS_ACCESS_TOKEN", " ")
    monkeypatch.setenv("AIGNOSTICS_CLIENT_SECRET", "secret")
    _warn_of_precedence()
    assert capsys.readouterr().err == "AIGNOSTICS_CLIENT_SECRET is set, and is used in place of any login\n"


def test_what_is_copied_from_a_table_is_on_one_line() -> None:
    run_id, folder = str(uuid.uuid4()), "folder/" * 12
    row = (run_id, "atlas-he-tme:v1.3.0", "COMPLETED_WITH_ERROR", "2026-11-30 18:00 UTC")
    with terminal(80) as narrow:
        print_table(("run", "version", "status", "triggered"), [row], whole="run")
        print_table(("folder", "status"), [(folder, "UNFINISHED")], whole="folder")
    assert run_id in narrow.output
    lines = [line for line in narrow.output.splitlines() if line.startswith("│")]
    assert max(map(len, lines)) <= 80
    folded = "".join(line.split("│")[1].strip() for line in lines if "folder" in line)
    assert folded == folder, "but nothing is cut"
