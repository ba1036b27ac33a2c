"""Settings of another type are refused where they are passed, before anything is sent or deleted."""

from __future__ import annotations

from collections.abc import Callable
from inspect import isawaitable
from pathlib import Path
from typing import Any

import pytest

from aignostics_async import (
    ClientCredentials,
    ConfigurationError,
    FileStore,
    IdentityProvider,
    RefreshToken,
    StoredLogin,
    login_browser,
    login_device,
    logout,
)

PROVIDER = IdentityProvider(
    token_url="https://id.example.com/oauth/token",
    client_id="a",
    client_secret="b",
    authorize_url="https://id.example.com/authorize",
    device_url="https://id.example.com/oauth/device/code",
    redirect_url="http://127.0.0.1:8989/",
)


@pytest.mark.parametrize("settings", [5, {}, "defaults"])
@pytest.mark.parametrize(
    "make",
    [
        lambda store, settings: ClientCredentials(PROVIDER, settings=settings),
        lambda store, settings: RefreshToken("c", provider=PROVIDER, settings=settings),
        lambda store, settings: StoredLogin(PROVIDER, store=store, settings=settings),
        lambda store, settings: login_browser(PROVIDER, show=print, store=store, settings=settings),
        lambda store, settings: login_device(PROVIDER, show=print, store=store, settings=settings),
        lambda store, settings: logout(PROVIDER, store=store, settings=settings),
    ],
    ids=["client credentials", "refresh token", "stored login", "browser", "device", "logout"],
)
async def test_other_settings_are_refused(
    tmp_path: Path, make: Callable[[FileStore, Any], Any], settings: object
) -> None:
    store = FileStore(tmp_path / "logins")
    with pytest.raises(ConfigurationError, match=r"settings takes Settings\(\.\.\.\), not"):
        if isawaitable(made := make(store, settings)):
            await made
    assert not (tmp_path / "logins").exists()
