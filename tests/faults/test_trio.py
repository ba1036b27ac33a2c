"""Under trio every call works, or says that it needs asyncio; none ends in an error of Python's own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from aignostics_async import (
    AignosticsError,
    CallableToken,
    Client,
    ClientCredentials,
    FileStore,
    IdentityProvider,
    MemoryStore,
    RefreshToken,
    Slide,
    StaticToken,
    StoredLogin,
    Token,
    TokenSet,
    UsageError,
    check_contract,
    checksum_file,
    checksum_stream,
    login_browser,
    login_device,
    logout,
    read_slide,
)
from aignostics_async.bulk import BulkJob, JobObserver, inspect_slides, write_report

trio = pytest.importorskip("trio", reason="trio is not installed; the development group has it")

ROOT = "http://127.0.0.1:9"
RUN = "0b5c1f8e-6f0e-4c55-9d1f-7a3f1f2f9a10"
PROVIDER = IdentityProvider.beside(
    f"{ROOT}/oauth/token", client_id="c", client_secret="s", redirect_url="http://127.0.0.1:0/"
)
Call = Callable[[Path], Any]


async def enter(manager: Any) -> None:
    async with manager:
        pass


async def iterate(things: Any) -> None:
    async for _ in things:
        break


async def pieces() -> AsyncIterator[bytes]:
    yield b"bytes"


async def give_token() -> str:
    return "token"


def client() -> Client:
    return Client(ROOT, "token", contract="1.8")


NEED_ASYNCIO: dict[str, Call] = {
    "client": lambda _: enter(client()),
    "browser": lambda _: login_browser(PROVIDER, show=print, open_browser=None, store=MemoryStore()),
    "device": lambda _: login_device(PROVIDER, show=print, store=MemoryStore()),
    "logout": lambda _: logout(PROVIDER, store=MemoryStore()),
    "refresh": lambda _: RefreshToken("r", provider=PROVIDER).get_token(),
    "callable": lambda _: CallableToken(give_token).get_token(),
    "client credentials": lambda _: ClientCredentials(PROVIDER).get_token(),
    "stored login": lambda _: StoredLogin(PROVIDER, store=MemoryStore()).get_token(),
    "inspect": inspect_slides,
}
OTHERS: dict[str, Call] = {
    "details": lambda _: client().run(RUN).details(),
    "list": lambda _: client().runs.list().to_list(),
    "pages": lambda _: iterate(client().runs.list().pages()),
    "watch": lambda _: iterate(client().run(RUN).watch()),
    "download": lambda slide: client().run(RUN).download(slide.parent),
    "completed": lambda slide: enter(client().download_as_completed([RUN], slide.parent)),
    "put": lambda slide: client().store(f"{ROOT}/storage").put("key", slide),
    "contract": lambda _: check_contract(ROOT),
    "checksum": checksum_file,
    "stream": lambda _: checksum_stream(pieces()),
    "read": lambda slide: read_slide(Slide(slide)),
    "static": lambda _: StaticToken("t").get_token(),
    "latest": lambda slide: StoredLogin(PROVIDER, store=FileStore(slide.parent / "s")).latest(),
    "check": lambda slide: FileStore(slide.parent / "s").check(),
    "load": lambda slide: FileStore(slide.parent / "s").load(PROVIDER.key),
    "save": lambda slide: FileStore(slide.parent / "s").save(PROVIDER.key, TokenSet(access=Token("t"))),
    "lock": lambda slide: enter(FileStore(slide.parent / "s").lock(PROVIDER.key)),
    "lock in memory": lambda _: enter(MemoryStore().lock(PROVIDER.key)),
    "job": lambda slide: enter(BulkJob.open(slide.parent)),
    "observer": lambda slide: JobObserver(slide.parent).summary(),
    "report": lambda slide: write_report(slide.parent, slide.parent / "report.html"),
}


def run(call: Call, slide: Path) -> None:
    async def main() -> None:
        with trio.fail_after(30):
            await call(slide)

    trio.run(main)


@pytest.mark.parametrize("call", NEED_ASYNCIO.values(), ids=NEED_ASYNCIO)
def test_what_needs_asyncio_says_so(call: Call, slide_file: Path) -> None:
    with pytest.raises(UsageError, match="does not run on trio"):
        run(call, slide_file)


def test_a_token_that_is_about_to_end_still_serves() -> None:
    async def give() -> Token:
        return Token("t", lifetime=100, issued_at=time.time() - 90)

    source = CallableToken(give)
    token = asyncio.run(source.get_token())
    assert trio.run(source.get_token) is token, "though nothing can be begun in its place"


@pytest.mark.parametrize("call", OTHERS.values(), ids=OTHERS)
def test_whatever_else_is_called_works_or_is_typed(call: Call, slide_file: Path) -> None:
    with suppress(AignosticsError):
        run(call, slide_file)
