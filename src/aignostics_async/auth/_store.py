"""Where tokens are kept between two processes, and the store that keeps them in none."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import uniform
from typing import Protocol

import anyio

from .._core._token import TokenSet
from ..errors import TokenEndpointUnavailable
from ._provider import TokenKey

_LONGEST_LOCK_WAIT = 30.0  # seconds; who holds a lock refreshes, which takes 20 s at most


class TokenStore(Protocol):
    """Keeps the tokens of logins. The tokens of one key never come back under another.

    `lock` is held while tokens are read, refreshed and saved, so that two processes never send the same
    refresh token. Every method may raise TokenStoreError.
    """

    async def check(self) -> None:
        """Raise TokenStoreError unless tokens can be kept here; asked before a person signs in."""
        ...

    async def load(self, key: TokenKey) -> TokenSet | None:
        """Return what is kept under a key; None where nothing is that can be used."""
        ...

    async def save(self, key: TokenKey, tokens: TokenSet) -> None:
        """Keep tokens, in place of those there were; whole or not at all."""
        ...

    async def delete(self, key: TokenKey) -> None:
        """Forget the tokens of a key; it is no error that there are none."""
        ...

    def lock(self, key: TokenKey) -> AbstractAsyncContextManager[None]:
        """Exclude all others from a key, in this process and others."""
        ...


class MemoryStore:
    """Keep tokens as long as the process lives."""

    def __init__(self) -> None:
        self._kept: dict[TokenKey, TokenSet] = {}
        # Of threads: the event loops that share a store need not be in one.
        self._locks: defaultdict[TokenKey, threading.Lock] = defaultdict(threading.Lock)

    def __repr__(self) -> str:
        return "MemoryStore()"

    async def check(self) -> None:
        """Do nothing: memory is there."""

    async def load(self, key: TokenKey) -> TokenSet | None:
        """Return what is kept under a key, or None."""
        return self._kept.get(key)

    async def save(self, key: TokenKey, tokens: TokenSet) -> None:
        """Keep tokens, in place of those there were."""
        self._kept[key] = tokens

    async def delete(self, key: TokenKey) -> None:
        """Forget the tokens of a key."""
        self._kept.pop(key, None)

    @asynccontextmanager
    async def lock(self, key: TokenKey) -> AsyncIterator[None]:
        """Exclude all others from a key."""
        lock = self._locks[key]

        async def attempt() -> bool:
            return lock.acquire(blocking=False)

        await wait_for_lock(attempt)
        try:
            yield
        finally:
            lock.release()


async def wait_for_lock(attempt: Callable[[], Awaitable[bool]]) -> None:
    """Try again and again until a lock is had; raises TokenEndpointUnavailable after 30 s.

    Waiting can be cancelled, which a thread that blocks in the lock could not.
    """
    try:
        with anyio.fail_after(_LONGEST_LOCK_WAIT):
            while not await attempt():  # noqa: ASYNC110 - the other side is a process, which sets no event
                await anyio.sleep(uniform(0.01, 0.04))
        return
    except TimeoutError:
        pass
    raise TokenEndpointUnavailable(
        f"another process has been renewing this login for {_LONGEST_LOCK_WAIT:.0f} s; try again later"
    )
