"""The public surface: complete, documented, and without a way into private modules."""

from __future__ import annotations

import ast
import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import aignostics_async
from aignostics_async import bulk

LAZY = (
    "httpx",
    "aignostics_api",
    "openslide",
    "starlette",
    "jsonschema",
    "authlib",
    "obstore",
    "rich",
    "crc32c",
)


@pytest.mark.parametrize("package", [aignostics_async, bulk])
def test_type_checkers_are_told_the_names_that_are_there(package: ModuleType) -> None:
    tree = ast.parse(inspect.getsource(package))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    told = {
        (line.module, alias.name, alias.asname)
        for line in block.body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
    }
    # A name that is told as another one is told as it is.
    assert told == {(home, name, name) for home, names in package._HOMES.items() for name in names}
    assert sorted(package.__all__) == sorted(name for _, name, _ in told)


@pytest.mark.parametrize("package", [aignostics_async, bulk])
def test_every_name_is_the_one_of_its_home(package: ModuleType) -> None:
    for home, names in package._HOMES.items():
        module = importlib.import_module(f"{package.__name__}.{home}")
        for name in names:
            assert getattr(package, name) is getattr(module, name)
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        package.Nothing  # noqa: B018


def test_rooms_that_are_public_need_no_import_of_their_own() -> None:
    code = "import aignostics_async as a; a.transfer, a.resources, a.watch;print(a.storage.S3 is a.S3)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "True"


def test_everything_public_is_documented() -> None:
    for name in aignostics_async.__all__:
        value = getattr(aignostics_async, name)
        if not callable(value):
            continue
        assert inspect.getdoc(value), name
        if not inspect.isclass(value):
            continue
        for method, member in vars(value).items():
            if inspect.isfunction(member) and not method.startswith("_"):
                assert inspect.getdoc(member), f"{name}.{method}"


def test_a_command_loads_nothing_of_the_others(tmp_path: Path) -> None:
    code = (
        "import sys; from aignostics_async.cli._app import run; run(sys.argv[1:]);"
        "print([name for name in ('_client', 'bulk._job', 'cli._submit') "
        "if f'aignostics_async.{name}' in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "bulk", "status", str(tmp_path)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "there is no job in" in done.stderr
    assert done.stdout.strip() == "[]"


def test_making_a_client_loads_nothing_that_it_does_not_need() -> None:
    code = (
        "import sys; from aignostics_async import Client; Client('https://host.example.com', 'token');"
        f"print([name for name in {LAZY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
