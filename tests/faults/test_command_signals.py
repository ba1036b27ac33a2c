"""Signals that end a command: it says what it waits for, and a rotated login is saved whichever comes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from identity import Fault, Identity, identity

from aignostics_async import FileStore

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform == "win32", reason="signals are a Unix thing"),
]

# Another process of its own group: a signal reaches the command alone.
COMMAND = (sys.executable, "-m", "aignostics_async.cli", "token")


@asynccontextmanager
async def refreshing(
    place: Identity, home: Path, *, refresh: str = "", ignores_hangup: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command until the identity provider has got its refresh token, which it does not answer."""
    variables = {
        "AIGNOSTICS_API_ROOT": place.origin,
        "AIGNOSTICS_TOKEN_URL": f"{place.origin}/oauth/token",
        "AIGNOSTICS_CLIENT_ID": "client",
        "AIGNOSTICS_REFRESH_TOKEN": refresh or place.sign_in(),
        "XDG_STATE_HOME": str(home),
        "PATH": os.environ["PATH"],
    }
    # A child takes over what is ignored; the tests themselves may run under nohup.
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignores_hangup else signal.SIG_DFL)
    try:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, env=variables, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
    finally:
        signal.signal(signal.SIGHUP, before)
    try:
        await asyncio.wait_for(place.asked.wait(), 60)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_rotation_is_saved_and_waiting_for_it_is_told(tmp_path: Path, number: signal.Signals) -> None:
    answer = asyncio.Event()
    async with identity(faults=deque([Fault(held=answer)])) as place:
        refresh = place.sign_in()
        async with refreshing(place, tmp_path, refresh=refresh) as process:
            assert process.stderr is not None
            process.send_signal(number)
            said = await asyncio.wait_for(process.stderr.readline(), 60)
            assert b"waiting for the identity provider's answer" in said
            process.send_signal(signal.SIGHUP)  # a closed terminal sends it twice, and it is not impatience
            answer.set()
            rest = await asyncio.wait_for(process.stderr.read(), 60)
            assert await process.wait() == 128 + number, rest
            assert b"Traceback" not in rest
        store = FileStore(tmp_path / "aignostics-async" / "auth")
        saved = await place.source(refresh, store).get_token()
        assert (saved.text, place.counted["token"]) == ("small-access-1", 1)


async def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    held = Fault(held=asyncio.Event())
    async with identity(faults=deque([held])) as place, refreshing(place, tmp_path) as process:
        assert process.stderr is not None
        process.send_signal(signal.SIGTERM)
        assert b"interrupt again" in await asyncio.wait_for(process.stderr.readline(), 60)
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGINT


async def test_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    answer = asyncio.Event()
    async with (
        identity(faults=deque([Fault(held=answer)])) as place,
        refreshing(place, tmp_path, ignores_hangup=True) as process,
    ):
        process.send_signal(signal.SIGHUP)
        answer.set()
        assert await asyncio.wait_for(process.wait(), 60) == 0


def test_no_signal_that_comes_just_before_a_question_waits_is_missed() -> None:
    program = """
import pty, os, signal
from aignostics_async.cli._signals import wait_for_line

def interrupt(*_):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
ours, theirs = pty.openpty()
os.dup2(theirs, 0)
for number in range(3000):
    try:
        signal.setitimer(signal.ITIMER_REAL, (1 + number % 300) / 1_000_000)
        wait_for_line()
    except KeyboardInterrupt:
        print("interrupted")
"""
    # With a read in the place of `wait_for_line`, it waits for ever within the first thousand.
    ended = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, timeout=60, check=True)
    assert ended.stdout.split() == [b"interrupted"] * 3000
