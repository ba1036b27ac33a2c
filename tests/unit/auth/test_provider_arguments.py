"""What is passed where an identity provider belongs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from aignostics_async import (
    ClientCredentials,
    ConfigurationError,
    IdentityProvider,
    RefreshToken,
    StoredLogin,
    login_browser,
    login_device,
    logout,
)


@pytest.mark.parametrize(
    "use",
    [
        StoredLogin,
        ClientCredentials,
        lambda provider: RefreshToken("r", provider=provider),
        lambda provider: asyncio.run(login_browser(provider, show=print)),
        lambda provider: asyncio.run(login_device(provider, show=print)),
        lambda provider: asyncio.run(logout(provider)),
    ],
)
def test_what_is_no_provider_is_refused(use: Callable[[Any], object]) -> None:
    with pytest.raises(ConfigurationError, match=r"give an IdentityProvider.* not str$"):
        use("production")


@pytest.mark.parametrize("timeout", ["soon", None, float("nan")])
def test_a_timeout_that_is_no_duration_is_refused_before_a_person_signs_in(timeout: Any) -> None:
    provider = IdentityProvider.beside("https://login.example.com/oauth/token", client_id="c")
    with pytest.raises(ConfigurationError, match="a number of seconds"):
        asyncio.run(login_browser(provider, show=pytest.fail, timeout=timeout))
