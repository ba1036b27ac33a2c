"""What commands print: how much of a long list, and JSON."""

from __future__ import annotations

import asyncio
import json

import pytest

from aignostics_async.bulk.preflight._findings import FindingGroup, FindingKind
from aignostics_async.cli._bulk_plan import _slides
from aignostics_async.cli._login import _warn_of_precedence
from aignostics_async.cli._output import print_json, print_json_line
from aignostics_async.cli._submit import _advice


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


def test_json_is_readable_in_any_language(capsys: pytest.CaptureFixture[str]) -> None:
    value = {"reference": "Präparat 標本"}
    for show, lines in ((print_json, 3), (print_json_line, 1)):
        show(value)
        told = capsys.readouterr().out
        assert json.loads(told) == value
        assert value["reference"] in told
        assert told.count("\n") == lines


def test_a_credential_that_takes_precedence_over_a_login_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIGNOSTICS_REFRESH_TOKEN", raising=False)
    monkeypatch.setenv("AIGNOSTICS_ACCESS_TOKEN", " ")
    monkeypatch.setenv("AIGNOSTICS_CLIENT_SECRET", "secret")
    _warn_of_precedence()
    assert capsys.readouterr().err == "AIGNOSTICS_CLIENT_SECRET is set, and is used in place of any login\n"
