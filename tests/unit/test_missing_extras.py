"""Whatever needs an extra says which one, where it is not installed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import pytest

from aignostics_async import Azure, Client, KeyringStore, MissingExtra, ProgressBars
from aignostics_async.cli._emulator import emulator


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
    with pytest.raises(MissingExtra, match=rf"needs the {extra} extra; .*'\.\[{extra}\]'") as missing:
        use()
    assert missing.value.extra == extra
