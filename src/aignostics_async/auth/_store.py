"""The protocol of token stores, and the store in memory."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import uniform
from typing import Protocol, runtime_checkable

import anyio

from .._core._arguments import async_context, awaited
from .._core._logging import get_logger
from .._core._token import TokenSet
from ..errors import TokenEndpointUnavailable, UsageError
from ._provider import TokenKey

_log = get_logger("aignostics_async.auth")

_MAX_LOCK_WAIT = 30.0  # seconds; the holder of a lock refreshes a token, which takes 20 s at most


@runtime_checkable
class TokenStore(Protocol):
    """A place that keeps the tokens of logins; implement it to keep them elsewhere.

        class VaultStore:
            async def check(self) -> None:
                await vault.ping()

            async def load(self, key: TokenKey) -> TokenSet | None:
                return await vault.get(key.digest)

            async def save(self, key: TokenKey, tokens: TokenSet) -> None:
                await vault.put(key.digest, tokens)

            async def delete(self, key: TokenKey) -> None:
                await vault.delete(key.digest)

            def lock(self, key: TokenKey) -> AbstractAsyncContextManager[None]:
                return vault.lock(key.digest)

        source = StoredLogin(provider, store=VaultStore())

    Of a TokenSet, which can't be pickled, a store keeps `access.text`, `access.lifetime`, `access.issued_at`,
    the text of `refresh`, and `signed_in_at`. It must never return the tokens of one key for another. The
    lock of a key is held while its tokens are loaded, refreshed and saved, so that no two processes send the
    same refresh token.

    Each refresh runs in a thread with an event loop of its own, so a store must not keep what belongs to one
    loop, such as an `asyncio.Lock` or an open HTTP client. Every method may raise TokenStoreError if the
    store can't be used; one that is not async, and a `lock` that `async with` can't enter, is a UsageError.
    During a refresh another exception that is no AignosticsError becomes the `__cause__` of a
    TokenEndpointUnavailable, except what `save` raises.
    """

    async def check(self) -> None:
        """Raise TokenStoreError unless tokens can be kept here.

        `login_browser` and `login_device` call it before a person signs in. It should leave nothing behind.
        """
        ...

    async def load(self, key: TokenKey) -> TokenSet | None:
        """Return the tokens of a key, or None if there are no usable ones.

        Called before and after each refresh, while the lock is held, and also without the lock. Should raise
        TokenStoreError if the store can't be read. Returning something else is a UsageError.
        """
        ...

    async def save(self, key: TokenKey, tokens: TokenSet) -> None:
        """Replace the tokens of a key atomically: a reader sees either the old or the new ones.

        Called after each refresh, with the lock, unless the login was deleted or replaced in the meantime;
        and after each login, without the lock where it is not free in time. Should raise TokenStoreError if
        the store can't be written. Whatever is raised, a refresh then keeps the tokens in memory, with a
        warning in the log; `login_browser` and `login_device` raise it.
        """
        ...

    async def delete(self, key: TokenKey) -> None:
        """Delete the tokens of a key; do nothing if there are none.

        `logout` calls it while the lock is held. Should raise TokenStoreError if the store can't be written.
        """
        ...

    def lock(self, key: TokenKey) -> AbstractAsyncContextManager[None]:
        """Return a lock of a key as an async context manager.

            async with store.lock(key):
                tokens = await store.load(key)

        It must exclude other tasks, event loops and threads, and other processes if they share the store. It
        need not be reentrant. A refresh holds it during its requests to the provider, each of 20 s at most.
        Entering it should raise TokenEndpointUnavailable if the lock is held elsewhere for too long; the
        stores of this package wait 30 s. What leaving it raises is logged as a warning.
        """
        ...


def lock_of(store: TokenStore, key: TokenKey) -> AbstractAsyncContextManager[None]:
    """Return the lock of a key; raises UsageError for a store whose `lock` returns something else."""
    return async_context(store.lock(key), "`lock` of a token store")


@asynccontextmanager
async def locked(store: TokenStore, key: TokenKey) -> AsyncIterator[None]:
    """Lock a key while the block runs, and raise what the block raises, also where the lock hides it.

    A lock that can't be released is logged as a warning.
    """
    failure: BaseException | None = None
    is_done = False
    try:
        async with lock_of(store, key):
            try:
                yield
            except BaseException as error:
                failure = error
                raise
            is_done = True
    except Exception as error:
        if not is_done:
            raise
        # As with a lock of a database that has expired. What was done under it stays done.
        _log.warning("the lock of a token store can't be released: %s", type(error).__name__)
    try:
        if failure is not None:
            raise failure
    finally:
        del failure  # it would hold this frame, and this frame it


async def load_tokens(store: TokenStore, key: TokenKey) -> TokenSet | None:
    """Return what the store has of a key; raises UsageError for a store that gives something else."""
    found: object = await awaited(store.load(key), "`load` of a token store")
    if found is None or isinstance(found, TokenSet):
        return found
    kind = type(found).__name__
    del found  # it may be a secret, and tracebacks show the variables of this frame
    raise UsageError(f"`load` of a token store returns a TokenSet or None, not {kind}")


class MemoryStore:
    """A token store in memory, until the process ends.

        source = RefreshToken("...", provider=provider, store=MemoryStore())

    Threads and event loops of the process can share it; a forked process has a copy of its own.
    """

    def __init__(self) -> None:
        self._kept: dict[TokenKey, TokenSet] = {}
        # Locks of threads: the event loops that share a store may run in several.
        # A forked process has others: nobody in it would release one that is held.
        self._locks: defaultdict[tuple[int, TokenKey], threading.Lock] = defaultdict(threading.Lock)

    def __repr__(self) -> str:
        return "MemoryStore()"

    async def check(self) -> None:
        """Do nothing, because memory needs no check."""

    async def load(self, key: TokenKey) -> TokenSet | None:
        """Return the tokens of a key, or None if there are none."""
        return self._kept.get(key)

    async def save(self, key: TokenKey, tokens: TokenSet) -> None:
        """Replace the tokens of a key."""
        self._kept[key] = tokens

    async def delete(self, key: TokenKey) -> None:
        """Delete the tokens of a key; do nothing if there are none."""
        self._kept.pop(key, None)

    @asynccontextmanager
    async def lock(self, key: TokenKey) -> AsyncIterator[None]:
        """Lock a key across threads and event loops while the block runs.

            async with store.lock(key):
                tokens = await store.load(key)

        The lock is not reentrant. Raises TokenEndpointUnavailable if it is held elsewhere for 30 s.
        """
        lock = self._locks[os.getpid(), key]

        async def attempt() -> bool:
            return lock.acquire(blocking=False)

        await wait_for_lock(attempt)
        try:
            yield
        finally:
            lock.release()


async def wait_for_lock(attempt: Callable[[], Awaitable[bool]]) -> None:
    """Call `attempt` until it returns True; raises TokenEndpointUnavailable after 30 s.

    Polling can be cancelled; a thread that blocks in a lock could not.
    """
    try:
        with anyio.fail_after(_MAX_LOCK_WAIT):
            while not await attempt():  # noqa: ASYNC110 - the other side is a process, which sets no event
                await anyio.sleep(uniform(0.01, 0.04))
        return
    except TimeoutError:
        pass
    raise TokenEndpointUnavailable(
        f"another process has been refreshing this login for {_MAX_LOCK_WAIT:.0f} s; try again later"
    )
