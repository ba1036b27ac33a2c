"""The import contracts: each one reports a forbidden import that is planted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process


PLANTED = {
    "generated to ours": (
        "generated/aignostics_api/types.py",
        "import aignostics_async.models",
        "Generated packages do not import the SDK",
    ),
    "past the bridge": (
        "src/aignostics_async/resources/_runs.py",
        "from aignostics_api.models import RunReadResponse",
        "Only contracts/ imports generated packages, each translation its own",
    ),
    "past the bridge of the later line": (
        "src/aignostics_async/resources/_applications.py",
        "from aignostics_api_1_8.models import RunReadResponse",
        "Only contracts/ imports generated packages, each translation its own",
    ),
    "one generated package to the other": (
        "generated/aignostics_api_1_8/types.py",
        "import aignostics_api.models",
        "Generated packages do not import each other",
    ),
    "past http": (
        "src/aignostics_async/transfer/_upload.py",
        "import httpx",
        "Only _http/ imports httpx",
    ),
    "inside a function": (
        "src/aignostics_async/emulator/_control.py",
        "def f() -> None:\n    import httpx",
        "Only _http/ imports httpx",
    ),
    "past the wire": (
        "src/aignostics_async/transfer/connections/_connection.py",
        "import urllib3",
        "No HTTP library beside httpx and the standard library's",
    ),
    "core to emulator": (
        "src/aignostics_async/_client.py",
        "from .emulator import process",
        "Each layer imports only those below it",
    ),
    "a type upwards in the emulator": (
        "src/aignostics_async/emulator/platform/_history.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ._platform import Platform",
        "In the emulated platform, each layer imports only those below it",
    ),
    "the command line to a private module": (
        "src/aignostics_async/cli/_submit.py",
        "from ..bulk.report._sanitizing import told",
        "The command line imports the public API only",
    ),
    "the command line to the core": (
        "src/aignostics_async/cli/bulk/_run.py",
        "def f() -> None:\n    from ..._core._secret import Secret",
        "The command line imports the public API only",
    ),
}
"""A module, a line that is added to it, and the contract that it breaks."""


def tool(tree: Path, name: str, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / name), *arguments]
    path = os.pathsep.join([str(tree / "src"), str(tree / "generated")])
    return subprocess.run(
        command, cwd=tree, env={**os.environ, "PYTHONPATH": path}, input=given,
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip


@pytest.fixture(scope="module")
def checked(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give what is told of a tree in which every forbidden import is planted, contract by contract."""
    tree = tmp_path_factory.mktemp("planted")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(root / "src", tree / "src", ignore=ignore)
    shutil.copytree(root / "generated", tree / "generated", ignore=ignore)
    shutil.copy(root / "pyproject.toml", tree)
    for module, line, _ in PLANTED.values():
        with (tree / module).open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")
    done = tool(tree, "lint-imports", "--no-cache")
    assert done.returncode == 1
    sections = re.split(r"^(.*)\n-{3,}$", done.stdout, flags=re.MULTILINE)
    return dict(zip(sections[1::2], sections[2::2], strict=True))


def test_the_walls_stand(root: Path) -> None:
    done = tool(root, "lint-imports", "--no-cache")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("module", "line", "contract"), PLANTED.values(), ids=PLANTED)
def test_a_planted_import_is_caught(checked: dict[str, str], module: str, line: str, contract: str) -> None:
    _, _, name = module.removesuffix(".py").partition("/")
    assert name.replace("/", ".") in checked[contract]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "import importlib",
        "from importlib import metadata",
        "import httpcore",
        "from http import client",
        "import http.client",
        "from urllib import request",
    ],
)
def test_there_is_no_back_door(root: Path, line: str) -> None:
    module = "src/aignostics_async/downloads/_outcomes.py"
    text = (root / module).read_text(encoding="utf-8")
    arguments = ("check", "--select", "TID251", "--stdin-filename", module, "-")
    done = tool(root, "ruff", *arguments, given=f"{text}\n{line}\n")
    assert done.returncode == bool(line)
    assert ("TID251" in done.stdout) == bool(line)


def test_nobody_imports_by_text(root: Path) -> None:
    for path in (root / "src").rglob("*.py"):
        assert "__import__" not in path.read_text(encoding="utf-8"), path
