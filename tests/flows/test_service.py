"""The example service in a process of its own: outages, failures, streams, and what it gives out."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from example_service import ExampleService, running_service

from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

pytestmark = pytest.mark.both_contracts


@pytest.fixture
def service(emulator: Emulator, tmp_path: Path) -> Iterator[ExampleService]:
    (tmp_path / "slides").mkdir()
    with running_service(emulator, tmp_path / "slides", tmp_path / "service-data") as running:
        yield running


@pytest.fixture
def address(service: ExampleService) -> str:
    return service.address


def test_an_outage_is_told_to_pages_while_it_lasts(emulator: Emulator, address: str) -> None:
    def wait_for(trouble: str, status: int) -> None:
        end = time.monotonic() + 60
        while True:
            told = list(requests.get(f"{address}/state", timeout=30).json())
            shown = [each["trouble"] for each in told if each["kind"] == "platform"]
            ready = requests.get(f"{address}/ready", timeout=30).status_code
            if trouble in "".join(shown[-1:]) and ready == status and bool(trouble) == bool("".join(shown)):
                return
            assert time.monotonic() < end, (told, ready)
            time.sleep(0.05)

    wait_for("", 200)
    emulator.set_faults({"path": ".*/api/.*", "status": 503})
    wait_for("503", 503)
    emulator.set_faults()
    wait_for("", 200)


def test_a_login_that_has_ended_ends_the_service(emulator: Emulator, service: ExampleService) -> None:
    assert requests.get(f"{service.address}/health", timeout=30).json() == {"status": "ok", "reason": ""}
    emulator.set_faults({"path": "/api/.*", "answer": "jwt_expired"})
    assert service.process.wait(timeout=60) == 1


def test_a_stream_continues_after_the_last_event_that_was_sent(emulator: Emulator, address: str) -> None:
    steps = [(0, None, "RUNNING"), (0, "a", "SUCCEEDED")]
    emulator.script({"items": ["a"], "steps": steps})

    def read(last: str, ids: int) -> list[int]:
        headers = {"Last-Event-ID": last}
        with requests.get(f"{address}/events", headers=headers, stream=True, timeout=60) as answer:
            lines = (line for line in answer.iter_lines(decode_unicode=True) if line.startswith("id: "))
            return [int(next(lines).removeprefix("id: ")) for _ in range(ids)]

    first, second = read("0", 2)
    assert read(str(first), 1) == [second]
    assert read("no number", 2) == read("999999", 2) == [first, second]


def test_a_full_disk_is_an_answer_without_paths(address: str, tmp_path: Path) -> None:
    write_slide(tmp_path / "slides" / "a.tiff", width=300, height=260)
    assert requests.get(f"{address}/health", timeout=60).status_code == 200
    (tmp_path / "service-data" / "submissions.json").mkdir()
    failed = requests.post(f"{address}/submissions", json={"names": ["a.tiff"]}, timeout=30)
    assert failed.status_code == 500
    assert failed.json() == {"detail": "IsADirectoryError; the service's log has more"}
    (tmp_path / "service-data" / "submissions.json").rmdir()
    begun = requests.post(f"{address}/submissions", json={"names": ["a.tiff"]}, timeout=30)
    assert begun.status_code == 202


@pytest.mark.slow
@pytest.mark.process
def test_the_tests_of_the_service_pass(root: Path) -> None:
    """They show how to test a program that uses the SDK."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis"],
        cwd=root / "examples/service", capture_output=True, text=True, check=False, timeout=110,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_nothing_but_pictures_is_given_out(address: str, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"a secret")
    for path in (
        "../secret.png",
        "%2e%2e/secret.png",
        "x/%2e%2e/%2e%2e/secret.png",
        "x/..%2f..%2fsecret.png",
    ):
        asked = requests.Request("GET", f"{address}/pictures/").prepare()
        asked.url = f"{address}/pictures/{path}"
        with requests.Session() as session:
            assert session.send(asked, timeout=30).status_code == 404, path
    refused = requests.post(f"{address}/submissions", json={"names": ["../secret.png"]}, timeout=30)
    assert refused.status_code == 422
