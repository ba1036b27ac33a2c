"""The emulator as a server on one socket."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import uvicorn
from attrs import asdict, frozen
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from .._core._atomic_file import atomic_file
from .._core._file_lock import FileLock, LocksUnsupported
from ..errors import ConfigurationError
from ._allowed_hosts import AllowedHosts
from ._host import ConnectionInfo, EmulatorHost
from ._options import EmulatorOptions
from .platform._platform import Platform

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class _Protocol(H11Protocol):
    """uvicorn's HTTP protocol, with the transport in a request's state for faults that abort it."""

    def connection_made(self, transport: Any) -> None:
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


@frozen
class _Application:
    """Routes lifespan events to one application and requests to another."""

    emulators: EmulatorHost
    lifespan: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.lifespan if scope["type"] == "lifespan" else self.emulators)(scope, receive, send)


async def serve(
    options: EmulatorOptions,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ready_file: Path | None = None,
    static_token: str | None = None,
    on_ready: Callable[[ConnectionInfo], None] | None = None,
) -> None:
    """Run an emulator until SIGINT or SIGTERM.

        await serve(EmulatorOptions(data=Path("emulator-data")), port=8000, on_ready=print)

    It listens on `host` (127.0.0.1 by default) and `port`; 0, the default, picks a free port. `static_token`
    is the access token to accept, by default a new one. Once the emulator accepts requests, `on_ready` is
    called with its `ConnectionInfo`, and the `ready_file`, if one is passed, is written atomically with the
    same as JSON, readable by its owner only. It is for development, not for an open network.

    Raises ConfigurationError if the address, the data folder or the ready file can't be used, or another
    emulator uses the folder: two of them would change each other's tokens and runs.
    """
    with _locked(options.data):
        await _serve(options, host, port, ready_file=ready_file, static_token=static_token, on_ready=on_ready)


async def _serve(
    options: EmulatorOptions,
    host: str,
    port: int,
    *,
    ready_file: Path | None,
    static_token: str | None,
    on_ready: Callable[[ConnectionInfo], None] | None,
) -> None:
    _clear(ready_file)
    listener = _listen(host, port)
    platform = _platform(options, _origin(host, listener.getsockname()[1]))
    emulators = EmulatorHost(platform, static_token)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Any]]:
        async with anyio.create_task_group() as tasks:
            await emulators.open(tasks)
            # The socket listens already, so a client may connect at once.
            if ready_file is not None:
                with atomic_file(ready_file) as file:
                    file.write(f"{json.dumps(asdict(emulators.ready), indent=2)}\n".encode())
            if on_ready is not None:
                on_ready(emulators.ready)
            yield {}
            await emulators.close()

    config = uvicorn.Config(
        AllowedHosts(_Application(emulators, Starlette(lifespan=lifespan)), (host, *options.allowed_hosts)),
        http=_Protocol,
        log_level="warning",
        access_log=False,
        date_header=False,  # DateHeader sends the emulator's time
        timeout_graceful_shutdown=2,
    )
    try:
        await uvicorn.Server(config).serve(sockets=[listener])
    finally:
        platform.database.close()


def _clear(ready_file: Path | None) -> None:
    """Delete the ready file of an earlier start, so that no one reads it in place of the new one."""
    try:
        if ready_file is not None:
            ready_file.unlink(missing_ok=True)
            if not os.access(ready_file.parent, os.W_OK):
                raise ConfigurationError(f"{ready_file.parent} is not a writable folder for the ready file")
    except OSError as error:
        raise ConfigurationError(f"the ready file can't be written: {error}") from None


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((host, port), family=family)
        # Accepted sockets inherit it. asyncio sets it only on sockets that it creates; without it, the second
        # segment of an answer waits 40 ms for the acknowledgement of the first.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except (OSError, OverflowError, UnicodeError) as error:  # the last one for a host that is no name
        raise ConfigurationError(f"can't listen on {host}, port {port}: {error}") from None


def _origin(host: str, port: int) -> str:
    # A client accepts plain HTTP from this machine only, so wildcard addresses become the loopback address.
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / "lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_free = lock.acquire()
    except LocksUnsupported:
        is_free = True
    except OSError as error:
        raise ConfigurationError(f"{folder} can't be used as the data folder: {error}") from None
    if not is_free:
        raise ConfigurationError(
            f"an emulator is running on {folder}; stop it, or choose another data folder"
        )
    try:
        yield
    finally:
        lock.release()


def _platform(options: EmulatorOptions, origin: str) -> Platform:
    try:
        return Platform(options, origin)
    except (OSError, sqlite3.Error) as error:
        raise ConfigurationError(f"{options.data} can't be used as the data folder: {error}") from None
