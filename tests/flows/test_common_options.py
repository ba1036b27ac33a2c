"""What all commands have in common: how much they show, and rehearsals that change nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from command_line import run_here

from aignostics_async import Slide
from aignostics_async.emulator.process import Emulator


def cli(emulator: Emulator, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIGNOSTICS_")}
    return run_here(arguments, {**kept, **emulator.environment})


def test_a_command_shows_more_or_less(emulator: Emulator, slide: Slide) -> None:
    sending = ("submit", "he-tme:v1.0.0", slide.path, "--store", emulator.store_url, "--mpp", "0.5")
    usual, quiet, verbose = (cli(emulator, *sending, *option) for option in ((), ("-q",), ("--verbose",)))
    assert [done.returncode for done in (usual, quiet, verbose)] == [0, 0, 0], verbose.stderr
    assert usual.stderr.startswith(("warning: ", "upload: "))
    assert quiet.stderr == ""
    assert len(quiet.stdout.splitlines()) == 1, "the result is there"
    assert "info: using AIGNOSTICS_ACCESS_TOKEN" in verbose.stderr
    assert "POST http://127.0.0.1" in verbose.stderr
    assert "upload: 1 of 1 files" in usual.stderr
    failed = cli(emulator, "-q", "applications", "nothing")
    assert failed.stderr.startswith("error: ")
