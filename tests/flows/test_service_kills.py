"""The example service is killed while it submits in the background: each submission becomes one run."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from example_service import running_service

from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

pytestmark = [pytest.mark.emulator, pytest.mark.process]


@contextmanager
def running(emulator: Emulator, folder: Path) -> Iterator[str]:
    """Run the service, give its address, and kill it."""
    with running_service(emulator, folder / "slides", folder / "data", "--settle", "1") as service:
        yield service.address
        service.kill()


def submission(address: str, ident: str) -> dict[str, str]:
    """Return the latest event of a submission."""
    state = requests.get(f"{address}/state", timeout=30).json()
    return next(event for event in state if event["group"] == ident)


def wait_until_created(address: str, ident: str) -> None:
    end = time.monotonic() + 300  # on a machine that has much else to do
    while (event := submission(address, ident))["status"] != "CREATED":
        assert event["status"] != "FAILED", event
        assert time.monotonic() < end, event
        time.sleep(0.05)


async def created_runs(emulator: Emulator) -> set[str]:
    async with emulator.client() as client:
        return {run.run_id async for run in client.runs.list()}


def kill_at_random(emulator: Emulator, folder: Path, kills: int) -> None:
    """Kill the service after the k-th request that a submission caused, and let the next one go on."""
    (folder / "slides").mkdir()
    for number in range(2):
        write_slide(folder / "slides" / f"case-{number}.tiff", seed=number, width=300, height=260)
    chance = random.Random(kills)
    idents: list[str] = []
    for _ in range(kills):
        with running(emulator, folder) as address:
            for ident in idents[-1:]:
                wait_until_created(address, ident)
            names = [each["name"] for each in requests.get(f"{address}/slides", timeout=60).json()]
            before = len(emulator.requests())
            answer = requests.post(f"{address}/submissions", json={"names": names}, timeout=60)
            assert answer.status_code == 202
            idents.append(answer.json()["submission"])
            wanted, end = before + chance.randrange(25), time.monotonic() + 20
            while len(emulator.requests()) < wanted and time.monotonic() < end:
                time.sleep(0.005)
    with running(emulator, folder) as address:
        wait_until_created(address, idents[-1])
        runs = {submission(address, ident)["run_id"] for ident in idents}
    assert len(runs) == kills
    assert asyncio.run(created_runs(emulator)) == runs, "no run is there twice"


def test_a_few_kills(emulator: Emulator, tmp_path: Path) -> None:
    kill_at_random(emulator, tmp_path, 2)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fifty_kills(emulator: Emulator, tmp_path: Path) -> None:
    kill_at_random(emulator, tmp_path, 50)
