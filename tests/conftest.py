"""What all tests share: profiles and markers, the data beside the project, an emulator, slides, a browser."""

from __future__ import annotations

import gc
import os
import signal
import ssl
from collections.abc import AsyncIterator, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import TextIO

import httpx
import process_guard
import pytest
import rounds
import sampling
from browser import open_browser
from identity import Clock
from leak_detector import DETECTOR
from playwright.async_api import Browser

from aignostics_async import Slide
from aignostics_async._core import _token
from aignostics_async.auth import _endpoint, _refresher
from aignostics_async.contracts._lines import NEWEST, OLDEST
from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

# Tests that write answers themselves write those of the reference, unless they name another contract.
os.environ["AIGNOSTICS_CONTRACT"] = "1.0"
process_guard.install()
rounds.register_profiles()
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts its background processes so, and the processes of the tests would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent


_NEEDED = {
    "emulator": {
        "emulator",
        "second_running_emulator",
        "fast_emulator",
        "running_emulator",
        "aignostics_emulator_process",
    },
    "node": {"azurite", "running_provider"},
    "process": {"pytester", "prober", "small_disk"},
    "browser": {"browser"},
}
"""The fixtures by which a test is marked."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Return two workers more than there are cores: many tests wait for a process, a clock or a socket."""
    return (os.cpu_count() or 1) + 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the fixtures that they use, and the cases that are beyond a sample."""
    sampling.mark_samples(items)
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        for marker, fixtures in _NEEDED.items():
            if used & fixtures:
                item.add_marker(marker)


def pytest_collection() -> None:
    """Keep the garbage collector from looking at thousands of tests again and again."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave them out of what the garbage collector looks at later."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let no unmarked test start a process."""
    process_guard.watch(item)
    try:
        return (yield)
    finally:
        process_guard.watch(None)


@pytest.fixture(scope="session")
def root() -> Path:
    """Give the top of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder of real data; without it the test is skipped, or fails where it must be there."""
    folder = Path(os.environ.get("AIGNOSTICS_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        reason = f"no shared data at {folder}; set AIGNOSTICS_SHARED"
        if os.environ.get("AIGNOSTICS_REQUIRE_SHARED") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session", autouse=True)
def state_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what tests write into the state folder apart from the developer's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _certificates_are_read_once() -> Iterator[None]:
    """Share the TLS settings of thousands of clients: each would take 20 ms to read the CA certificates."""
    read = httpx.create_ssl_context
    kept: dict[tuple[object, ...], ssl.SSLContext] = {}

    def shared(*, trust_env: bool) -> ssl.SSLContext:
        key = (trust_env, *(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")))
        if key not in kept:
            kept[key] = read(trust_env=trust_env)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx, "create_ssl_context", shared)
        yield


@pytest.fixture(scope="session", autouse=True)
def violations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TextIO]:
    """Give the contract violations that emulators record, including those of a demo or a killed one.

    A violation is written before its response ends, so it counts against the test that caused it.
    """
    path = tmp_path_factory.mktemp("violations") / "violations.jsonl"
    path.touch()
    with path.open(encoding="utf-8") as told, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIGNOSTICS_EMULATOR_VIOLATIONS", str(path))
        yield told
        late = told.read()
        assert not late, f"answers of the emulator that do not fit the contract:\n{late}"


@pytest.fixture(scope="session", autouse=True)
def _leak_detector() -> Iterator[None]:
    """Search all that the session lets out for secrets."""
    yield from DETECTOR.watch()


@pytest.fixture(autouse=True)
def _no_secret_gets_out(_leak_detector: None) -> Iterator[None]:
    """Fail the test that let a secret out."""
    yield
    DETECTOR.search_errors()
    finds, DETECTOR.finds = DETECTOR.finds, []
    if finds:
        told = "\n".join(dict.fromkeys(finds[:20]))
        pytest.fail(f"secrets got out, {len(finds)} times:\n{told}", pytrace=False)


@pytest.fixture(autouse=True)
def _every_answer_fits(violations: TextIO) -> Iterator[None]:
    """Fail the test that provoked an answer which does not fit the contract."""
    yield
    told = violations.read()
    if told:
        pytest.fail(f"answers of the emulator that do not fit the contract:\n{told}", pytrace=False)


@pytest.fixture(scope="session")
def running_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests that are marked with `both_contracts` under each contract, but those of one alone."""
    marked, alone = map(metafunc.definition.get_closest_marker, ("both_contracts", "one_contract"))
    if marked and not alone and "contract" in metafunc.fixturenames:
        metafunc.parametrize("contract", [NEWEST, OLDEST], indirect=True)


@pytest.fixture
def contract(request: pytest.FixtureRequest) -> str:
    """Give the contract of the test: the reference, unless it is marked with another one or with both."""
    alone = request.node.get_closest_marker("one_contract")
    chosen: str = getattr(request, "param", alone.args[0] if alone else OLDEST)
    return chosen


@pytest.fixture
def emulator(running_emulator: Emulator, contract: str, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Give the session's emulator as if it had just been started; `reset` gives it other options."""
    # Whatever else a test changes, it stays with its contract.
    monkeypatch.setattr(running_emulator, "reset", partial(running_emulator.reset, contract=contract))
    running_emulator.reset()
    return running_emulator


@pytest.fixture(scope="session")
def second_running_emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture
def second_emulator(second_running_emulator: Emulator, contract: str) -> Emulator:
    """Give another emulator, for tests that need two at once."""
    second_running_emulator.reset(contract=contract)
    return second_running_emulator


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the clocks of token sources, to set them forward."""
    clock = Clock()
    for module in (_endpoint, _refresher, _token):
        monkeypatch.setattr(module, "time", clock.namespace())
    return clock


@pytest.fixture(scope="session")
def slide_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a small synthetic slide."""
    return write_slide(tmp_path_factory.mktemp("slides") / "case.tiff", width=700, height=520)


@pytest.fixture(scope="session")
def tiny_slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the smallest synthetic slide, for jobs of many."""
    return write_slide(tmp_path_factory.mktemp("slide") / "tiny.tiff", width=300, height=260)


@pytest.fixture
def slide(slide_file: Path) -> Slide:
    return Slide(slide_file)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Give a browser that reaches this machine only; see tests/helpers/browser.py."""
    async with open_browser() as opened:
        yield opened
