"""The Python of the README runs as it is pasted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import pytest

from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

# What is spoken where nothing else is said.
pytestmark = pytest.mark.parametrize("contract", ["1.8"], indirect=True)
STORE = "s3://bucket/prefix"
QUICK = "from aignostics_async.emulator.process import IMPATIENT\n"


@pytest.fixture
def blocks(root: Path, emulator: Emulator) -> list[str]:
    """Return the blocks of Python in the README, with the emulator's store and a short poll interval."""
    text = (root / "README.md").read_text(encoding="utf-8")
    return [
        block.replace(STORE, emulator.store_url).replace("from_env()", "from_env(settings=IMPATIENT)")
        for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    ]


def run(folder: Path, emulator: Emulator, program: str) -> None:
    (folder / "slides").mkdir()
    write_slide(folder / "slides/case-7.tiff", width=700, height=520)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIGNOSTICS_")},
        **emulator.environment,
        "AIGNOSTICS_TOKEN_URL": emulator.token_url,
    }
    done = subprocess.run(
        [sys.executable, "-c", QUICK + program],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_first_program_runs(tmp_path: Path, emulator: Emulator, blocks: list[str]) -> None:
    run(tmp_path, emulator, blocks[0])
    assert list((tmp_path / "results").rglob("*.*")), "it has downloaded results"


def test_the_tour_runs_inside_a_client(tmp_path: Path, emulator: Emulator, blocks: list[str]) -> None:
    _, *tour, fixture = blocks
    assert "aignostics_emulator" in fixture
    program = "import asyncio\nfrom aignostics_async import Client\n\n\nasync def main() -> None:\n"
    program += "    async with Client.from_env(settings=IMPATIENT) as client:\n"
    run(tmp_path, emulator, program + indent("\n".join(tour), " " * 8) + "\n\nasyncio.run(main())\n")
