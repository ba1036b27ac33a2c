"""A token store in the operating system's key ring. Needs the `keyring` extra."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import TypeVar

import anyio
import msgspec

from .._core._logging import get_logger
from .._core._secret import Secret
from .._core._token import Token, TokenSet
from .._core._uncancellable import run_in_daemon_thread
from ..errors import MissingExtra, TokenStoreError
from ._file_store import FileStore
from ._provider import TokenKey

_log = get_logger("aignostics_async.auth")

_SERVICE = "aignostics-async"
_PROBE = "probe"
_VERSION = 1
_SECONDS = 3.0  # a key ring without a session to unlock it hangs
_T = TypeVar("_T")


class _Entry(msgspec.Struct):
    version: int
    refresh_token: str
    signed_in_at: float


class KeyringStore:
    """A token store in the operating system's key ring; needs the `keyring` extra.

        source = StoredLogin(provider, store=KeyringStore())

    Only refresh tokens are in the key ring, because some access tokens are too long for it; so each process
    refreshes once. Keys are locked as by `FileStore`. There is no fallback to files: every method raises
    TokenStoreError if the key ring fails or does not respond within 3 s. Creating the store raises
    MissingExtra if the `keyring` extra is not installed.
    """

    def __init__(self) -> None:
        try:
            import keyring
            import keyring.errors
        except ModuleNotFoundError:
            raise MissingExtra("the key ring", extra="keyring") from None
        self._keyring = keyring
        self._failures = (keyring.errors.KeyringError, RuntimeError, OSError)
        self._gone = keyring.errors.PasswordDeleteError
        self._locks = FileStore()

    def __repr__(self) -> str:
        return "KeyringStore()"

    async def check(self) -> None:
        """Raise TokenStoreError unless an entry can be written, read and deleted."""

        def probe() -> str | None:
            self._keyring.set_password(_SERVICE, _PROBE, _PROBE)
            read: str | None = self._keyring.get_password(_SERVICE, _PROBE)
            self._keyring.delete_password(_SERVICE, _PROBE)
            return read

        if await self._ask(probe) != _PROBE:
            raise TokenStoreError("the key ring does not keep what it is given; set another token store")

    async def load(self, key: TokenKey) -> TokenSet | None:
        """Return the tokens of a key, or None if there is no usable entry.

        The access token in the result has expired, so it is refreshed before its first use. An entry of
        another release is logged as a warning and kept. Raises TokenStoreError if the key ring fails or does
        not respond within 3 s.
        """
        text = await self._get(key)
        entry = None if text is None else _read(text)
        if entry is None:
            if text is not None:
                _log.warning("the key ring's entry for %s is not of this release; it is kept", key.client_id)
            return None
        ended = Token("ended", lifetime=0)
        return TokenSet(access=ended, refresh=Secret(entry.refresh_token), signed_in_at=entry.signed_in_at)

    async def save(self, key: TokenKey, tokens: TokenSet) -> None:
        """Replace the refresh token of a key; the access token is not stored.

        An entry of another release is copied to the entry `{key.digest}.unusable` first. Raises
        TokenStoreError if the login has no refresh token, or if the key ring fails or does not respond within
        3 s.
        """
        if tokens.refresh is None:
            raise TokenStoreError("a key ring keeps refresh tokens, and this login gave none")
        there = await self._get(key)
        if there is not None and _read(there) is None:
            await self._set(f"{key.digest}.unusable", there)
        entry = _Entry(_VERSION, tokens.refresh.reveal(), tokens.signed_in_at)
        await self._set(key.digest, Secret(msgspec.json.encode(entry).decode()))

    async def delete(self, key: TokenKey) -> None:
        """Delete the entry of a key; do nothing if it does not exist.

        Raises TokenStoreError if the key ring fails or does not respond within 3 s.
        """

        def delete() -> None:
            with suppress(self._gone):
                self._keyring.delete_password(_SERVICE, key.digest)

        await self._ask(delete)

    def lock(self, key: TokenKey) -> AbstractAsyncContextManager[None]:
        """Return a lock of a key across processes, as an async context manager.

        It is the file lock of `FileStore.lock`, which raises TokenEndpointUnavailable if another process
        holds it for 30 s.
        """
        return self._locks.lock(key)

    async def _get(self, key: TokenKey) -> Secret | None:
        text = await self._ask(lambda: self._keyring.get_password(_SERVICE, key.digest))
        return None if text is None else Secret(text)

    async def _set(self, name: str, text: Secret) -> None:
        await self._ask(lambda: self._keyring.set_password(_SERVICE, name, text.reveal()))

    async def _ask(self, work: Callable[[], _T]) -> _T:
        try:
            with anyio.fail_after(_SECONDS):
                return await run_in_daemon_thread(work)
        except TimeoutError:
            reason = f"no answer within {_SECONDS:.0f} s"
        except self._failures as error:
            reason = type(error).__name__
        raise TokenStoreError(f"the key ring can't be used ({reason}); unlock it, or set another token store")


def _read(text: Secret) -> _Entry | None:
    try:
        entry = msgspec.json.decode(text.reveal(), type=_Entry)
    except (ValueError, RecursionError):
        return None
    return entry if entry.version == _VERSION else None
