"""Logins in files: whose they are, what is found there, and what the system does to them."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import stat
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from identity import Clock, identity

from aignostics_async import (
    ConfigurationError,
    FileStore,
    IdentityProvider,
    LoginRequired,
    StoredLogin,
    Token,
    TokenEndpointUnavailable,
    TokenKey,
    TokenSet,
    TokenStoreError,
    _file_lock,
)
from aignostics_async._secret import Secret
from aignostics_async._state_folder import state_folder
from aignostics_async.auth import _login_file, _store

KEY = TokenKey("https://idp.example.com", "client", "audience", "organization")
TOKENS = TokenSet(access=Token("CANARY-access", lifetime=100_000), refresh=Secret("CANARY-refresh"))


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "auth")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]


async def test_what_is_saved_is_loaded_by_its_owner_only(store: FileStore) -> None:
    previous = os.umask(0)
    try:
        await store.save(KEY, TOKENS)
        async with store.lock(KEY):
            pass
    finally:
        os.umask(previous)
    loaded = await store.load(KEY)
    assert loaded is not None
    assert loaded.access.is_same(TOKENS.access)
    assert loaded.refresh == TOKENS.refresh
    assert loaded.signed_in_at == TOKENS.signed_in_at
    assert 90_000 < loaded.access.seconds_left <= 100_000
    assert mode(store.path(KEY)) == 0o600
    assert mode(store.path(KEY).parent) == 0o700
    assert {mode(path) for path in store.path(KEY).parent.iterdir()} == {0o600}
    await store.delete(KEY)
    await store.delete(KEY)
    assert await store.load(KEY) is None


async def test_a_file_is_its_owner_s_alone_from_birth(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    fsync = os.fsync

    def looking(descriptor: int) -> None:
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", looking)
    await store.save(KEY, TOKENS)
    assert seen == [0o600, 0o700], "the file before it has its name, then the folder"


async def test_each_key_has_a_file_of_its_own(store: FileStore) -> None:
    keys = [KEY, TokenKey("https://idp.example.com", "client"), TokenKey("https://idp.example.com", "other")]
    for number, key in enumerate(keys):
        await store.save(key, TokenSet(access=Token(f"token-{number}")))
    loaded = [await store.load(key) for key in keys]
    assert [each.access.text for each in loaded if each] == ["token-0", "token-1", "token-2"]


GOOD = json.loads(_login_file.encode(TOKENS, KEY).reveal())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "damaged"),
        (b"{", "damaged"),
        (json.dumps(GOOD).encode()[:-40], "damaged"),
        (b"\x00" * 500, "damaged"),
        (b"[" * 100_000, "damaged"),
        (b" " * 300_000, "too large"),
        (b"null", "damaged"),
        (json.dumps({**GOOD, "version": 2, "more": 1}).encode(), "its version is 2"),
        (json.dumps({**GOOD, "version": "x"}).encode(), "damaged"),
        (json.dumps({**GOOD, "access_token": None}).encode(), "damaged"),
        (json.dumps({**GOOD, "access_token": "two words"}).encode(), "its access token is none"),
        (json.dumps({**GOOD, "lifetime": "long"}).encode(), "damaged"),
        (json.dumps({**GOOD, "key": {**GOOD["key"], "client_id": "other"}}).encode(), "another login's"),
    ],
)
async def test_a_file_that_cant_be_used_is_kept(
    store: FileStore, content: bytes, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    await store.check()
    path = store.path(KEY)
    path.write_bytes(content)
    path.chmod(0o600)
    for _ in range(2):
        assert await store.load(KEY) is None
    (warning,) = told(caplog)
    assert reason in warning
    assert "left as it is" in warning
    assert "CANARY" not in warning
    assert path.read_bytes() == content

    await store.save(KEY, TOKENS)
    assert await store.load(KEY) is not None
    (aside,) = path.parent.glob("*.unusable-*")
    assert aside.read_bytes() == content
    assert mode(aside) == 0o600


async def test_a_file_that_others_could_read_is_closed_and_told(
    store: FileStore, caplog: pytest.LogCaptureFixture
) -> None:
    await store.save(KEY, TOKENS)
    store.path(KEY).chmod(0o644)
    store.path(KEY).parent.chmod(0o755)
    assert await store.load(KEY) is not None
    assert mode(store.path(KEY)) == 0o600
    async with store.lock(KEY):
        assert mode(store.path(KEY).parent) == 0o700
    assert "could be read by others" in told(caplog)[0]


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
async def test_what_is_no_file_is_not_read(store: FileStore, kind: str, tmp_path: Path) -> None:
    await store.check()
    path, elsewhere = store.path(KEY), tmp_path / "elsewhere.json"
    if kind == "link":
        elsewhere.write_text(_login_file.encode(TOKENS, KEY).reveal())
        path.symlink_to(elsewhere)
    elif kind == "dangling link":
        path.symlink_to(elsewhere)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert await store.load(KEY) is None
    await store.save(KEY, TOKENS)
    assert await store.load(KEY) is not None
    assert not path.is_symlink()
    assert elsewhere.exists() == (kind == "link"), "what a link leads to is not written"
    assert len(list(path.parent.glob("*.unusable-*"))) == 1


async def test_somebody_else_s_file_is_not_used(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.save(KEY, TOKENS)
    owner = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert await store.load(KEY) is None


async def test_somebody_else_s_file_is_not_used_for_real(store: FileStore) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to another user")
    await store.save(KEY, TOKENS)
    os.chown(store.path(KEY), 65534, 65534)
    assert await store.load(KEY) is None


def failing(number: int, *, on: str = "") -> Callable[..., Any]:
    def fail(*arguments: Any, **_: Any) -> Any:
        raise OSError(number, os.strerror(number), on or str(arguments))

    return fail


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS])
@pytest.mark.parametrize("step", ["fsync", "replace", "mkstemp"])
async def test_a_save_that_fails_leaves_the_old_login(
    store: FileStore, step: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.save(KEY, TOKENS)
    with monkeypatch.context() as patch:
        owner: Any = {"fsync": os, "replace": Path, "mkstemp": tempfile}[step]
        patch.setattr(owner, step, failing(number))
        with pytest.raises(TokenStoreError, match="can't be written") as caught:
            await store.save(KEY, TokenSet(access=Token("CANARY-new")))
    assert os.strerror(number) in str(caught.value)
    assert "CANARY" not in str(caught.value)
    assert caught.value.__context__ is None
    loaded = await store.load(KEY)
    assert loaded is not None
    assert loaded.access.is_same(TOKENS.access)
    assert [path.name for path in store.path(KEY).parent.iterdir()] == [store.path(KEY).name]


async def test_a_full_disk(store: FileStore, caplog: pytest.LogCaptureFixture) -> None:
    """A real one, of 64 KiB: the login goes on in memory, and the next one that can be saved is."""
    folder = store.path(KEY).parent
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("this user may not mount a small file system")
    try:
        (folder / "ballast").write_bytes(bytes(64 * 1024 - 4096))
        with pytest.raises(TokenStoreError, match="No space left"):
            await store.save(KEY, TokenSet(access=Token("x" * 9000)))
        assert [path.name for path in folder.iterdir()] == ["ballast"]
        (folder / "ballast").unlink()
        await store.save(KEY, TOKENS)
        assert await store.load(KEY) is not None
    finally:
        subprocess.run(["umount", str(folder)], check=True)


async def test_a_file_that_cant_be_read_is_said_so(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no absent login: signing in again would not mend it, and an older token might end the family."""
    await store.save(KEY, TOKENS)
    opening = os.open

    def fail(path: Any, *arguments: Any) -> int:
        if str(path).endswith(".json"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return opening(path, *arguments)

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(TokenStoreError, match="can't be read"):
        await store.load(KEY)


async def test_a_login_goes_on_in_memory_where_it_cant_be_saved(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with identity() as place:
        refresh, store = place.sign_in(), FileStore(tmp_path)
        source = place.source(refresh, store)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", failing(errno.EROFS))
            for _ in range(3):
                await source.get_token()
                clock.advance(3600)
        assert len([each for each in told(caplog) if "in this process only" in each]) == 1
        assert await store.load(source._key) is None
        await source.get_token()
        assert place.counted == {"token": 4}, "each refresh token once, though none was saved before"
        assert (await place.source(refresh, store).get_token()).text == "small-access-4", "now it is"
        assert place.counted == {"token": 4}


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK])
async def test_a_file_system_without_locks_is_told_and_used(
    store: FileStore, number: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(number))
    for _ in range(2):
        async with store.lock(KEY):
            await store.save(KEY, TOKENS)
    (warning,) = told(caplog)
    assert "can't be locked" in warning
    assert await store.load(KEY) is not None


async def test_a_lock_that_stays_held_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_store, "_LONGEST_LOCK_WAIT", 0.2)
    async with identity() as place:
        store = FileStore(tmp_path)
        source = place.source(store=store)
        async with store.lock(source._key):
            with pytest.raises(TokenEndpointUnavailable, match="another process has been renewing"):
                await source.get_token()
        assert not place.counted


def test_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_STATE_HOME", "USERPROFILE"):
        monkeypatch.delenv(name, raising=False)
    assert state_folder("auth").is_absolute(), "the system knows the home of this user"
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.raises(ConfigurationError, match="set HOME or XDG_STATE_HOME"):
        FileStore()


def test_the_default_is_the_user_s_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert FileStore().path(KEY) == tmp_path / "aignostics-async" / "auth" / f"{KEY.digest}.json"


async def test_check_tries_to_write(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.check()
    assert list(store.path(KEY).parent.iterdir()) == []
    monkeypatch.setattr(tempfile, "mkstemp", failing(errno.EACCES))
    with pytest.raises(TokenStoreError, match="Permission denied"):
        await store.check()


async def test_without_a_login_the_error_says_to_sign_in(tmp_path: Path) -> None:
    provider = IdentityProvider(token_url="https://idp.example.com/token", client_id="client")
    source = StoredLogin(provider, store=FileStore(tmp_path))
    with pytest.raises(
        LoginRequired, match=r"no login is kept for client 'client' of https://idp\.example\.com"
    ):
        await source.get_token()


async def test_the_latest_login_of_several_clients_counts(tmp_path: Path) -> None:
    providers = [
        IdentityProvider(token_url="https://idp.example.com/token", client_id=name) for name in ("one", "two")
    ]
    store = FileStore(tmp_path)
    for provider, moment in zip(providers, (100.0, 200.0), strict=True):
        tokens = TokenSet(access=Token(f"of-{provider.client_id}", lifetime=600), signed_in_at=moment)
        await store.save(provider.key, tokens)
    assert (await StoredLogin(*providers, store=store).get_token()).text == "of-two"


async def test_a_refresh_token_that_was_given_is_kept_apart_from_the_login(tmp_path: Path) -> None:
    """Whoever sets one for a job does not want the job to act as who signed in, nor the other way round."""
    async with identity() as place:
        store = FileStore(tmp_path)
        await store.save(place.provider.key, TokenSet(access=Token("of-the-login", lifetime=600)))
        given = [place.sign_in(), place.sign_in()]
        for number, refresh in enumerate(given, start=1):
            assert (await place.source(refresh, store).get_token()).text == f"small-access-{number}"
        assert (await StoredLogin(place.provider, store=store).get_token()).text == "of-the-login"
        assert (await place.source(given[0], store).get_token()).text == "small-access-1"


def test_a_lock_file_is_no_link(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        _file_lock.FileLock(tmp_path / "lock").acquire()
    assert not (tmp_path / "elsewhere").exists()
