"""Fail an unmarked test that starts a process, so that `make test-fast` stays fast."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

MARKERS = ("slow", "process", "emulator", "node", "browser")
"""The markers of the tests that `make test-fast` leaves out."""

_LOOKUPS = frozenset({"ldconfig", "gcc", "cc", "ld"})
"""The programs with which ctypes looks for a library, once in a process."""
_EVENTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"})
_running: list[str] = []
"""The unmarked test that runs, if one does."""


def watch(item: pytest.Item | None) -> None:
    """Set the test that runs from now on, with its fixtures of every scope; None between tests."""
    _running.clear()
    if item is not None and not any(item.get_closest_marker(marker) for marker in MARKERS):
        _running.append(item.nodeid)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if not _running or event not in _EVENTS:
        return
    if event != "subprocess.Popen" or Path(os.fsdecode(arguments[0])).name not in _LOOKUPS:  # type: ignore[arg-type]
        pytest.fail(f"mark this test `process`, it starts one: {_running[0]}")


sys.addaudithook(_refuse)
