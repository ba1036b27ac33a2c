"""The control API of the emulator: its clock, scripted runs, moves, replica lag, late work, the ledger."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import uuid
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import inf
from pathlib import Path
from typing import Any

import pytest
import requests
from support import run_body, signed_in

from aignostics_async import Item, LoginRequired, Slide, UsageError
from aignostics_async.emulator.process import Emulator


@pytest.fixture
def standing(emulator: Emulator) -> Emulator:
    """Give an emulator whose clock moves only when a test moves it."""
    emulator.reset(clock_rate=0)
    return emulator


def ask(emulator: Emulator, method: str, path: str, **options: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {emulator.access_token}"}
    url = f"{emulator.api_root}/api{path}"
    return requests.request(method, url, headers=headers, timeout=30, **options)


def states(emulator: Emulator, run_id: str) -> tuple[str, dict[str, str]]:
    """Return how the run and its items stand."""
    items = ask(emulator, "GET", f"/v1/runs/{run_id}/results").json()
    return (
        ask(emulator, "GET", f"/v1/runs/{run_id}").json()["status"],
        {item["reference"]: item["status"] for item in items},
    )


def test_a_script_is_played_by_the_clock(standing: Emulator) -> None:
    steps = [(10, None, "RUNNING"), (20, "b", "SUCCEEDED"), (30, "a", "ERROR_USER"), (30, None, "COMPLETED")]
    begin = standing.now()
    (run_id,) = standing.script({"items": ["a", "b"], "steps": steps})
    assert states(standing, run_id) == ("RECEIVED", {"a": "PENDING", "b": "PENDING"})
    standing.set_clock(advance_s=25)
    assert states(standing, run_id) == ("RUNNING", {"a": "PENDING", "b": "SUCCEEDED"})
    pending = ask(standing, "GET", f"/v1/runs/{run_id}/results?status__in=PENDING").json()
    assert [item["reference"] for item in pending] == ["a"]
    assert standing.ledger() == [
        (begin, run_id, None, "RECEIVED"),
        (begin + 10, run_id, None, "RUNNING"),
        (begin + 20, run_id, "b", "SUCCEEDED"),
    ]
    standing.set_clock(advance_s=5)
    assert states(standing, run_id) == ("COMPLETED", {"a": "ERROR_USER", "b": "SUCCEEDED"})


def test_a_script_may_begin_earlier_or_later(standing: Emulator) -> None:
    now, later = standing.script({"items": ["a"]}, {"items": ["a"], "after_s": 60})
    (earlier,) = standing.script({"items": ["a"], "after_s": -60, "steps": [(30, None, "RUNNING")]})
    listed = ask(standing, "GET", "/v1/runs?sort=-triggered_at").json()
    assert [(run["application_run_id"], run["status"]) for run in listed] == [
        (now, "RECEIVED"),
        (earlier, "RUNNING"),
    ]
    assert ask(standing, "GET", f"/v1/runs/{later}").status_code == 404
    standing.set_clock(advance_s=60)
    listed = ask(standing, "GET", "/v1/runs?sort=triggered_at").json()
    assert [run["application_run_id"] for run in listed] == [earlier, now, later]


def test_cancelling_forgets_what_was_to_come(standing: Emulator) -> None:
    steps = [(10, "a", "SUCCEEDED"), (20, "b", "SUCCEEDED"), (20, None, "COMPLETED")]
    (run_id,) = standing.script({"items": ["a", "b"], "steps": steps})
    standing.set_clock(advance_s=15)
    assert ask(standing, "POST", f"/v1/runs/{run_id}/cancel").status_code == 202
    standing.set_clock(advance_s=15)
    assert states(standing, run_id) == ("CANCELED_USER", {"a": "SUCCEEDED", "b": "CANCELED_USER"})


def test_moves(standing: Emulator) -> None:
    (run_id,) = standing.script({"items": ["a", "b"]})
    moves = [{"run": run_id, "reference": "a", "status": "SUCCEEDED"}, {"run": run_id, "status": "COMPLETED"}]
    with pytest.raises(UsageError, match="invalid "):
        standing.move(*moves, {"run": run_id, "reference": "c", "status": "SUCCEEDED"})
    for invalid in (
        {"run": run_id, "status": "SUCCEEDED"},
        {"run": run_id, "reference": "a", "status": "DONE"},
    ):
        with pytest.raises(UsageError, match="invalid "):
            standing.move(invalid)
    with pytest.raises(UsageError, match="invalid "):
        standing.script({"items": ["a"], "steps": [[1, "a", "COMPLETED"]]})
    assert states(standing, run_id)[0] != "COMPLETED", "an invalid move leaves no trace of those before it"
    assert standing.move(*moves, *moves) == [True, True, False, False], "what is final moves no more"
    assert states(standing, run_id) == ("COMPLETED", {"a": "SUCCEEDED", "b": "PENDING"})
    assert standing.move({"run": run_id, "delete": True}) == [True]
    assert ask(standing, "GET", f"/v1/runs/{run_id}").status_code == 404
    assert ask(standing, "GET", f"/v1/runs/{run_id}/results").status_code == 404
    assert ask(standing, "GET", "/v1/runs").json() == []
    assert [row[3] for row in standing.ledger()] == ["RECEIVED", "SUCCEEDED", "COMPLETED", "DELETED"]


def test_a_lagging_replica_answers_how_things_were(standing: Emulator) -> None:
    (run_id,) = standing.script({"items": ["a"]})
    standing.set_clock(advance_s=100)
    standing.move({"run": run_id, "reference": "a", "status": "SUCCEEDED"}, {"run": run_id, "delete": True})
    standing.set_clock(advance_s=5)
    standing.set_faults({"method": "GET", "lag_s": 10, "times": 3}, {"method": "GET", "lag_s": 200})
    assert ask(standing, "GET", f"/v1/runs/{run_id}").status_code == 200
    (item,) = ask(standing, "GET", f"/v1/runs/{run_id}/results").json()
    assert (item["status"], len(ask(standing, "GET", "/v1/runs").json())) == ("PENDING", 1)
    assert ask(standing, "GET", f"/v1/runs/{run_id}").status_code == 404, "it knows nothing of the run yet"
    standing.set_faults()
    assert ask(standing, "GET", f"/v1/runs/{run_id}").status_code == 404


def test_moves_between_two_pages(standing: Emulator) -> None:
    (run_id,) = standing.script({"items": [f"{number:02}" for number in range(12)]})
    finish = [{"run": run_id, "reference": f"{number:02}", "status": "SUCCEEDED"} for number in range(4)]
    standing.set_faults({"query": {"page": "1"}, "times": 1, "then": finish})
    path = f"/v1/runs/{run_id}/results?status__in=PENDING&page_size=8"
    pages = [ask(standing, "GET", f"{path}&page={page}").json() for page in (1, 2)]
    references = [[item["reference"] for item in page] for page in pages]
    assert references == [[f"{number:02}" for number in range(8)], []], "four are missed"


def test_late_work_is_done_when_the_clock_says_so(standing: Emulator) -> None:
    standing.set_faults({"method": "POST", "path": "/api/v1/runs", "times": 1, "late_s": 45})
    with pytest.raises(requests.ConnectionError):
        ask(standing, "POST", "/v1/runs", json=run_body())
    standing.set_clock(advance_s=44)
    assert ask(standing, "GET", "/v1/runs").json() == []
    begin = standing.now()
    standing.set_clock(advance_s=2)
    for _ in range(600):  # the work itself is done by another task than the one that answers
        if runs := ask(standing, "GET", "/v1/runs").json():
            break
        time.sleep(0.01)
    assert len(runs) == 1
    assert datetime.fromisoformat(runs[0]["triggered_at"]).timestamp() == pytest.approx(begin + 2, abs=1e-4)


async def test_tokens_urls_and_the_date_go_by_the_same_clock(emulator: Emulator) -> None:
    emulator.reset(clock_rate=0, token_lifetime=100)
    now = emulator.now()
    answer = ask(emulator, "GET", "/v1/runs")
    assert parsedate_to_datetime(answer.headers["Date"]).timestamp() == int(now)
    body = {"method": "PUT", "key": "a", "expires_s": 50}
    headers = {"Authorization": f"Bearer {emulator.access_token}"}
    signed = requests.post(f"{emulator.store_url}/sign", json=body, headers=headers, timeout=30).json()["url"]
    assert requests.put(signed, data=b"a", timeout=30).status_code == 200
    emulator.set_clock(advance_s=60)
    assert requests.put(signed, data=b"a", timeout=30).status_code == 400
    source = signed_in(emulator)
    headers = {"Authorization": f"Bearer {(await source.get_token()).text}"}
    url = f"{emulator.api_root}/api/v1/runs"
    emulator.set_clock(advance_s=99)
    assert requests.get(url, headers=headers, timeout=30).status_code == 200
    emulator.set_clock(advance_s=2)
    answer = requests.get(url, headers=headers, timeout=30)
    assert answer.status_code == 401
    assert parsedate_to_datetime(answer.headers["Date"]) == datetime.fromtimestamp(int(now + 161), UTC)


@pytest.mark.emulator
def test_the_clock_survives_a_restart(tmp_path: Path) -> None:
    with Emulator(tmp_path / "data", clock_rate=0) as emulator:
        (run_id,) = emulator.script({"items": ["a"], "steps": [(50, None, "RUNNING")]})
        emulator.set_clock(advance_s=100)
        before = emulator.now()
        emulator.kill()
        emulator.start()
        assert emulator.now() == before
        assert states(emulator, run_id)[0] == "RUNNING"
        emulator.set_clock(rate=1e6)
        assert emulator.now() > before


def test_what_can_t_be_done_is_told(standing: Emulator) -> None:
    for wrong in (
        {"items": ["a"], "steps": [(1, "b", "SUCCEEDED")]},
        {"items": ["a"], "colour": "red"},
        {"items": ["a"], "after_s": 1e300},
        {"items": "abc"},
        {"items": [1]},
        {"items": ["a"], "submitted_by": [1]},
        {"items": ["a"], "custom_metadata": [1]},
    ):
        with pytest.raises(UsageError, match="invalid "):
            standing.script(wrong)
    assert standing.ledger() == [], "and nothing of it is done"
    before = standing.now()
    for impossible in (-1, float("nan"), float("inf"), 10**400):
        with pytest.raises(UsageError, match="invalid "):
            standing.set_clock(advance_s=impossible)
    for move in ({"run": "none"}, {"run": [1], "status": "COMPLETED"}):
        with pytest.raises(UsageError, match="invalid "):
            standing.move(move)
    assert standing.now() == before


def test_the_clock_stops_before_dates_end(standing: Emulator) -> None:
    standing.set_clock(advance_s=1e300)
    assert datetime.fromtimestamp(standing.now(), UTC).year == 9999
    standing.reset()
    assert datetime.fromtimestamp(standing.now(), UTC).year < 9999


@pytest.mark.parametrize(
    "conditions",
    [{"lists_urls": "no"}, {"filters_metadata": 0}, {"remaining_slides": 1.5}, {"metadata_late_s": inf}],
)
def test_a_condition_that_there_is_not_changes_nothing(
    emulator: Emulator, conditions: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match="invalid "):
        emulator.set_conditions(health="DOWN", **conditions)
    kept = requests.get(
        f"{emulator.api_root}/emulator/conditions",
        headers={"Authorization": f"Bearer {emulator.access_token}"},
        timeout=30,
    )
    assert kept.json()["health"] == "UP"


@pytest.mark.emulator
def test_the_how_to_is_true(root: Path) -> None:
    text = (root / "docs/how-to/steer-the-emulator.md").read_text(encoding="utf-8")
    code, _of_a_test = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_late_work_is_let_in_by_the_token_of_its_time(emulator: Emulator) -> None:
    emulator.reset(clock_rate=0, token_lifetime=100)
    client_id, secret = emulator.service
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    token = requests.post(emulator.token_url, data=form, timeout=30).json()["access_token"]
    emulator.set_faults({"method": "POST", "path": "/api/v1/runs", "times": 1, "late_s": 200})
    url, headers = f"{emulator.api_root}/api/v1/runs", {"Authorization": f"Bearer {token}"}
    with pytest.raises(requests.ConnectionError):
        requests.post(url, json=run_body(), headers=headers, timeout=30)
    emulator.set_clock(advance_s=201)
    for _ in range(600):
        if runs := ask(emulator, "GET", "/v1/runs").json():
            break
        time.sleep(0.01)
    assert len(runs) == 1
    assert requests.get(url, headers=headers, timeout=30).status_code == 401


def test_the_requests_say_how_they_were_answered(standing: Emulator) -> None:
    standing.set_faults({"path": "/api/v1/runs/.*", "drop": "after"})
    assert ask(standing, "GET", "/v1/runs").status_code == 200
    with pytest.raises(requests.ConnectionError):
        ask(standing, "GET", f"/v1/runs/{uuid.uuid4()}")
    answered, dropped = standing.requests()
    assert (answered["status"], answered["at"], answered["answered_at"]) == (200, *[standing.now()] * 2)
    assert (dropped["status"], dropped["answered_at"]) == (None, None)


async def test_a_reset_emulator_knows_nothing_of_what_was(emulator: Emulator) -> None:
    token = (await signed_in(emulator).get_token()).text
    refresh = emulator.sign_in()
    (run_id,) = emulator.script({"items": ["a"]})
    emulator.set_faults({"method": "POST", "path": "/api/v1/runs", "late_s": 50})
    with pytest.raises(requests.ConnectionError):
        ask(emulator, "POST", "/v1/runs", json=run_body())
    address, access, keys = emulator.api_root, emulator.access_token, emulator.s3()
    emulator.set_clock(rate=0, advance_s=40)

    emulator.reset()

    emulator.set_clock(advance_s=60)
    assert ask(emulator, "GET", "/v1/runs").json() == [], "no late work comes either"
    assert ask(emulator, "GET", f"/v1/runs/{run_id}").status_code == 404
    assert emulator.ledger() == []
    assert [asked["path"] for asked in emulator.requests()] == ["/api/v1/runs", f"/api/v1/runs/{run_id}"]
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{address}/api/v1/runs", headers=headers, timeout=30).status_code == 401
    with pytest.raises(LoginRequired):
        await signed_in(emulator, refresh).get_token()
    assert (emulator.api_root, emulator.access_token, emulator.s3()) == (address, access, keys)
    assert (await signed_in(emulator, emulator.refresh_token).get_token()).text != token


def test_a_reset_takes_options_until_the_next_one(emulator: Emulator) -> None:
    emulator.reset(clock_rate=0)
    assert emulator.now() == emulator.now()
    wrongs: list[dict[str, Any]] = [{"colour": "red"}, {"speed": 0}, {"speed": "fast"}, {"clock_rate": inf}]
    wrongs += [{"remote_inputs": "false"}, {"failed_items_threshold": 0.5}]
    for wrong in [*wrongs, {"data": "elsewhere"}, {"allowed_hosts": ["a"]}]:
        with pytest.raises(UsageError, match="invalid "):
            emulator.reset(**wrong)
    emulator.reset()
    assert emulator.now() < emulator.now()


async def test_runs_go_on_after_a_reset(emulator: Emulator, slide: Slide) -> None:
    for _ in range(2):
        emulator.reset()
        async with emulator.client() as client:
            run = await client.runs.submit(
                "he-tme:v1.1.0", [Item("a", slide=slide)], store=emulator.store_url
            )
            assert (await run.wait()).status == "COMPLETED"
