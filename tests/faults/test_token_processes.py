"""Several processes and one login in a file: one refresh for all, and nothing corrupt when one is killed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import token_process
from identity import Clock, identity
from support import count

from aignostics_async import FileStore, IdentityProvider, LoginRequired, StoredLogin, Token, TokenSet
from aignostics_async._core._secret import Secret
from aignostics_async.emulator.process import Emulator


class Login:
    """A login at an emulator, kept in a folder with an access token that has ended."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.emulator = emulator
        self.provider = IdentityProvider.beside(emulator.token_url, client_id=emulator.client_id)
        self.folder = folder
        self.store = FileStore(folder)

    async def make(self) -> None:
        """Sign in, in place of any login before."""
        ended = Token("ended", lifetime=0)
        await self.store.save(
            self.provider.key, TokenSet(access=ended, refresh=Secret(self.emulator.sign_in()))
        )

    def run(self, programs: int, calls: int, *crash: str) -> tuple[int, str]:
        """Run N programs that begin together; return the exit status and what was written."""
        command = [sys.executable, token_process.__file__, str(programs), self.emulator.api_root]
        command += [self.emulator.token_url, self.emulator.client_id, str(self.folder), str(calls), *crash]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, timeout=110)
        return done.returncode, done.stdout

    def crash(self, point: str) -> None:
        """Run a program that is killed at a point."""
        assert self.run(1, 20, point) == (-9, "")

    def use(self, calls: int = 20) -> dict[str, int]:
        """Run a program to its end, and return how its calls ended."""
        return self.use_at_once(1, calls=calls)[0]

    def use_at_once(self, programs: int, *, calls: int) -> list[dict[str, int]]:
        """Run N programs that begin together, and return how their calls ended."""
        status, told = self.run(programs, calls)
        assert status == 0
        return [ast.literal_eval(each) for each in told.splitlines()]

    @property
    def refreshes(self) -> int:
        return count(self.emulator, method="POST", path="/oauth/token")


@pytest.fixture
async def login(emulator: Emulator, tmp_path: Path) -> Login:
    login = Login(emulator, tmp_path / "auth")
    await login.make()
    return login


@pytest.fixture
def lenient(emulator: Emulator) -> Emulator:
    """Give an emulator that forgives a refresh token whose answer was lost."""
    emulator.reset(refresh_overlap=3600)
    return emulator


async def test_eight_processes_with_one_expired_file_refresh_once(login: Login) -> None:
    assert login.use_at_once(8, calls=50) == [{"2": 50}] * 8
    assert login.refreshes == 1
    assert count(login.emulator, operation="list_applications") == 400


async def test_processes_with_a_refused_login_ask_once_each(login: Login) -> None:
    key = login.provider.key
    await login.store.save(key, TokenSet(access=Token("ended", lifetime=0), refresh=Secret("unknown")))
    assert login.use_at_once(3, calls=50) == [{"LoginRequired": 50}] * 3
    assert login.refreshes == 3


@pytest.mark.sampled(test=1)
@pytest.mark.parametrize("point", ["locked", "sending"])
async def test_killed_before_anything_is_sent(login: Login, point: str) -> None:
    """With the lock held; the system frees it."""
    login.crash(point)
    assert login.refreshes == 0
    assert login.use() == {"2": 20}
    assert login.refreshes == 1


@pytest.mark.sampled(test=1)
@pytest.mark.parametrize("point", ["saving", "rotated"])
async def test_killed_after_the_rotation_the_next_one_carries_on(
    lenient: Emulator, tmp_path: Path, point: str
) -> None:
    login = Login(lenient, tmp_path / "auth")
    await login.make()
    login.crash(point)
    assert login.refreshes == 1
    assert login.use() == {"2": 20}
    assert login.refreshes == 2
    assert sorted(path.suffix for path in login.folder.iterdir()) == [".json", ".lock"], (
        "nothing half written"
    )


@pytest.mark.sampled(test=1)
@pytest.mark.parametrize("point", ["saving", "rotated"])
async def test_killed_after_the_rotation_of_a_strict_provider_the_next_one_signs_in(
    login: Login, point: str
) -> None:
    login.crash(point)
    assert await login.store.load(login.provider.key) is not None, "what was there is still whole"
    assert login.use() == {"LoginRequired": 20}
    assert login.refreshes == 2
    await login.make()
    assert login.use() == {"2": 20}
    assert sorted(path.suffix for path in login.folder.iterdir()) == [".json", ".lock"], (
        "nothing half written"
    )


async def test_a_login_in_one_process_heals_another(clock: Clock, tmp_path: Path) -> None:
    async with identity() as place:
        store = FileStore(tmp_path)
        source = StoredLogin(place.provider, store=store)
        with pytest.raises(LoginRequired):
            await source.get_token()
        await store.save(place.provider.key, TokenSet(access=Token("from-elsewhere", lifetime=600)))
        clock.advance(1)
        assert (await source.get_token()).text == "from-elsewhere"
        assert not place.counted


async def test_what_another_process_renewed_is_taken_over(clock: Clock, tmp_path: Path) -> None:
    async with identity() as place:
        refresh = place.sign_in()
        one, other = (place.source(refresh, FileStore(tmp_path)) for _ in range(2))
        for round_ in range(1, 6):
            texts = {(await source.get_token()).text for source in (one, other)}
            assert texts == {f"small-access-{round_}"}
            one, other = other, one
            clock.advance(3600)
        assert place.counted == {"token": 5}
