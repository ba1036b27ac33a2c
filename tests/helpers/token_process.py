"""A program that lists the applications, signed in by what a file store keeps, for test_token_processes.py.

    python token_process.py PROGRAMS API_ROOT TOKEN_URL CLIENT_ID STORE CALLS [CRASH]

It becomes as many processes, and each says how its calls ended. CRASH is where it kills itself: `locked`,
when it holds the lock; `sending`, before the refresh token leaves; `rotated`, between the provider's answer
and saving it; `saving`, between the new file and its name.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from aignostics_async import Client, FileStore, IdentityProvider, StoredLogin
from aignostics_async.auth._endpoint import TokenEndpoint
from aignostics_async.emulator.process import IMPATIENT

CRASH_POINTS: dict[str, tuple[Any, str]] = {
    "locked": (FileStore, "load"),
    "saving": (Path, "replace"),
    "rotated": (FileStore, "save"),
    "sending": (TokenEndpoint, "refresh"),
}


def crash(*_arguments: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def main(root: str, token_url: str, client_id: str, folder: str, calls: str, point: str = "") -> None:
    provider = IdentityProvider.beside(token_url, client_id=client_id)
    source = StoredLogin(provider, store=FileStore(folder))
    if point:
        owner, name = CRASH_POINTS[point]
        setattr(owner, name, crash)
    async with Client(root, source, settings=IMPATIENT) as client:

        async def ask() -> str:
            try:
                return str(len([application async for application in client.applications.list()]))
            except Exception as error:  # noqa: BLE001 - it is told
                return type(error).__name__

        ended = dict(Counter(await asyncio.gather(*(ask() for _ in range(int(calls))))))
        os.write(sys.stdout.fileno(), f"{ended}\n".encode())  # whole, whoever else writes


if __name__ == "__main__":
    # Forked when all is imported, so that they begin together.
    children: list[int] = []
    for _ in range(int(sys.argv[1]) - 1):
        if not (child := os.fork()):
            children.clear()
            break
        children.append(child)
    asyncio.run(main(*sys.argv[2:]))
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * len(children)
