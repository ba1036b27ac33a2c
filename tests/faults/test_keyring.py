"""Logins in the operating system's key ring: only what it takes, and never elsewhere."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from identity import Clock, identity
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked, PasswordDeleteError

from aignostics_async import (
    FileStore,
    KeyringStore,
    MemoryStore,
    StoredLogin,
    Token,
    TokenKey,
    TokenSet,
    TokenStoreError,
    login_browser,
)
from aignostics_async._core._secret import Secret
from aignostics_async.auth import _keyring_store

KEY = TokenKey("https://idp.example.com", "client")


class Ring(KeyringBackend):
    """A key ring that keeps what it is given in memory, with the limit of the one of Windows."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.longest = 1280
        self.cut = 1280

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        assert len(password) <= self.longest
        self.kept[service, username] = password[: self.cut]

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("not found")


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Ring]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    previous = keyring.get_keyring()
    ring = Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(previous)


async def test_a_refresh_token_is_kept_and_nothing_else(ring: Ring, tmp_path: Path) -> None:
    store = KeyringStore()
    await store.check()
    tokens = TokenSet(
        access=Token("PLANTED-access" + "x" * 2000, lifetime=600), refresh=Secret("PLANTED-refresh")
    )
    async with store.lock(KEY):
        await store.save(KEY, tokens)
    (kept,) = ring.kept.values()
    assert "PLANTED-refresh" in kept
    assert "PLANTED-access" not in kept
    loaded = await store.load(KEY)
    assert loaded is not None
    assert loaded.refresh == tokens.refresh
    assert loaded.signed_in_at == tokens.signed_in_at
    assert loaded.access.seconds_left <= 0
    await store.delete(KEY)
    await store.delete(KEY)
    assert await store.load(KEY) is None
    assert not [path for path in tmp_path.rglob("*.json") if path.is_file()], "no file beside it"


async def test_each_process_refreshes_once(ring: Ring, clock: Clock) -> None:
    async with identity() as place:
        provider = place.provider
        first = TokenSet(access=Token("ended", lifetime=0), refresh=Secret(place.sign_in()))
        await KeyringStore().save(provider.key, first)
        for number in (1, 2):
            source = StoredLogin(provider, store=KeyringStore())
            assert (await source.get_token()).text == f"small-access-{number}"
            assert (await source.get_token()).text == f"small-access-{number}"
        assert place.counted == {"token": 2}, "and each refresh token was used once"


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "{",
        "null",
        '{"version": 2, "refresh_token": "PLANTED", "signed_in_at": 1}',
        '{"version": 1, "refresh_token": "", "signed_in_at": 1}',
        '{"version": 1, "refresh_token": "PLANTED", "signed_in_at": 1e300}',
    ],
)
async def test_an_entry_of_somebody_else_is_not_used_and_kept(ring: Ring, entry: str) -> None:
    ring.kept["aignostics-async", KEY.digest] = entry
    store = KeyringStore()
    assert await store.load(KEY) is None
    assert ring.kept["aignostics-async", KEY.digest] == entry
    await store.save(KEY, TokenSet(access=Token("a"), refresh=Secret("PLANTED")))
    assert await store.load(KEY) is not None
    assert ring.kept["aignostics-async", f"{KEY.digest}.unusable"] == entry


async def test_a_login_without_a_refresh_token_is_not_for_a_key_ring(ring: Ring) -> None:
    with pytest.raises(TokenStoreError, match="keeps refresh tokens"):
        await KeyringStore().save(KEY, TokenSet(access=Token("a")))


async def test_there_is_none(ring: Ring) -> None:
    """Found before anybody signs in, and nothing falls back to a file."""
    keyring.set_keyring(NoKeyring())  # type: ignore[no-untyped-call]
    async with identity() as place:
        with pytest.raises(TokenStoreError, match="NoKeyringError"):
            await login_browser(place.provider, show=_never, store=KeyringStore())


def _never(_address: str) -> None:
    raise AssertionError("nobody was to be asked")


async def test_it_stays_locked(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: str) -> None:
        raise KeyringLocked("PLANTED")

    monkeypatch.setattr(ring, "set_password", locked)
    with pytest.raises(TokenStoreError, match="KeyringLocked"):
        await KeyringStore().check()


async def test_it_hangs(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(ring, "get_password", lambda *_: release.wait(30))
    monkeypatch.setattr(_keyring_store, "_SECONDS", 0.1)
    with pytest.raises(TokenStoreError, match="no answer within"):
        await KeyringStore().load(KEY)
    release.set()


class DBusErrorResponse(Exception):
    """What a backend raises that knows nothing of the key ring's own errors."""


@pytest.mark.parametrize("failure", [DBusErrorResponse, AttributeError, AssertionError, ValueError])
@pytest.mark.parametrize("verb", ["set_password", "get_password", "delete_password"])
async def test_a_backend_has_errors_of_its_own(
    ring: Ring, monkeypatch: pytest.MonkeyPatch, verb: str, failure: type[Exception]
) -> None:
    def fail(*_: str) -> None:
        raise failure("PLANTED")

    monkeypatch.setattr(ring, verb, fail)
    with pytest.raises(TokenStoreError, match=failure.__name__) as caught:
        await KeyringStore().check()
    assert "PLANTED" not in repr((caught.value, caught.value.__cause__, caught.value.__context__))


class Panic(BaseException):
    """What a library in Rust raises, which is no Exception."""


@pytest.mark.parametrize(
    "failure", [Panic, SystemExit, KeyboardInterrupt, GeneratorExit, StopIteration, asyncio.CancelledError]
)
async def test_nothing_that_a_backend_raises_ends_the_caller(
    ring: Ring, monkeypatch: pytest.MonkeyPatch, failure: type[BaseException]
) -> None:
    def fail(*_: str) -> None:
        raise failure

    monkeypatch.setattr(ring, "get_password", fail)
    with pytest.raises(TokenStoreError, match=failure.__name__):
        await KeyringStore().load(KEY)


@pytest.mark.parametrize("entry", [5, b"{}", ["PLANTED"], object()])
async def test_what_is_no_text_is_refused(ring: Ring, monkeypatch: pytest.MonkeyPatch, entry: object) -> None:
    store, tokens = KeyringStore(), TokenSet(access=Token("a"), refresh=Secret("PLANTED"))
    monkeypatch.setattr(ring, "get_password", lambda *_: entry)
    for use in (store.check(), store.load(KEY), store.save(KEY, tokens), store.delete(KEY)):
        with pytest.raises(TokenStoreError, match="no text") as caught:
            await use
        assert "PLANTED" not in repr((caught.value, caught.value.__cause__, caught.value.__context__))


async def test_a_probe_is_as_long_as_a_token(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a login is lost after somebody signed in."""
    monkeypatch.setattr(ring, "longest", 1000)
    with pytest.raises(TokenStoreError, match="AssertionError"):
        await KeyringStore().check()
    assert ring.kept == {}


async def test_a_key_ring_that_cuts_is_found(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "cut", 1000)
    with pytest.raises(TokenStoreError, match=r"does not keep an entry of 1,024 characters"):
        await KeyringStore().check()
    tokens = TokenSet(access=Token("a"), refresh=Secret("PLANTED" + "x" * 1000))
    with pytest.raises(TokenStoreError, match="does not keep"):
        await KeyringStore().save(KEY, tokens)
    assert ring.kept == {}, "half a token would be sent"


async def test_what_was_not_deleted_is_told(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    await KeyringStore().save(KEY, TokenSet(access=Token("a"), refresh=Secret("PLANTED")))

    def refuse(*_: str) -> None:
        raise PasswordDeleteError("no")

    monkeypatch.setattr(ring, "delete_password", refuse)
    with pytest.raises(TokenStoreError, match="delete it by hand"):
        await KeyringStore().delete(KEY)


async def test_a_late_write_overwrites_no_newer_one(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    release, written = threading.Event(), threading.Semaphore(0)
    write = Ring.set_password

    def hang(service: str, username: str, password: str) -> None:
        if "PLANTED-1" in password:
            release.wait(30)
        write(ring, service, username, password)
        written.release()

    monkeypatch.setattr(ring, "set_password", hang)
    monkeypatch.setattr(_keyring_store, "_SECONDS", 0.1)
    store = KeyringStore()
    for number in (1, 2):
        with pytest.raises(TokenStoreError, match="no answer within"):
            await store.save(KEY, TokenSet(access=Token("a"), refresh=Secret(f"PLANTED-{number}")))
    release.set()
    assert written.acquire(timeout=30)
    monkeypatch.undo()
    loaded = await store.load(KEY)
    assert loaded is not None
    assert loaded.refresh == Secret("PLANTED-1"), "the second was refused, not overtaken"


async def test_it_forgets(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "get_password", lambda *_: None)
    with pytest.raises(TokenStoreError, match="does not keep an entry"):
        await KeyringStore().check()


def test_stores_show_no_secret() -> None:
    assert [repr(MemoryStore()), repr(FileStore("a"))] == ["MemoryStore()", "FileStore('a')"]
