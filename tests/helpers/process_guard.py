"""Fail an unmarked test that starts a process, so that `make test-fast` stays fast.

What starts processes is wrapped. An audit hook would see as much, but on Python 3.11 it lets another
thread run in the midst of `sys.settrace`, and where coverage is counted that thread then fails to start.
"""

from __future__ import annotations

import multiprocessing.util
import os
import subprocess
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

MARKERS = ("slow", "process", "emulator", "node", "browser")
"""The markers of the tests that `make test-fast` leaves out."""

_LOOKUPS = frozenset({"ldconfig", "gcc", "cc", "ld"})
"""The programs with which ctypes looks for a library, once in a process."""
_running: list[str] = []
"""The unmarked test that runs, if one does."""


def watch(item: pytest.Item | None) -> None:
    """Set the test that runs from now on, with its fixtures of every scope; None between tests."""
    _running.clear()
    if item is not None and not any(item.get_closest_marker(marker) for marker in MARKERS):
        _running.append(item.nodeid)


def _is_lookup(command: object) -> bool:
    return isinstance(command, list) and Path(os.fsdecode(command[0])).name in _LOOKUPS


def _guarded(start: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(start)
    def guarded(*arguments: Any, **options: Any) -> Any:
        # From Python 3.13 on, Popen calls os.posix_spawn, which takes the command in the same place.
        if _running and not _is_lookup(options.get("args", arguments[1:2] and arguments[1])):
            pytest.fail(f"mark this test `process`, it starts one: {_running[0]}")
        return start(*arguments, **options)

    return guarded


def install() -> None:
    """Wrap all by which a test could start a process."""
    subprocess.Popen.__init__ = _guarded(subprocess.Popen.__init__)  # type: ignore[method-assign]
    for owner, names in (
        (os, ("fork", "forkpty", "posix_spawn", "posix_spawnp", "system")),
        (multiprocessing.util, ("spawnv_passfds",)),
    ):
        for name in names:
            setattr(owner, name, _guarded(getattr(owner, name)))
