"""What is passed to a login in place of a function or a token store: refused before a person signs in."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from inspect import isawaitable
from typing import Any

import pytest

from aignostics_async import (
    IdentityProvider,
    MemoryStore,
    RefreshToken,
    StoredLogin,
    TokenKey,
    TokenStore,
    UsageError,
    login_browser,
    login_device,
    logout,
)

PROVIDER = IdentityProvider.beside("http://127.0.0.1:9/oauth/token", client_id="a")


async def show(_shown: object) -> None: ...


@pytest.mark.parametrize("function", [show, None, "print"])
@pytest.mark.parametrize(
    "login",
    [
        lambda function: login_browser(PROVIDER, show=function, timeout=1, store=MemoryStore()),
        lambda function: login_device(PROVIDER, show=function, store=MemoryStore()),
    ],
)
async def test_show_is_a_plain_function(login: Callable[[Any], Awaitable[object]], function: object) -> None:
    with pytest.raises(UsageError, match=r"plain function|show is a function"):
        await login(function)


async def test_what_opens_a_browser_is_a_plain_function() -> None:
    with pytest.raises(UsageError, match="plain function"):
        await login_browser(PROVIDER, show=print, open_browser=show, timeout=1, store=MemoryStore())


USES = {
    "check": lambda store: login_browser(PROVIDER, show=print, timeout=1, store=store),
    "check of device": lambda store: login_device(PROVIDER, show=print, store=store),
    "load": lambda store: logout(PROVIDER, store=store),
    "load of refresh": lambda store: RefreshToken("r", provider=PROVIDER, store=store).get_token(),
    "load of stored": lambda store: StoredLogin(PROVIDER, store=store).get_token(),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_what_is_no_token_store(use: Callable[[Any], Any]) -> None:
    with pytest.raises(UsageError, match="store takes a TokenStore, not str"):
        if isawaitable(made := use("file")):
            await made


class Plain:
    """A token store with plain methods."""

    def check(self) -> None: ...

    load = save = delete = lambda self, *_args: None

    def lock(self, _key: object) -> Any:
        return nullcontext()


@pytest.mark.parametrize(("name", "use"), USES.items(), ids=USES)
async def test_a_token_store_with_plain_methods(name: str, use: Callable[[Any], Any]) -> None:
    assert isinstance(Plain(), TokenStore)
    with pytest.raises(UsageError, match=f"`{name.partition(' ')[0]}` of a token store is not async"):
        await use(Plain())


class Unlocked(MemoryStore):
    """A token store whose lock is none."""

    def __init__(self, lock: Callable[[], Any]) -> None:
        super().__init__()
        self._given = lock

    def lock(self, key: TokenKey) -> Any:
        return self._given()


async def nothing() -> None: ...


@pytest.mark.parametrize("lock", [nothing, threading.Lock, dict], ids=["async def", "of threads", "dict"])
@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_a_token_store_whose_lock_is_none(use: Callable[[Any], Any], lock: Callable[[], Any]) -> None:
    """A login says so before a person signs in."""
    with pytest.raises(UsageError, match="`lock` of a token store returns no async context manager"):
        await use(Unlocked(lock))


class Keepsake(MemoryStore):
    """A token store that gives what it is told to."""

    given: object = "PLANTED"

    async def load(self, key: TokenKey) -> Any:
        return self.given


@pytest.mark.parametrize("given", ["PLANTED", {"access": "PLANTED"}, False])
@pytest.mark.parametrize("use", [use for name, use in USES.items() if "load" in name])
async def test_a_token_store_that_loads_something_else(use: Callable[[Any], Any], given: object) -> None:
    store = Keepsake()
    store.given = given
    with pytest.raises(UsageError, match=r"returns a TokenSet or None, not (str|dict|bool)") as caught:
        await use(store)
    assert "PLANTED" not in str(caught.value)
