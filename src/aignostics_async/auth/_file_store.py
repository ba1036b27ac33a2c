"""A token store of files, one per key."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from anyio import to_thread

from .._core._arguments import as_path
from .._core._file_lock import FileLock
from .._core._logging import get_logger
from .._core._state_folder import make_private_folder, state_folder
from .._core._token import TokenSet
from ..errors import TokenStoreError
from . import _login_file
from ._provider import TokenKey
from ._store import wait_for_lock

_log = get_logger("aignostics_async.auth")
_T = TypeVar("_T")


class FileStore:
    """A token store in files of a folder, one per key.

        source = StoredLogin(provider, store=FileStore("logins/"))

    The folder is by default `auth` in the user's state folder, which is `$XDG_STATE_HOME/aignostics-async` or
    `~/.local/state/aignostics-async` on Linux; it is created when it is needed. Files hold the tokens
    unencrypted as JSON, readable by their owner only (on Windows by those who may read the folder), and are
    replaced atomically. Processes can share a folder, with `lock`.

    A file that is damaged, or in a format that this release does not know, is no login: `load` returns None,
    `save` renames it to `{key.digest}.unusable-{number}`, and `delete` removes it.

    Creating the store does no I/O, and raises ConfigurationError if no folder is given and the user has no
    home folder, and UsageError for what is no path. Files are read and written in worker threads. Every
    method but `path` and `lock` raises TokenStoreError if the folder or a file can't be used.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self._folder = state_folder("auth") if folder is None else as_path(folder, "folder")
        self._is_ours = folder is None
        self._told: set[str] = set()

    def __repr__(self) -> str:
        return f"FileStore({str(self._folder)!r})"

    def __str__(self) -> str:
        return str(self._folder)

    def path(self, key: TokenKey) -> Path:
        """Return the path of the file of a key, `{key.digest}.json`; the file need not exist."""
        return self._folder / f"{key.digest}.json"

    async def check(self) -> None:
        """Raise TokenStoreError unless a file can be created in the folder and deleted.

        Creates the folder if it is missing.
        """
        await self._in_thread("written", self._probe)

    async def load(self, key: TokenKey) -> TokenSet | None:
        """Return the tokens of a key, or None if there is no usable file.

        An unusable file is kept, and one that other users could read is made private; either is logged as a
        warning, once. Raises TokenStoreError if the file can't be read.
        """
        path = self.path(key)
        try:
            found = await self._in_thread("read", lambda: _login_file.read(path, key))
        except _login_file.UnusableFile as reason:
            self._warn(f"{path} holds no login that can be used: {reason}. It is left as it is")
            return None
        if found is None:
            return None
        tokens, was_open = found
        if was_open:
            self._warn(
                f"{path} could be read by others and no longer can; sign in again if others use this machine"
            )
        return tokens

    async def save(self, key: TokenKey, tokens: TokenSet) -> None:
        """Replace the tokens of a key atomically and durably.

        Creates the folder if it is missing. Costs two fsyncs. Raises TokenStoreError if the folder can't be
        created or the file can't be written; a usable previous file then stays.
        """

        def write() -> None:
            self._make_folder()
            _login_file.write(self.path(key), tokens, key)

        await self._in_thread("written", write)

    async def delete(self, key: TokenKey) -> None:
        """Delete the file of a key; do nothing if it does not exist.

        Raises TokenStoreError if the file can't be deleted.
        """
        await self._in_thread("deleted", lambda: self.path(key).unlink(missing_ok=True))

    @asynccontextmanager
    async def lock(self, key: TokenKey) -> AsyncIterator[None]:
        """Lock a key across tasks, threads and processes while the block runs.

            async with store.lock(key):
                tokens = await store.load(key)

        Creates the folder and the lock file `{key.digest}.lock`, which is not deleted. The lock is not
        reentrant; the system releases it if the process dies. Raises TokenEndpointUnavailable if it is held
        elsewhere for 30 s. If the folder can't be written or its file system has no locks, a warning is
        logged once and the block runs without a lock.
        """
        lock = FileLock(self._folder / f"{key.digest}.lock")

        async def attempt() -> bool:
            # Not in a thread: it never blocks, and a cancelled thread could not say that it has the lock.
            try:
                return lock.acquire()
            except OSError as error:
                reason = error
            raise self._trouble("locked", reason)

        try:
            try:
                await self._in_thread("locked", self._make_folder)
                await wait_for_lock(attempt)
            except TokenStoreError as error:
                self._warn(f"{error}. Two processes may refresh the same login at once")
            yield
        finally:
            lock.release()

    async def _in_thread(self, verb: str, work: Callable[[], _T]) -> _T:
        try:
            return await to_thread.run_sync(work)
        except OSError as error:
            reason = error
        raise self._trouble(verb, reason)

    def _trouble(self, verb: str, error: OSError) -> TokenStoreError:
        reason = error.strerror or type(error).__name__
        return TokenStoreError(
            f"a login in {self._folder} can't be {verb} ({reason}); fix the folder, or set another with "
            "XDG_STATE_HOME or FileStore"
        )

    def _warn(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            _log.warning("%s", text)

    def _make_folder(self) -> None:
        make_private_folder(self._folder)
        # A folder that was given may be shared, as may what a link leads to, and the files are readable by
        # their owner only anyway.
        is_ours = self._is_ours and not self._folder.is_symlink()
        if is_ours and self._folder.stat().st_mode & 0o077:
            self._folder.chmod(0o700)

    def _probe(self) -> None:
        self._make_folder()
        descriptor, name = tempfile.mkstemp(prefix=".probe-", dir=self._folder)
        os.close(descriptor)
        Path(name).unlink()
