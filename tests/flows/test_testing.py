"""The pytest fixtures for users, in projects of their own with each plugin for asynchronous tests."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

CONFTEST = 'pytest_plugins = ["aignostics_async.testing"]\n'
TESTS = """
import os
import pytest
from aignostics_async import Client, Item, Slide
from aignostics_async.testing import Emulator

{mark}

seen = []


async def submit(client, emulator, slide):
    item = Item("case-7", slide=Slide(slide))
    run = await client.runs.submit("he-tme:v1.1.0", [item], store=emulator.store_url)
    return await run.wait()


async def test_a_run(aignostics_client, aignostics_emulator, aignostics_slide):
    assert (await submit(aignostics_client, aignostics_emulator, aignostics_slide)).status == "COMPLETED"
    aignostics_emulator.set_faults({{"answer": "quota_exceeded"}})
    seen.append(aignostics_emulator.api_root)


async def test_another_test_finds_the_same_emulator_as_new(aignostics_client, aignostics_emulator):
    assert seen == [aignostics_emulator.api_root]
    assert [run async for run in aignostics_client.runs.list()] == []
    assert aignostics_emulator.ledger() == []


async def test_a_test_may_stop_it(aignostics_emulator):
    aignostics_emulator.kill()


async def test_the_next_one_starts_it_again(aignostics_client):
    assert await aignostics_client.runs.list().to_list() == []


@pytest.mark.aignostics_emulator(clock_rate=0)
async def test_options(aignostics_emulator):
    assert aignostics_emulator.now() == aignostics_emulator.now()


async def test_options_end_with_their_test(aignostics_emulator):
    before = aignostics_emulator.now()
    assert aignostics_emulator.now() > before


async def test_the_environment(aignostics_environment):
    assert os.environ["AIGNOSTICS_API_ROOT"] == aignostics_environment["AIGNOSTICS_API_ROOT"]
    assert os.environ["AIGNOSTICS_CONTRACT"] == "1.8"
    async with Client.from_env() as client:
        names = [each.application_id async for each in client.applications.list()]
    assert names == ["he-tme", "test-app", "atlas-he-tme", "stain-pair"]


@pytest.mark.aignostics_emulator(contract="1.0")
async def test_another_contract(aignostics_client, aignostics_emulator, aignostics_environment):
    assert aignostics_client.api_root == aignostics_emulator.api_roots["1.0"]
    assert aignostics_environment["AIGNOSTICS_CONTRACT"] == "1.0"
    names = [each.application_id async for each in aignostics_client.applications.list()]
    assert names == ["he-tme", "test-app"]


def test_a_synchronous_test(aignostics_emulator: Emulator, aignostics_slide):
    assert aignostics_slide.is_file()
    assert aignostics_emulator.requests() == []
"""
PLUGINS = {
    "asyncio strict": ("pytestmark = []", "asyncio_mode = strict"),
    "asyncio auto": ("", "asyncio_mode = auto"),
    "anyio": ("@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'", ""),
    "anyio alone": ("@pytest.fixture\ndef anyio_backend():\n    return 'asyncio'", ""),
}
SAMPLE = ("asyncio strict",)


@pytest.mark.parametrize(
    "plugin",
    [*SAMPLE, *(pytest.param(each, marks=pytest.mark.slow) for each in PLUGINS if each not in SAMPLE)],
)
def test_the_fixtures_work(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, plugin: str) -> None:
    # As users have it: the newest contract.
    monkeypatch.delenv("AIGNOSTICS_CONTRACT")
    setup, mode = PLUGINS[plugin]
    mark = {"asyncio strict": "asyncio", "asyncio auto": None}.get(plugin, "anyio")
    text = TESTS.format(mark=setup)
    if mark:
        text = text.replace("async def test_", f"@pytest.mark.{mark}\nasync def test_")
    scope = "" if plugin == "anyio alone" else "asyncio_default_fixture_loop_scope = function"
    pytester.makeini(
        f"[pytest]\naddopts = --strict-markers -p no:schemathesis\nfilterwarnings = error\n{mode}\n{scope}"
    )
    # Where pytest-asyncio is not installed, its import fails.
    missing = 'import sys\nsys.modules["pytest_asyncio"] = None\n' if plugin == "anyio alone" else ""
    pytester.makeconftest(missing + CONFTEST)
    pytester.makepyfile(text)
    options = ["-p", "no:asyncio"] if plugin == "anyio alone" else []
    pytester.runpytest_subprocess(*options, timeout=100).assert_outcomes(passed=9)
