"""Whatever needs an extra says which one, where it is not installed."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from importlib.metadata import Distribution, PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from aignostics_async import Azure, Client, KeyringStore, MissingExtra, ProgressBars
from aignostics_async.cli._emulator import emulator
from aignostics_async.errors import _installation
from aignostics_async.errors._installation import install_command


def azure() -> object:
    return Client("https://host.example.com", "token").store(Azure(container="c", account="a", key="YQ=="))


@pytest.mark.parametrize(
    ("module", "use", "extra"),
    [
        ("rich.console", ProgressBars, "cli"),
        ("keyring", KeyringStore, "keyring"),
        ("obstore.store", azure, "stores"),
        ("aignostics_async.emulator", lambda: asyncio.run(emulator()), "emulator"),
    ],
    ids=["progress bars", "key ring", "Azure", "emulator"],
)
def test_a_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, module: str, use: Callable[[], object], extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        MissingExtra, match=rf"needs the {extra} extra; install it: pip install .*\[{extra}\]'"
    ) as missing:
        use()
    assert missing.value.extra == extra


SOURCES: list[tuple[Any, str]] = [
    ({"url": "file:///home/me/my%20sdk", "dir_info": {"editable": True}}, "-e '/home/me/my sdk[cli]'"),
    ({"url": "file:///home/me/sdk", "dir_info": {}}, "'/home/me/sdk[cli]'"),
    ({"url": "file:///C:/sdk", "dir_info": {}}, "'C:/sdk[cli]'"),
    (
        {"url": "file:///tmp/aignostics_async-0.1.0-py3-none-any.whl", "archive_info": {}},
        "'aignostics-async[cli] @ file:///tmp/aignostics_async-0.1.0-py3-none-any.whl'",
    ),
    (
        {
            "url": "https://me:secret@git.example.com/sdk.git",
            "vcs_info": {"vcs": "git", "commit_id": "0123abc", "requested_revision": "main"},
        },
        "'aignostics-async[cli] @ git+https://git.example.com/sdk.git@0123abc'",
    ),
    (None, "'aignostics-async[cli]'"),
]


@pytest.mark.parametrize(
    ("source", "requirement"),
    SOURCES,
    ids=["editable", "folder", "folder on Windows", "wheel", "git", "index"],
)
def test_an_extra_is_installed_from_where_the_package_came(
    monkeypatch: pytest.MonkeyPatch, source: Any, requirement: str
) -> None:
    monkeypatch.setattr(_installation, "distribution", lambda _name: _Installed(source))
    assert str(MissingExtra("the bars", extra="cli")).endswith(f"install it: pip install {requirement}")


def test_sources_that_are_not_installed_name_the_checkout() -> None:
    def missing(name: str) -> Distribution:
        raise PackageNotFoundError(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_installation, "distribution", missing)
        assert install_command("slides") == "pip install '.[slides]'"


class _Installed(Distribution):
    """An installed package, with the record of where it came from."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def read_text(self, filename: str) -> str | None:
        assert filename == "direct_url.json"
        return None if self._source is None else json.dumps(self._source)

    def locate_file(self, path: Any) -> Path:
        return Path(path)
