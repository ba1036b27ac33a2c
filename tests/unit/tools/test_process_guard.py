"""An unmarked test that starts a process fails, however it starts it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

COMMAND = [sys.executable, "-c", ""]
STARTS: dict[str, Callable[[], object]] = {
    "subprocess": lambda: subprocess.run(COMMAND, check=False),
    "subprocess by name": lambda: subprocess.Popen(args=COMMAND),
    "a shell": lambda: subprocess.run("exit", check=False, shell=True),
    "asyncio": lambda: asyncio.run(asyncio.create_subprocess_exec(*COMMAND)),
    "multiprocessing": lambda: multiprocessing.get_context("spawn").Process(target=print).start(),
    "os.posix_spawn": lambda: os.posix_spawn(sys.executable, COMMAND, {}),
    "os.system": lambda: os.system("exit"),
}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_an_unmarked_test_starts_no_process(start: Callable[[], object]) -> None:
    with pytest.raises(pytest.fail.Exception, match="mark this test `process`"):
        start()


@pytest.mark.process
def test_a_marked_test_starts_a_process() -> None:
    subprocess.run(COMMAND, check=True)
