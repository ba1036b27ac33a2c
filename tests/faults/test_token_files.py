"""Logins in files: whose they are, what is found there, and what the system does to them."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import json
import logging
import os
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from identity import Clock, Fault, identity

from aignostics_async import (
    AignosticsError,
    ConfigurationError,
    FileStore,
    IdentityProvider,
    LoginRequired,
    MemoryStore,
    RefreshToken,
    StoredLogin,
    Token,
    TokenEndpointUnavailable,
    TokenKey,
    TokenSet,
    TokenStoreError,
    UsageError,
    logout,
)
from aignostics_async._core import _file_lock
from aignostics_async._core._secret import Secret
from aignostics_async._core._state_folder import state_folder
from aignostics_async.auth import _login_file, _store
from aignostics_async.bulk.database._job_folder import JobFolder

KEY = TokenKey("https://idp.example.com", "client", "audience", "organization")
TOKENS = TokenSet(access=Token("PLANTED-access", lifetime=100_000), refresh=Secret("PLANTED-refresh"))


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
        (json.dumps({**GOOD, "issued_at": 1e300}).encode(), "its times are none"),
        (json.dumps({**GOOD, "signed_in_at": -1}).encode(), "its times are none"),
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
    assert "PLANTED" not in warning
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
    assert await store.load(KEY) is not None
    assert mode(store.path(KEY)) == 0o600
    assert "could be read by others" in told(caplog)[0]


async def test_a_folder_of_ours_is_closed_and_one_that_was_given_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    given = tmp_path / "given"
    given.mkdir()
    for store, expected in ((FileStore(), 0o700), (FileStore(given), 0o755)):
        folder = store.path(KEY).parent
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        await store.save(KEY, TOKENS)
        assert mode(folder) == expected
        assert mode(store.path(KEY)) == 0o600


async def test_a_folder_that_a_link_leads_to_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    store, shared = FileStore(), tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    store.path(KEY).parent.parent.mkdir(parents=True)
    store.path(KEY).parent.symlink_to(shared)
    await store.save(KEY, TOKENS)
    assert mode(shared) == 0o755
    assert mode(store.path(KEY)) == 0o600


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
            await store.save(KEY, TokenSet(access=Token("PLANTED-new")))
    assert os.strerror(number) in str(caught.value)
    assert "PLANTED" not in str(caught.value)
    assert caught.value.__context__ is None
    loaded = await store.load(KEY)
    assert loaded is not None
    assert loaded.access.is_same(TOKENS.access)
    assert [path.name for path in store.path(KEY).parent.iterdir()] == [store.path(KEY).name]


@pytest.mark.process
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
        assert await store.load(source._tokens.key) is None
        await source.get_token()
        assert place.counted == {"token": 4}, "each refresh token once, though none was saved before"
        assert (await place.source(refresh, store).get_token()).text == "small-access-4", "now it is"
        assert place.counted == {"token": 4}


class OwnStore(MemoryStore):
    """A store of the user's own that is empty, and so false, and can't save."""

    def __len__(self) -> int:
        return 0

    async def save(self, key: TokenKey, tokens: TokenSet) -> None:
        raise TypeError(f"can't keep {tokens.access.text} of {key}")


async def test_a_login_goes_on_in_memory_whatever_a_store_raises(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async with identity() as place:
        source = RefreshToken(place.sign_in(), provider=place.provider, store=OwnStore())
        for _ in range(3):
            await source.get_token()
            clock.advance(3600)
        assert place.counted == {"token": 3}, "each refresh token once, though none was saved"
    assert told(caplog) == ["the login is kept in this process only: TypeError"]


class PlainStore(MemoryStore):
    """A store of the user's own whose `save` is a plain method, and does nothing."""

    def save(self, key: TokenKey, tokens: TokenSet) -> Any: ...


async def test_a_store_whose_save_is_not_async_is_told_and_loses_no_login(clock: Clock) -> None:
    async with identity() as place:
        source = RefreshToken(place.sign_in(), provider=place.provider, store=PlainStore())
        for _ in range(2):
            with pytest.raises(UsageError, match="`save` of a token store is not async"):
                await source.get_token()
            clock.advance(3600)
        assert place.counted == {"token": 2}, "the refresh token that was not saved is used"


def cancelled() -> MemoryStore:
    """Return a store in which something was cancelled, and nobody has cancelled the refresh."""

    class Cancelled(MemoryStore):
        async def save(self, key: TokenKey, tokens: TokenSet) -> None:
            raise asyncio.CancelledError

    return Cancelled()


def hiding() -> MemoryStore:
    """Return a store that can't save, and whose lock hides what is raised while it is held."""

    class Hiding(OwnStore):
        @asynccontextmanager
        async def lock(self, key: TokenKey) -> AsyncIterator[None]:
            with suppress(BaseException):
                yield

    return Hiding()


@pytest.mark.parametrize("make", [cancelled, hiding])
async def test_no_refresh_token_is_lost_in_a_store_of_one_s_own(
    clock: Clock, make: Callable[[], MemoryStore]
) -> None:
    async with identity() as place:
        source = RefreshToken(place.sign_in(), provider=place.provider, store=make())
        for _ in range(3):
            await source.get_token()
            clock.advance(3600)
        assert place.counted == {"token": 3}


@pytest.mark.parametrize("failure", [ValueError, asyncio.CancelledError])
async def test_what_a_store_raises_is_told_though_its_lock_hides_it(failure: type[BaseException]) -> None:
    store: Any = hiding()

    async def load(_key: TokenKey) -> None:
        raise failure

    store.load = load
    async with identity() as place:
        source = RefreshToken(place.sign_in(), provider=place.provider, store=store)
        with pytest.raises(TokenEndpointUnavailable, match=failure.__name__):
            await source.get_token()
        with pytest.raises(AignosticsError if failure is asyncio.CancelledError else failure):
            await logout(place.provider, store=store)


class ExpiringStore(MemoryStore):
    """A store whose lock can't be released, as one of a database that has expired meanwhile."""

    @asynccontextmanager
    async def lock(self, key: TokenKey) -> AsyncIterator[None]:
        yield
        raise LookupError("PLANTED")


async def test_a_lock_that_cant_be_released_fails_nothing(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    async with identity() as place:
        provider, store = place.provider, ExpiringStore()
        ended = TokenSet(access=Token("ended", lifetime=0), refresh=Secret(place.sign_in()))
        await store.save(provider.key, ended)
        source = StoredLogin(provider, store=store)
        for number in (1, 2):
            assert (await source.get_token()).text == f"small-access-{number}"
            clock.advance(3600)
        assert await logout(evolve(provider, revoke_url=None), store=store) == 1
    assert "can't be released: LookupError" in told(caplog)[0]
    assert "PLANTED" not in caplog.text


class UnlockedStore(MemoryStore):
    """A store whose lock excludes nobody, as where a file system has none."""

    @asynccontextmanager
    async def lock(self, key: TokenKey) -> AsyncIterator[None]:
        yield


async def test_of_processes_without_a_common_lock_each_gets_the_token_of_the_first() -> None:
    """As with one key ring and two state folders: the second finds the successor of its refresh token."""
    async with identity() as place:
        provider, store = place.provider, UnlockedStore()
        ended = TokenSet(access=Token("ended", lifetime=0), refresh=Secret(place.sign_in()))
        await store.save(provider.key, ended)
        first, second = (StoredLogin(provider, store=store) for _ in range(2))
        saved = asyncio.Event()
        place.faults.append(Fault(held=saved, status=403, body={"error": "invalid_grant"}, works=False))
        late = asyncio.create_task(second.get_token())
        await place.asked.wait()
        token = await first.get_token()
        saved.set()
        assert (await late).is_same(token)
        assert place.counted == {"token": 2}


async def test_who_signs_in_without_the_lock_is_not_replaced_by_an_older_login() -> None:
    """A login does not wait for the lock for ever, and a refresh may hold it for longer."""
    async with identity() as place:
        store = MemoryStore()
        source = RefreshToken(place.sign_in(), provider=place.provider, store=store)
        refreshed = asyncio.Event()
        place.faults.append(Fault(held=refreshed))
        refresh = asyncio.create_task(source.get_token())
        await place.asked.wait()
        newer = evolve(TOKENS, signed_in_at=time.time() + 60)
        await store.save(source._tokens.key, newer)
        refreshed.set()
        await refresh
        assert await store.load(source._tokens.key) == newer


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
    monkeypatch.setattr(_store, "_MAX_LOCK_WAIT", 0.2)
    async with identity() as place:
        store = FileStore(tmp_path)
        source = place.source(store=store)
        async with store.lock(source._tokens.key):
            with pytest.raises(TokenEndpointUnavailable, match="another process has been refreshing"):
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


async def test_a_stored_token_that_is_about_to_end_is_not_taken(tmp_path: Path) -> None:
    async with identity() as place:
        store = FileStore(tmp_path)
        ending = TokenSet(
            access=Token("ending", lifetime=29), refresh=Secret(place.sign_in()), signed_in_at=100
        )
        await store.save(place.provider.key, ending)
        # A twentieth of its life is 1.5 s, and it is older than that leaves.
        old = TokenSet(
            access=Token("ending", lifetime=1000, issued_at=time.time() - 975),
            refresh=ending.refresh,
            signed_in_at=100,
        )
        await store.save(place.provider.key, old)
        assert (await StoredLogin(place.provider, store=store).get_token()).text == "small-access-1"
        kept = await store.load(place.provider.key)
        assert kept is not None
        assert kept.signed_in_at == 100, "a refresh is no login"


async def test_a_living_login_is_found_behind_a_dead_one(tmp_path: Path) -> None:
    async with identity() as place:
        store = FileStore(tmp_path)
        alive, dead = place.provider, evolve(place.provider, client_id="other")
        ended = Token("ended", lifetime=0)
        await store.save(alive.key, TokenSet(access=ended, refresh=Secret(place.sign_in()), signed_in_at=100))
        await store.save(dead.key, TokenSet(access=ended, refresh=Secret("unknown"), signed_in_at=200))
        assert (await StoredLogin(dead, alive, store=store).get_token()).text == "small-access-1"


async def test_a_login_without_a_refresh_token_that_has_ended(tmp_path: Path) -> None:
    async with identity() as place:
        store = FileStore(tmp_path)
        await store.save(place.provider.key, TokenSet(access=Token("ended", lifetime=0)))
        with pytest.raises(LoginRequired, match=r"has ended, and it gave no refresh token; sign in with"):
            await StoredLogin(place.provider, store=store).get_token()


async def test_a_newer_login_wins_over_what_could_not_be_saved(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with identity() as place:
        store = FileStore(tmp_path)
        ended = Token("ended", lifetime=0)
        old = TokenSet(access=ended, refresh=Secret(place.sign_in()), signed_in_at=100)
        await store.save(place.provider.key, old)
        source = StoredLogin(place.provider, store=store)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", failing(errno.EROFS))
            assert (await source.get_token()).text == "small-access-1"
            clock.advance(3600)
            assert (await source.get_token()).text == "small-access-2", (
                "with what came, not with what is stored"
            )
        newer = TokenSet(
            access=Token("newer", lifetime=600), refresh=Secret(place.sign_in()), signed_in_at=200
        )
        await store.save(place.provider.key, newer)
        clock.advance(3600)
        await source.get_token()
        kept = await store.load(place.provider.key)
        assert kept is not None
        assert kept.signed_in_at == 200
        assert place.counted == {"token": 3}


async def test_a_job_does_not_undo_a_logout(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with identity() as place:
        store = FileStore(tmp_path)
        first = TokenSet(access=Token("ended", lifetime=0), refresh=Secret(place.sign_in()))
        await store.save(place.provider.key, first)
        source = StoredLogin(place.provider, store=store)
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", failing(errno.EROFS))
            await source.get_token()
        provider = evolve(place.provider, revoke_url=None)
        assert await logout(provider, store=store) == 1
        clock.advance(3600)
        await source.get_token()
        assert await store.load(place.provider.key) is None


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [(503, {}, "answered 503"), (400, {"error": "invalid_request"}, "answered 400 invalid_request")],
)
async def test_a_revocation_that_failed_is_told_as_it_is(
    store: FileStore, status: int, body: dict[str, str], told: str
) -> None:
    async with identity() as place:
        provider = evolve(place.provider, revoke_url=place.provider.token_url)
        tokens = TokenSet(access=Token("ended", lifetime=0), refresh=Secret(place.sign_in()))
        await store.save(provider.key, tokens)
        place.always = Fault(status=status, body=body, works=False)
        with pytest.raises(TokenEndpointUnavailable, match="signed out on this machine") as caught:
            await logout(provider, store=store)
        assert told in str(caught.value)
        assert "whoever has a copy can use it" in str(caught.value)
        assert "try again" not in str(caught.value)
        assert await logout(provider, store=store) == 0


async def test_a_revocation_that_failed_is_told_though_a_later_login_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class HalfBroken(MemoryStore):
        async def load(self, key: TokenKey) -> TokenSet | None:
            if key == later.key:
                raise TokenStoreError("it can't be read")
            return await super().load(key)

    async with identity() as place:
        provider = evolve(place.provider, revoke_url=place.provider.token_url)
        later, store = evolve(provider, client_id="later"), HalfBroken()
        await store.save(provider.key, TokenSet(access=Token("ended"), refresh=Secret(place.sign_in())))
        place.always = Fault(status=503, body={}, works=False)
        with pytest.raises(TokenStoreError):
            await logout(provider, later, store=store)
    (warning,) = [each for each in told(caplog) if "not revoked" in each]
    assert "answered 503" in warning


async def test_a_revocation_without_an_answer_is_told_as_it_is(store: FileStore) -> None:
    async with identity() as place:
        provider = evolve(place.provider, revoke_url=place.provider.token_url)
        await store.save(provider.key, TokenSet(access=Token("ended"), refresh=Secret(place.sign_in())))
        place.always = Fault(cut=0, works=False)
        with pytest.raises(TokenEndpointUnavailable, match=r"not revoked.*gave no answer") as caught:
            await logout(provider, store=store)
        assert "try again" not in str(caught.value)


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_token"])
async def test_a_token_that_had_ended_is_revoked(store: FileStore, error: str) -> None:
    async with identity() as place:
        provider = evolve(place.provider, revoke_url=place.provider.token_url)
        await store.save(provider.key, TokenSet(access=Token("ended"), refresh=Secret(place.sign_in())))
        place.always = Fault(status=400, body={"error": error}, works=False)
        assert await logout(provider, store=store) == 1


@pytest.mark.parametrize(
    "answer", [{"status": 429}, {"status": 503}, {"status": 400, "headers": {"Retry-After": "5"}}]
)
async def test_a_throttled_revocation_is_none(store: FileStore, answer: dict[str, Any]) -> None:
    async with identity() as place:
        provider = evolve(place.provider, revoke_url=place.provider.token_url)
        await store.save(provider.key, TokenSet(access=Token("ended"), refresh=Secret(place.sign_in())))
        place.always = Fault(**answer, body={"error": "invalid_grant"}, works=False)
        with pytest.raises(TokenEndpointUnavailable, match="not revoked"):
            await logout(provider, store=store)


async def test_where_nothing_can_be_revoked_it_is_told(
    store: FileStore, caplog: pytest.LogCaptureFixture
) -> None:
    async with identity() as place:
        provider = evolve(place.provider, revoke_url=None)
        await store.save(provider.key, TokenSet(access=Token("ended"), refresh=Secret(place.sign_in())))
        assert await logout(provider, store=store) == 1
    assert "no revoke URL is set" in caplog.text
    assert "not revoked" in caplog.text


async def test_a_logout_leaves_what_it_can_t_read(store: FileStore) -> None:
    provider = IdentityProvider(token_url="https://idp.example.com/token", client_id="client")
    await store.check()
    path = store.path(provider.key)
    path.write_text('{"version": 2}')
    assert await logout(provider, store=store) == 0
    assert path.read_text() == '{"version": 2}'


@pytest.mark.process
async def test_a_forked_child_does_not_hold_the_lock(store: FileStore) -> None:
    async with store.lock(KEY):
        child = os.fork()
        if child == 0:
            while True:  # until it is ended
                signal.pause()
    try:
        lock = _file_lock.FileLock(store.path(KEY).with_suffix(".lock"))
        assert lock.acquire()
        lock.release()
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


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


async def test_folders_above_a_private_one_are_private_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "above" / "state"))
    before = os.umask(0)
    try:
        await FileStore().check()
        await FileStore(tmp_path / "given" / "deep" / "logins").check()
        JobFolder(tmp_path / "jobs" / "2026" / "job").make()
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_dir()}
    assert modes == {0o700}
