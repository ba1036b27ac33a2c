"""The public surface: complete, documented, and without a way into private modules."""

from __future__ import annotations

import inspect
import subprocess
import sys

import aignostics_async

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


def test_all_is_what_is_there() -> None:
    public = {
        name
        for name, value in vars(aignostics_async).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public | {"__version__"} == set(aignostics_async.__all__)


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


def test_making_a_client_loads_nothing_that_it_does_not_need() -> None:
    code = (
        "import sys; from aignostics_async import Client; Client('https://host.example.com', 'token');"
        f"print([name for name in {LAZY!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
