"""A token store in the operating system's key ring. Needs the `keyring` extra."""

from __future__ import annotations

import os
import secrets
import threading
from collections import defaultdict
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
from ._login_file import is_time
from ._provider import TokenKey

_log = get_logger("aignostics_async.auth")

_SERVICE = "aignostics-async"
_VERSION = 1
_PROBE_LENGTH = 1024  # characters: many refresh tokens are JWTs, and some key rings keep less
_SECONDS = 3.0  # a key ring without a session to unlock it hangs
_T = TypeVar("_T")


class _Entry(msgspec.Struct):
    version: int
    refresh_token: str
    signed_in_at: float


class KeyringStore:
    """A token store in the operating system's key ring; needs the `keyring` extra.

        source = StoredLogin(provider, store=KeyringStore())

    Each key has one entry, of the service `aignostics-async` and the name `key.digest`: a JSON object with
    `version`, `refresh_token` and `signed_in_at`, the time of the login. It has no access token, because some
    are too long for a key ring; so each process refreshes at first. Every entry is read back after it was
    written. Keys are locked by files, as `FileStore.lock` describes.

    There is no fallback to files: every method but `lock` raises TokenStoreError if the key ring fails or
    does not respond to a call within 3 s, UsageError if no asyncio event loop is running, and
    ConfigurationError if the system gives no thread. Creating the store raises MissingExtra without the
    `keyring` extra, and ConfigurationError if the user has no home folder, where the locks are.
    """

    def __init__(self) -> None:
        try:
            import keyring
            import keyring.errors
        except ModuleNotFoundError:
            raise MissingExtra("the key ring", extra="keyring") from None
        self._keyring = keyring
        self._gone = keyring.errors.PasswordDeleteError
        self._locks = FileStore()
        # One call at a time: of two that hang, the older one must not overwrite the newer one's entry.
        self._turns: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)  # of each process

    def __repr__(self) -> str:
        return "KeyringStore()"

    def __str__(self) -> str:
        return "the key ring"

    async def check(self) -> None:
        """Raise TokenStoreError unless an entry of 1,024 characters can be written, read and deleted.

        An entry may stay if the key ring fails in between, or the call is cancelled.
        """
        # Of its own name: another process may check at the same time.
        name = f"probe-{secrets.token_hex(8)}"
        await self._set(name, Secret(secrets.token_urlsafe(_PROBE_LENGTH)[:_PROBE_LENGTH]))
        await self._delete(name)

    async def load(self, key: TokenKey) -> TokenSet | None:
        """Return the tokens of a key, or None if there is no usable entry.

        The access token in the result has expired, so it is refreshed before its first use. An entry of
        another release, or one that can't be read, is logged as a warning and kept. Raises TokenStoreError if
        the key ring fails or does not respond within 3 s.
        """
        text = await self._get(key)
        entry = None if text is None else _decode(text)
        if entry is None:
            if text is not None:
                _log.warning("the key ring's entry for %s is not of this release; it is kept", key.client_id)
            return None
        ended = Token("ended", lifetime=0)
        return TokenSet(access=ended, refresh=Secret(entry.refresh_token), signed_in_at=entry.signed_in_at)

    async def save(self, key: TokenKey, tokens: TokenSet) -> None:
        """Replace the refresh token of a key and the time of its login; the access token is not stored.

        An entry that this release can't read is copied to the entry `{key.digest}.unusable` first. Raises
        TokenStoreError if the login has no refresh token, or if the key ring fails, does not respond within
        3 s, or returns another text than was written; in this last case the entry is deleted.
        """
        if tokens.refresh is None:
            raise TokenStoreError("a key ring keeps refresh tokens, and this login gave none")
        there = await self._get(key)
        if there is not None and _decode(there) is None:
            await self._set(f"{key.digest}.unusable", there)
        await self._set(key.digest, _encode(tokens.refresh, tokens.signed_in_at))

    async def delete(self, key: TokenKey) -> None:
        """Delete the entry of a key; do nothing if it does not exist.

        Raises TokenStoreError if the key ring fails, keeps the entry, or does not respond within 3 s.
        """
        await self._delete(key.digest)

    def lock(self, key: TokenKey) -> AbstractAsyncContextManager[None]:
        """Return a lock of a key across tasks, threads and processes, as an async context manager.

            async with store.lock(key):
                tokens = await store.load(key)

        It is `FileStore.lock` in the default folder: entering it raises TokenEndpointUnavailable if it is
        held elsewhere for 30 s. Where files can't be locked, a warning is logged once and the block runs
        without a lock.
        """
        return self._locks.lock(key)

    async def _get(self, key: TokenKey) -> Secret | None:
        return await self._ask(lambda: self._read(key.digest))

    async def _set(self, name: str, text: Secret) -> None:
        def write() -> bool:
            self._keyring.set_password(_SERVICE, name, text.reveal())
            return self._read(name) == text

        if not await self._ask(write):
            await self._delete(name)  # half a token would be sent, and refused
            raise TokenStoreError(
                f"the key ring does not keep an entry of {len(text.reveal()):,} characters; set "
                "another token store"
            )

    async def _delete(self, name: str) -> None:
        def delete() -> bool:
            if self._read(name) is None:
                return True
            with suppress(self._gone):
                self._keyring.delete_password(_SERVICE, name)
            return self._read(name) is None

        if not await self._ask(delete):
            raise TokenStoreError(
                f"the key ring did not delete the entry {name!r} of {_SERVICE!r}; delete it by hand"
            )

    def _read(self, name: str) -> Secret | None:
        text: object = self._keyring.get_password(_SERVICE, name)
        if text is not None and not isinstance(text, str):
            raise TokenStoreError(
                f"the key ring gave {type(text).__name__}, no text; set another token store"
            )
        return None if text is None else Secret(text)

    async def _ask(self, work: Callable[[], _T]) -> _T:
        def in_turn() -> tuple[_T] | TokenStoreError:
            try:
                with self._turns[os.getpid()]:
                    return (work(),)
            except TokenStoreError as error:
                return error
            except BaseException as error:  # noqa: BLE001 - of D-Bus, Windows, macOS; a panic of Rust, too
                return _unusable(type(error).__name__)

        outcome: tuple[_T] | TokenStoreError = _unusable(f"no answer within {_SECONDS:.0f} s")
        with anyio.move_on_after(_SECONDS):
            outcome = await run_in_daemon_thread(in_turn)
        if isinstance(outcome, TokenStoreError):
            raise outcome.with_traceback(None)
        return outcome[0]


def _unusable(reason: str) -> TokenStoreError:
    return TokenStoreError(f"the key ring can't be used ({reason}); unlock it, or set another token store")


def _encode(refresh: Secret, signed_in_at: float) -> Secret:
    return Secret(msgspec.json.encode(_Entry(_VERSION, refresh.reveal(), signed_in_at)).decode())


def _decode(text: Secret) -> _Entry | None:
    try:
        entry = msgspec.json.decode(text.reveal(), type=_Entry)
    except (ValueError, RecursionError):
        return None
    is_usable = entry.version == _VERSION and bool(entry.refresh_token) and is_time(entry.signed_in_at)
    return entry if is_usable else None
