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


@pytest.fixture
def tree(root: Path, tmp_path: Path) -> Path:
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(root / "src", tmp_path / "src", ignore=ignore)
    shutil.copytree(root / "generated", tmp_path / "generated", ignore=ignore)
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def tool(tree: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / name), *arguments]
    path = os.pathsep.join([str(tree / "src"), str(tree / "generated")])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, check=False, timeout=100
    )


def plant(tree: Path, module: str, line: str) -> None:
    path = tree / module
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{line}\n", encoding="utf-8")


def test_the_walls_stand(tree: Path) -> None:
    checked = tool(tree, "lint-imports", "--no-cache")
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        (
            "generated/aignostics_api/types.py",
            "import aignostics_async.models",
            "Generated packages do not import the SDK",
        ),
        (
            "src/aignostics_async/resources/_runs.py",
            "from aignostics_api.models import RunReadResponse",
            "Only contracts/ imports generated packages, each translation its own",
        ),
        (
            "src/aignostics_async/resources/_runs.py",
            "from aignostics_api_1_8.models import RunReadResponse",
            "Only contracts/ imports generated packages, each translation its own",
        ),
        (
            "generated/aignostics_api_1_8/types.py",
            "import aignostics_api.models",
            "Generated packages do not import each other",
        ),
        ("src/aignostics_async/transfer/_upload.py", "import httpx", "Only _http/ imports httpx"),
        (
            "src/aignostics_async/emulator/_control.py",
            "def f() -> None:\n    import httpx",
            "Only _http/ imports httpx",
        ),
        (
            "src/aignostics_async/transfer/_connection.py",
            "import urllib3",
            "No HTTP library beside httpx and the standard library's",
        ),
        (
            "src/aignostics_async/_client.py",
            "from .emulator import process",
            "Each layer imports only those below it",
        ),
        (
            "src/aignostics_async/emulator/_history.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ._platform import Platform",
            "Inside the emulator, each layer imports only those below it",
        ),
        (
            "src/aignostics_async/cli/_runs.py",
            "from ..bulk.report._sanitizing import told",
            "The command line imports the public API only",
        ),
        (
            "src/aignostics_async/cli/_bulk_run.py",
            "def f() -> None:\n    from .._core._secret import Secret",
            "The command line imports the public API only",
        ),
    ],
    ids=[
        "generated to ours",
        "past the bridge",
        "past the bridge of the later line",
        "one generated package to the other",
        "past http",
        "inside a function",
        "past the wire",
        "core to emulator",
        "a type upwards in the emulator",
        "the command line to a private module",
        "the command line to the core",
    ],
)
def test_a_planted_import_is_caught(tree: Path, module: str, line: str, contract: str) -> None:
    plant(tree, module, line)
    checked = tool(tree, "lint-imports", "--no-cache")
    assert checked.returncode == 1
    assert re.search(rf"^{re.escape(contract)}.*BROKEN", checked.stdout, re.MULTILINE), checked.stdout


@pytest.mark.parametrize(
    "line",
    [
        "import importlib",
        "from importlib import metadata",
        "import httpcore",
        "from http import client",
        "import http.client",
        "from urllib import request",
    ],
)
def test_there_is_no_back_door(tree: Path, line: str) -> None:
    module = "src/aignostics_async/downloads/_outcomes.py"
    assert tool(tree, "ruff", "check", "--select", "TID251", module).returncode == 0
    plant(tree, module, line)
    checked = tool(tree, "ruff", "check", "--select", "TID251", module)
    assert checked.returncode == 1
    assert "TID251" in checked.stdout


def test_nobody_imports_by_text(root: Path) -> None:
    for path in (root / "src").rglob("*.py"):
        assert "__import__" not in path.read_text(encoding="utf-8"), path
