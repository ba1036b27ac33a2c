"""Every operation of the emulator's 1.8 side, called by the generated client of the official package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from aignostics_async import Item, Slide
from aignostics_async.emulator._operations import OPERATIONS
from aignostics_async.emulator.process import Emulator

PACKAGE = "aignostics==1.6.0"
NEEDED = ("pydantic>=2", "python-dateutil", "urllib3>=2")
"""What its generated client imports; the package itself needs a hundred others."""


@pytest.fixture(scope="module")
def other_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the Python of an environment with the official package, installed without its dependencies."""
    folder = tmp_path_factory.mktemp("other-client")
    python = folder / "bin" / "python"
    commands: list[list[str | Path]] = [
        [sys.executable, "-m", "venv", folder],
        [python, "-m", "pip", "install", "-q", "--no-deps", PACKAGE],
        [python, "-m", "pip", "install", "-q", *NEEDED],
    ]
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            pytest.skip(f"{PACKAGE} can't be installed here: {''.join(reason)}")
    return python


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_the_official_client_drives_every_operation(
    emulator: Emulator, slide: Slide, root: Path, other_python: Path
) -> None:
    async with emulator.client() as client:
        run = await client.runs.submit("he-tme:v1.1.0", [Item("a", slide=slide)], store=emulator.store_url)
        await run.wait()
    emulator.set_faults()  # clears the request log
    script, root_1_8 = root / "tests/helpers/other_client.py", emulator.api_roots["1.8"]
    command: list[str | Path] = [other_python, script, root_1_8, emulator.access_token, run.id]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.pop("bytes") > 0
    assert found == {
        "email": "developer@emulator.example",
        "applications": ["he-tme", "test-app", "atlas-he-tme", "stain-pair"],
        "versions": ["1.0.0", "1.1.0"],
        "inputs": ["input_slide"],
        "runs": 0,
        "reason": "ALL_ITEMS_PROCESSED",
        "succeeded": 1,
        "output": "AVAILABLE",
    }
    answered = {each["operation"] for each in emulator.requests() if each["contract"] == "1.8"}
    assert answered == set(OPERATIONS["1.8"])
    assert {each["status"] for each in emulator.requests()} <= {200, 201, 202, 307}
