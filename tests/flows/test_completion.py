"""Completion of the command line, installed into a home folder and asked for in a real shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from aignostics_async.cli._app import app

pytestmark = pytest.mark.process
BASH = shutil.which("bash")


@pytest.mark.skipif(BASH is None, reason="there is no bash here")
def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    script = f"""
        {sys.executable} -m aignostics_async.cli --install-completion
        source ~/.bashrc
        function_of=$(complete -p aignostics-async | grep -o -- '-F [^ ]*' | cut -c4-)
        ask() {{
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
            $function_of
            echo "${{COMPREPLY[@]}}"
        }}
        ask aignostics-async b
        ask aignostics-async bulk res
        ask aignostics-async runs list --li
    """
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "SHELL": str(BASH)}
    asked = subprocess.run(
        [str(BASH), "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    *_, first, second, third = asked.stdout.splitlines()
    assert (first, second, third) == ("bulk", "resolve results resume", "--limit"), asked


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_told_every_command(shell: Literal["zsh", "fish"]) -> None:
    script = app.generate_completion(shell=shell)
    for words in ("delete-results", "resume", "inspect", "--device", "emulator"):
        assert words in script or words.removeprefix("--") in script
