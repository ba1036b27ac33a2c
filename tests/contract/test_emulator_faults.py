"""The canned answers of fault rules, and the emulator's check of the Host header."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from aignostics_async import APIStatusError, UsageError
from aignostics_async.emulator._canned_answers import CANNED_ANSWERS
from aignostics_async.emulator.api._undocumented import UNDOCUMENTED
from aignostics_async.emulator.process import Emulator

pytestmark = pytest.mark.emulator


@pytest.mark.parametrize("name", CANNED_ANSWERS)
async def test_a_canned_answer_reaches_the_client_with_its_status(emulator: Emulator, name: str) -> None:
    emulator.set_faults({"path": "/api/v1/runs", "answer": name})
    async with emulator.client() as client:
        with pytest.raises(APIStatusError) as caught:
            await client.runs.list().pages().__anext__()
    assert caught.value.status == CANNED_ANSWERS[name].status
    assert caught.value.status in UNDOCUMENTED["1.0"]


@pytest.mark.parametrize("name", ["jwt_missing", "jwt_expired", "jwt_wrong_audience", "no_healthy_upstream"])
def test_the_gateway_answers_in_plain_text(emulator: Emulator, name: str) -> None:
    emulator.set_faults({"answer": name})
    answer = requests.get(f"{emulator.api_root}/api/v1/runs", timeout=30)
    assert answer.headers["content-type"] == "text/plain"
    assert answer.text == CANNED_ANSWERS[name].body


def test_a_success_is_answered_when_the_whole_request_has_come(emulator: Emulator) -> None:
    emulator.set_faults({"method": "PUT", "status": 200})
    address = urlsplit(emulator.api_root)
    with socket.create_connection((address.hostname, address.port), 30) as connection:
        connection.sendall(b"PUT /storage/a HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n1")
        for _ in range(1000):
            if emulator.requests():
                break
        (half,) = emulator.requests()  # an answer that needs nothing more would have been sent by now
        assert half["status"] is None
        connection.sendall(b"2")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_an_unknown_canned_answer_is_refused(emulator: Emulator) -> None:
    with pytest.raises(UsageError, match="quota_exceeded"):
        emulator.set_faults({"answer": "quota"})


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"query": "text"}, "query must be a mapping from names to texts, not 'text'"),
        ({"query": {"page": 1}}, "query must be a mapping from names to texts"),
        ({"operation": ["get_run"]}, "operation must be one of"),
        ({"method": 3}, "method must be a text, not 3"),
        ({"path": 3}, "path must be a regular expression, not 3"),
        ({"path": "("}, "path must be a regular expression, not '('"),
        ({"skip": "1"}, "skip must be a whole number"),
        ({"times": -1}, "times must be a whole number"),
        ({"times": True}, "times must be a whole number"),
        ({"status": 99}, "status must be a status from 200 to 599, not 99"),
        ({"status": "503"}, "status must be a status from 200 to 599, not '503'"),
        ({"status": 503, "headers": {"Retry-After": 1}}, "headers must be a mapping"),
        ({"status": 503, "headers": {"x y": "1"}}, "headers must be a mapping"),
        ({"status": 503, "headers": {"x": "1\r\ny: 2"}}, "headers must be a mapping"),
        ({"status": 503, "body": "\ud800"}, "surrogates not allowed"),
        ({"drop": "during"}, "drop must be one of before, after, not 'during'"),
        ({"delay_s": "1"}, "delay_s must be a number of seconds"),
        ({"late_s": float("inf")}, "late_s must be a number of seconds"),
        ({"lag_s": -1}, "lag_s must be a number of seconds"),
        ({"then": [{"status": "COMPLETED"}]}, "then must be a list of moves"),
        ({"then": {"run": "a", "delete": True}}, "then must be a list of moves"),
        ({"then": [{"run": "a", "status": "SUCCEEDED"}]}, "then must be a list of moves"),
        ({"then": [{"run": "a", "reference": "b", "status": "COMPLETED"}]}, "then must be a list of moves"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_malformed_rule_is_refused_and_changes_nothing(
    emulator: Emulator, rule: dict[str, object], words: str
) -> None:
    emulator.set_faults({"path": "/nowhere", "status": 418})
    with pytest.raises(UsageError, match="invalid ") as caught:
        emulator.set_faults({"status": 500}, rule)
    assert words in str(caught.value)
    address = f"{emulator.api_root}/nowhere"
    assert requests.get(address, timeout=30).status_code == 418


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Give an emulator that a container may reach by its name."""
    with Emulator(tmp_path_factory.mktemp("named"), allow_host=["Emulator.internal", "other"]) as running:
        yield running


def status_for(emulator: Emulator, host: str) -> int:
    return requests.get(
        f"{emulator.api_root}/.well-known/openid-configuration", headers={"Host": host}, timeout=30
    ).status_code


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8000", "app.localhost", "127.0.0.1", "127.0.0.1:80", "[::1]:8000", "192.0.2.7"],
)
def test_addresses_and_localhost_are_allowed_hosts(emulator: Emulator, host: str) -> None:
    assert status_for(emulator, host) == 200


@pytest.mark.parametrize(
    "host",
    ["attacker.example", "attacker.example:80", "127.0.0.1.attacker.example", "localhost.evil", "a b", ""],
)
def test_a_foreign_host_is_refused_everywhere(emulator: Emulator, host: str) -> None:
    for path in (
        "/api/v1/runs",
        "/authorize",
        "/oauth/token",
        "/emulator/clock",
        "/storage/objects/x",
        "/s3/b/k",
    ):
        answer = requests.get(f"{emulator.api_root}{path}", headers={"Host": host}, timeout=30)
        assert answer.status_code == 421
        assert "--allow-host" in answer.text


@pytest.mark.parametrize("host", ["emulator.internal", "EMULATOR.INTERNAL.:8000", "other:1"])
def test_named_hosts_are_allowed(named: Emulator, host: str) -> None:
    assert status_for(named, host) == 200
    assert status_for(named, f"x.{host}") == 421


def test_a_refused_host_is_not_in_the_request_log(emulator: Emulator) -> None:
    assert status_for(emulator, "attacker.example") == 421
    assert emulator.requests() == []
