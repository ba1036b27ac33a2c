"""Token refresh under load, counted by the server: this client and authlib's httpx client, on real sockets.

    python -m benchmarks.auth [--calls 5000]

Every case has a platform of its own with rotating refresh tokens. A refresh token that comes twice counts
as a replay and ends the login. `token` is the number of requests to the token endpoint, `answers` the
number of API calls answered with 200.
"""

from __future__ import annotations

import ast
import asyncio
import logging
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.figures import ROOT, Results, Target, parser_of, recording

sys.path.insert(0, str(ROOT / "tests/helpers"))

import token_process
from identity import Fault, Identity, identity

from aignostics_async import Client, FileStore, IdentityProvider, Token, TokenSet
from aignostics_async._core._secret import Secret
from aignostics_async.emulator.process import IMPATIENT, Emulator

Call = Callable[[], Awaitable[object]]
Row = tuple[str, str, str, str, str, str]


class Ours:
    """A client of this project."""

    name = "ours"

    def __init__(self, place: Identity) -> None:
        self._source = place.source()
        self._client = Client(place.origin, self._source, settings=IMPATIENT, contract="1.0")
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Call:
        await self._stack.enter_async_context(self._client)

        async def call() -> None:
            async for _ in self._client.applications.list():
                pass

        return call

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()


class Authlib:
    """The usual alternative, configured as its documentation shows, with as many connections."""

    name = "authlib"

    def __init__(self, place: Identity) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of the httpx that it is built on
            from authlib.integrations.httpx_client import AsyncOAuth2Client

        expired = {
            "access_token": "ended",
            "refresh_token": place.sign_in(),
            "expires_at": 1,
            "token_type": "Bearer",
        }
        self._client = AsyncOAuth2Client(
            "client",
            token=expired,
            token_endpoint=f"{place.origin}/oauth/token",
            token_endpoint_auth_method="none",
            timeout=60,
        )
        self._url = f"{place.origin}/api/v1/applications"
        self._gate = asyncio.Semaphore(8)

    async def __aenter__(self) -> Call:
        async def call() -> None:
            async with self._gate:
                answer = await self._client.get(self._url)
            answer.raise_for_status()

        return call

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()


async def many(call: Call, calls: int) -> Counter[str]:
    ended = await asyncio.gather(*(call() for _ in range(calls)), return_exceptions=True)
    return Counter(type(each).__name__ for each in ended if each is not None)


async def measure(
    title: str, kind: type[Any], case: Callable[[Identity, Call], Awaitable[str]], **state: Any
) -> Row:
    async with identity(**state) as place, kind(place) as call:
        begin = time.perf_counter()
        outcome = await case(place, call)
        took = time.perf_counter() - begin
        counted = place.counted
        return (
            title,
            kind.name,
            str(counted["token"]),
            str(counted["replays"]),
            str(counted["200"]),
            f"{outcome} {took:.1f} s",
        )


def cases(calls: int) -> dict[str, tuple[Callable[[Identity, Call], Awaitable[str]], dict[str, Any]]]:
    """Return the cases: a description, and the state of the platform."""

    async def expired(_place: Identity, call: Call) -> str:
        return described(await many(call, calls))

    async def forgotten(place: Identity, call: Call) -> str:
        await call()
        place.expire_access()
        place.counted.clear()
        return described(await many(call, calls))

    async def down(_place: Identity, call: Call) -> str:
        return described(await many(call, 500))

    async def cancelled(place: Identity, call: Call) -> str:
        held = asyncio.Event()
        place.faults.append(Fault(held=held))
        first = asyncio.ensure_future(call())
        await place.asked.wait()
        first.cancel()
        await asyncio.wait([first])
        held.set()
        return described(await many(call, 1))

    def living(seconds: float) -> Callable[[Identity, Call], Awaitable[str]]:
        async def live(_place: Identity, call: Call) -> str:
            end = time.monotonic() + seconds
            outcomes: Counter[str] = Counter()
            while time.monotonic() < end:
                outcomes += await many(call, 20)
            return described(outcomes)

        return live

    unavailable = Fault(status=503, body=b"", works=False)
    return {
        f"{calls:,} calls, the token has ended": (expired, {}),
        f"{calls:,} calls, the API forgot the token": (forgotten, {}),
        "500 calls, the token endpoint is down": (down, {"always": unavailable}),
        "the caller is cancelled in a refresh, then 1 call": (cancelled, {}),
        "tokens live 1 s, calls for 5 s": (living(5), {"lifetime": 1.0}),
        "tokens live 30 s, calls for 65 s": (living(65), {"lifetime": 30.0}),
    }


def described(failures: Counter[str]) -> str:
    return ", ".join(f"{count} x {name}" for name, count in failures.items()) or "no failure"


async def rejected_at_once(calls: int) -> Row:
    """Let N callers hold the same token, which the server has just rejected for all of them."""
    async with identity() as place:
        source = place.source()
        token = await source.get_token()
        place.counted.clear()
        renewed = await asyncio.gather(*(source.get_token(rejected=token) for _ in range(calls)))
        texts = {each.text for each in renewed}
        title = f"{calls:,} holders of one rejected token"
        return title, "ours", str(place.counted["token"]), "0", "-", f"{len(texts)} new token for all"


async def processes(programs: int, calls: int) -> Row:
    """Let several processes share a login in a file; its access token has expired."""
    with tempfile.TemporaryDirectory() as scratch, Emulator(Path(scratch, "emulator")) as emulator:
        provider = IdentityProvider.beside(emulator.token_url, client_id=emulator.client_id)
        store = FileStore(Path(scratch, "auth"))
        ended = Token("ended", lifetime=0)
        await store.save(provider.key, TokenSet(access=ended, refresh=Secret(emulator.sign_in())))
        emulator.set_faults()
        arguments = [emulator.api_root, emulator.token_url, emulator.client_id, str(Path(scratch, "auth"))]
        command = [sys.executable, token_process.__file__, str(programs), *arguments, str(calls)]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
        told = [ast.literal_eval(line) for line in done.stdout.splitlines()]
        asked = Counter(each["path"] for each in emulator.requests())
        title = f"{programs} processes of {calls} calls, one file"
        answers = sum(count for each in told for ended, count in each.items() if ended.isdecimal())
        return (
            title,
            "ours",
            str(asked["/oauth/token"]),
            "0",
            str(answers),
            "no failure" if answers == programs * calls else str(told),
        )


async def main(calls: int, results: Results) -> None:
    rows = [
        await measure(title, kind, case, **state)
        for title, (case, state) in cases(calls).items()
        for kind in (Ours, Authlib)
    ]
    rows += [await rejected_at_once(calls), await processes(8, 50)]
    table = Table("case", "client", "token", "replays", "answers", "how it ended")
    for row in rows:
        table.add_row(*row)
    Console(width=150).print(table)
    for title, of_rows in groupby(rows, key=itemgetter(0)):
        results.row(title)
        for _, client, refreshes, replays, *_ in of_rows:
            is_ours, lives_on = client == Ours.name, title.startswith("tokens live")
            one, none = (Target(at_most=most) if is_ours else None for most in (1, 0))
            results.add(f"refreshes, {client}", int(refreshes), target=None if lives_on else one)
            results.add(f"replays, {client}", int(replays), target=none)


if __name__ == "__main__":
    logging.disable(logging.WARNING)  # what goes wrong here goes wrong on purpose
    parser = parser_of(__doc__)
    parser.add_argument("--calls", type=int, default=5000)
    arguments = parser.parse_args()
    with recording("auth", arguments.json) as results:
        asyncio.run(main(arguments.calls, results))
