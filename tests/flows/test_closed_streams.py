"""Standard streams that are closed, full, or that nobody reads: no command ends in a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from support import pretend, result

from aignostics_async.emulator.process import Emulator

pytestmark = pytest.mark.one_contract("1.8")

STREAMS = {
    "stdout closed": ">&-",
    "stdout full": "> /dev/full",
    "stdout unread": "| true",
    "stderr closed": "2>&-",
    "stderr full": "2> /dev/full",
    "both closed": ">&- 2>&-",
    "all closed": "<&- >&- 2>&-",
}
COMMANDS = (
    "runs watch RUN_ID --json --poll-interval 0.05",
    "--help",
    "--version",
    "applications",
    "runs list --json",
    "applications nothing --json",
    "runs show RUN_ID",
    "runs fly",
    "whoami",
    "token --show",
    "submit he-tme:v1.0.0 nothing.svs --store STORE --json",
    "bulk plan he-tme:v1.0.0 . --store STORE",
    "bulk status nothing",
)


# A result, an error, lines that follow.
@pytest.mark.sampled(test=3)
@pytest.mark.parametrize("commands", [COMMANDS[::5], pytest.param(COMMANDS, marks=pytest.mark.slow)], ids=len)
@pytest.mark.parametrize("streams", STREAMS.values(), ids=STREAMS)
def test_no_command_ends_in_a_traceback(
    emulator: Emulator, tmp_path: Path, streams: str, commands: Sequence[str]
) -> None:
    run_id = pretend(emulator, result("a"))
    (tmp_path / "state").mkdir()
    # Buffered, as users have it: what could not be written is there still at the end.
    # Coverage writes warnings of its own to stderr as a process ends.
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONUNBUFFERED" and not name.startswith("COVERAGE_")
    }
    for command in commands:
        words = command.replace("RUN_ID", run_id).replace("STORE", emulator.store_url)
        program = f"{sys.executable} -m aignostics_async.cli {words} {streams}"
        done = subprocess.run(
            ["/bin/sh", "-c", program],
            cwd=tmp_path,
            env={**inherited, **emulator.environment, "XDG_STATE_HOME": str(tmp_path / "state")},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        for sign in ("Traceback", "Exception", "lost sys."):
            assert sign not in done.stderr, program
        assert done.returncode in range(8), program
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state"]
