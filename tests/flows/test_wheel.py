"""The wheel, in an environment that has nothing else."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from aignostics_async.emulator.process import Emulator

pytestmark = pytest.mark.process
PIP = ("-m", "pip", "--disable-pip-version-check")


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, *PIP, "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(root)]
    subprocess.run(command, check=True, timeout=110)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def python(root: Path, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the interpreter of an environment with the base install only."""
    folder = tmp_path_factory.mktemp("empty") / "env"
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    constraints = ("--constraint", str(root / "constraints.txt"))
    subprocess.run(
        [str(python), *PIP, "install", "--quiet", *constraints, str(wheel)], check=True, timeout=110
    )
    return python


def run(python: Path, code: str, *arguments: str) -> str:
    command = [str(python), "-c", code, *arguments]
    # From a folder without the sources, so that only what is installed counts.
    done = subprocess.run(command, cwd=python.parent, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_both_packages_are_in_it_and_typed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for name in (
        "aignostics_async/py.typed",
        "aignostics_api/py.typed",
        "aignostics_async/emulator/openapi.json",
        "aignostics_async/emulator/openapi-1.8.json",
        "aignostics_api/api/public/list_runs.py",
        "aignostics_api_1_8/py.typed",
        "aignostics_api_1_8/api/public/list_runs.py",
    ):
        assert name in names
    tops = {name.partition("/")[0] for name in names}
    assert tops == {
        "aignostics_async",
        "aignostics_api",
        "aignostics_api_1_8",
        "aignostics_async-0.1.0.dist-info",
    }
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_newest_line_is_a_small_part_of_it(wheel: Path) -> None:
    """The check of a contract is a part of it, too: what it is compared with is in the wheel."""
    parts = ("1_8", "-1.8", "inventory", "_drift", "_contract")
    with zipfile.ZipFile(wheel) as archive:
        sizes = [each.compress_size for each in archive.infolist() if any(p in each.filename for p in parts)]
    assert 100_000 < sum(sizes) <= 150_000


@pytest.mark.slow
def test_the_base_install_is_small(python: Path) -> None:
    command = [str(python), *PIP, "list", "--format=freeze", "--exclude", "pip", "--exclude", "setuptools"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()
    assert "aignostics-async==0.1.0" in listed
    assert len(listed) <= 22, listed


@pytest.mark.slow
def test_making_a_client_loads_little(python: Path) -> None:
    heavy = (
        *("openslide", "starlette", "jsonschema", "authlib", "obstore", "rich", "httpx", "crc32c"),
        *("aignostics_async.storage", "aignostics_async.transfer", "aignostics_api", "aignostics_api_1_8"),
    )
    code = (
        "import sys; from aignostics_async import Client; Client('https://host.example.com', 'token');"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    assert run(python, code) == "[]"


@pytest.mark.slow
def test_it_talks_to_a_platform(python: Path, emulator: Emulator) -> None:
    code = """
import asyncio, sys
from aignostics_async import Client, Item, InputArtifact, InvalidSubmission

async def main():
    async with Client(sys.argv[1], sys.argv[2]) as client:
        names = [application.application_id async for application in client.applications.list()]
        try:
            item = Item("a", artifacts=[InputArtifact("slide", "x", {})])
            await client.runs.create("he-tme:v1.0.0", [item])
        except InvalidSubmission as error:
            print(names, len(error.faults))
asyncio.run(main())
"""
    assert run(python, code, emulator.api_root, emulator.access_token) == "['he-tme', 'test-app'] 6"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "import asyncio as a, sys; from aignostics_async import *; a.run(read_slide(Slide(sys.argv[1])))",
            "pip install 'aignostics-async[slides] @ file:///",
        ),
        ("from aignostics_async import *; ProgressBars()", "pip install 'aignostics-async[cli] @ file:///"),
        ("from aignostics_async.cli import main; main()", "pip install 'aignostics-async[cli] @ file:///"),
    ],
    ids=["slides", "progress", "cli"],
)
def test_a_missing_extra_is_named(python: Path, slide_file: Path, code: str, words: str) -> None:
    command = [str(python), "-c", code, str(slide_file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert words in done.stderr
