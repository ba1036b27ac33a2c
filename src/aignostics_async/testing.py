"""Pytest fixtures for programs that use the SDK: an emulator of the platform, and a client for it.

In `conftest.py`:

    pytest_plugins = ["aignostics_async.testing"]

and in a test, run by pytest-asyncio or by the plugin of anyio:

    async def test_a_run(aignostics_client, aignostics_emulator, aignostics_slide):
        item = Item("case-7", slide=Slide(aignostics_slide))
        store = aignostics_emulator.store_url
        run = await aignostics_client.runs.submit("he-tme:v1.1.0", [item], store=store)
        assert (await run.wait()).status == "COMPLETED"

The fixtures are

- `aignostics_emulator`: an `Emulator`. One process serves the session, and each test finds it as new, without
  runs, objects, logins and fault rules. `@pytest.mark.aignostics_emulator(token_lifetime=5)` sets options for
  one test, as `Emulator.reset` takes them.
- `aignostics_client`: an open `Client` for the emulator, with settings that do not make tests wait.
- `aignostics_environment`: sets the environment variables with which `Client.from_env` and the command line
  connect to the emulator, and returns them.
- `aignostics_slide`: the path of a small synthetic slide. It is shared by the session, so do not change it.

They speak the contract of AIGNOSTICS_CONTRACT, else the newest, which `aignostics_emulator.contract` names.
`@pytest.mark.aignostics_emulator(contract="1.0")` chooses another for one test.

Starting the emulator takes a second or two per session; a reset takes a few hundredths of a second. Needs the
extras `emulator` and `cli`. pytest-asyncio's mode `auto` takes over every asynchronous test, so tests for
anyio's plugin need its default mode, `strict`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from . import Client
from .emulator.process import IMPATIENT, Emulator

__all__ = [
    "IMPATIENT",
    "Emulator",
    "aignostics_client",
    "aignostics_emulator",
    "aignostics_emulator_process",
    "aignostics_environment",
    "aignostics_slide",
]

_async_fixture: Callable[..., Any]
try:
    # Its decorator is needed in strict mode, and anyio's plugin accepts it, too.
    from pytest_asyncio import fixture as _async_fixture
except ModuleNotFoundError:
    _async_fixture = pytest.fixture


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker `aignostics_emulator`; pytest calls it when it loads the plugin."""
    config.addinivalue_line(
        "markers",
        "aignostics_emulator(**options): options of the emulator for this test, as reset takes them",
    )


@pytest.fixture(scope="session")
def aignostics_emulator_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Yield the `Emulator` of the session; a pytest fixture.

    Use `aignostics_emulator`, which resets this emulator for each test. Starting it takes a second or two,
    once per session. Raises RuntimeError if it does not start.
    """
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture
def aignostics_emulator(request: pytest.FixtureRequest, aignostics_emulator_process: Emulator) -> Emulator:
    """Return an `Emulator` without runs, objects, logins and fault rules; a pytest fixture.

        @pytest.mark.aignostics_emulator(token_lifetime=5)
        def test_a_short_token(aignostics_emulator): ...

        @pytest.mark.aignostics_emulator(contract="1.0")
        def test_the_reference(aignostics_emulator): ...

    The marker sets options for one test, as `Emulator.reset` takes them. Without it the contract is that of
    AIGNOSTICS_CONTRACT, else 1.8. The session shares one process, which is reset before each test, and
    started again if a test has stopped it. Raises RuntimeError if the process does not start, and what
    `Emulator.reset` raises, such as UsageError for an invalid option.
    """
    if not aignostics_emulator_process._is_alive():  # noqa: SLF001 - a test may have stopped it
        aignostics_emulator_process.start()
    marker = request.node.get_closest_marker("aignostics_emulator")
    aignostics_emulator_process.reset(**(marker.kwargs if marker else {}))
    return aignostics_emulator_process


@_async_fixture
async def aignostics_client(aignostics_emulator: Emulator) -> AsyncIterator[Client]:
    """Yield an open `Client` for the emulator of `aignostics_emulator`; a pytest fixture.

        async def test_a_run(aignostics_client):
            assert await aignostics_client.runs.list().to_list() == []

    Its settings are `IMPATIENT`, whose polls and retries wait for milliseconds. It speaks the emulator's
    contract, and is closed after the test. Works with pytest-asyncio, and with the plugin of anyio on
    asyncio.
    """
    async with aignostics_emulator.client() as client:
        yield client


@pytest.fixture
def aignostics_environment(aignostics_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Set the variables with which `Client.from_env` connects to the emulator; a pytest fixture.

        def test_a_program(aignostics_environment):
            subprocess.run(["my-program"], check=True)

    Returns the values by name: AIGNOSTICS_API_ROOT, AIGNOSTICS_CONTRACT, AIGNOSTICS_ACCESS_TOKEN, and
    STORAGE_EMULATOR_HOST, which `store="platform"` uses. Other variables stay as they are, and the
    environment is restored after the test.
    """
    for name, value in aignostics_emulator.environment.items():
        monkeypatch.setenv(name, value)
    return aignostics_emulator.environment


@pytest.fixture(scope="session")
def aignostics_slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of a small synthetic slide, a TIFF of 700 x 520 pixels; a pytest fixture.

        def test_an_item(aignostics_slide):
            item = Item("case-7", slide=aignostics_slide)

    The session shares the file, so do not change it. Writing it takes a fraction of a second, once.
    """
    from .emulator.synthetic import write_slide

    return write_slide(tmp_path_factory.mktemp("slides") / "case-7.tiff", width=700, height=520)
