"""The emulator as a server on one socket."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from attrs import asdict, frozen
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..errors import ConfigurationError
from ._allowed_hosts import AllowedHosts
from ._api import Api
from ._buckets import Buckets
from ._conformance import Conformance
from ._control import ControlApi
from ._faults import FaultInjector
from ._oauth import CLIENT_ID, SERVICE_CLIENT_ID, TOKEN_PATH, OAuth
from ._objects import STORAGE_PATH
from ._options import EmulatorOptions
from ._pages import Pages
from ._platform import Platform
from ._request_validation import InvalidRequest, answer_invalid
from ._simulated_clock import DateHeader
from ._storage import Storage
from ._undocumented import answer_refusal


@frozen
class ConnectionInfo:
    """The addresses and credentials of a running emulator; the schema of the ready file."""

    api_root: str
    token_url: str
    storage_root: str
    store_url: str
    client_id: str
    service_client_id: str
    client_secret: str
    access_token: str
    refresh_token: str


class _Protocol(H11Protocol):
    """uvicorn's HTTP protocol, with the transport in a request's state for faults that abort it."""

    def connection_made(self, transport: Any) -> None:
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


async def serve(
    options: EmulatorOptions,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ready_file: Path | None = None,
    static_token: str | None = None,
    on_ready: Callable[[ConnectionInfo], None] | None = None,
) -> None:
    """Run an emulator until SIGINT or SIGTERM; port 0 picks a free port.

    The ready file is written atomically, for its owner only, once the emulator accepts requests. Raises
    ConfigurationError if the address, the data folder or the ready file can't be used.
    """
    _clear(ready_file)
    listener = _listen(host, port)
    platform = _platform(options, _origin(host, listener.getsockname()[1]))
    ready = ConnectionInfo(
        api_root=platform.origin,
        token_url=platform.origin + TOKEN_PATH,
        storage_root=platform.origin + STORAGE_PATH,
        store_url=platform.origin + STORAGE_PATH,
        client_id=CLIENT_ID,
        service_client_id=SERVICE_CLIENT_ID,
        client_secret=platform.client_secret,
        access_token=platform.tokens.issue_static(static_token),
        refresh_token=platform.tokens.issue(CLIENT_ID, with_refresh=True).refresh_token or "",
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            await platform.lifecycle.open(stack)
            # The socket listens already, so a client may connect at once.
            if ready_file is not None:
                _write_private(ready_file, json.dumps(asdict(ready), indent=2) + "\n")
            if on_ready is not None:
                on_ready(ready)
            yield {}

    config = uvicorn.Config(
        AllowedHosts(build_app(platform, lifespan), (host, *options.allowed_hosts)),
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
    except (OSError, OverflowError) as error:
        raise ConfigurationError(f"can't listen on {host}, port {port}: {error}") from None


def _origin(host: str, port: int) -> str:
    # A client accepts plain HTTP from this machine only, so wildcard addresses become the loopback address.
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def _platform(options: EmulatorOptions, origin: str) -> Platform:
    try:
        return Platform(options, origin)
    except (OSError, sqlite3.Error) as error:
        raise ConfigurationError(f"{options.data} can't be used as the data folder: {error}") from None


def build_app(platform: Platform, lifespan: Any = None) -> DateHeader:
    """Return the ASGI application of an emulator."""
    control = ControlApi(platform)
    parts = (Api(platform), Storage(platform), Buckets(platform), OAuth(platform), Pages(platform), control)
    app = Starlette(
        routes=[route for part in parts for route in part.routes()],
        exception_handlers={
            InvalidRequest: answer_invalid,
            HTTPException: answer_refusal,
            ClientDisconnect: _answer_nobody,
        },
        lifespan=lifespan,
    )
    # Paths must match the contract exactly.
    app.router.redirect_slashes = False
    violations = platform.options.violations
    faults = FaultInjector(app if violations is None else Conformance(app, violations), platform, control)
    app.router.routes.extend(faults.routes())
    return DateHeader(faults, platform.clock)


async def _answer_nobody(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)


def _write_private(path: Path, text: str) -> None:
    # An unpredictable name can't be a planted link; O_EXCL and the mode keep the content private.
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(part, flags, 0o600), "w") as file:
        file.write(text)
    part.replace(path)
