"""The emulator as a server: one socket, one ready file, until it is told to stop."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from attrs import asdict, frozen
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from .._errors import ConfigurationError
from ._api import Api
from ._contract import InvalidRequest, answer_invalid
from ._faults import Faults
from ._oauth import CLIENT_ID, TOKEN_PATH
from ._objects import STORAGE_PATH
from ._platform import Options, Platform
from ._storage import Storage


@frozen
class Ready:
    """What a client needs to know of an emulator that is ready."""

    api_root: str
    token_url: str
    storage_root: str
    store_url: str
    client_id: str
    access_token: str
    refresh_token: str


class _Protocol(H11Protocol):
    """uvicorn's HTTP protocol, which lets a fault reach the connection of its request."""

    def connection_made(self, transport: Any) -> None:
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


async def serve(
    options: Options,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    ready_file: Path | None = None,
    static_token: str | None = None,
    on_ready: Callable[[Ready], None] | None = None,
) -> None:
    """Run an emulator until SIGINT or SIGTERM; port 0 takes a free one.

    The ready file is written once requests are taken, whole or not at all, readable by its owner only.
    """
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise ConfigurationError(f"can't listen on {host}, port {port}: {error.strerror}") from None
    platform = Platform(options)
    shown = f"[{host}]" if ":" in host else host
    platform.origin = f"http://{shown}:{listener.getsockname()[1]}"
    ready = Ready(
        api_root=platform.origin,
        token_url=platform.origin + TOKEN_PATH,
        storage_root=platform.origin + STORAGE_PATH,
        store_url=platform.origin + STORAGE_PATH,
        client_id=CLIENT_ID,
        access_token=platform.tokens.issue_access(static_token),
        refresh_token=platform.tokens.issue_refresh(),
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Any]]:
        async with AsyncExitStack() as stack:
            await platform.lifecycle.open(stack)
            # The socket listens already: who connects now waits for the first accept, and no longer.
            if ready_file is not None:
                _write_private(ready_file, json.dumps(asdict(ready), indent=2) + "\n")
            if on_ready is not None:
                on_ready(ready)
            yield {}

    config = uvicorn.Config(
        build_app(platform, lifespan),
        http=_Protocol,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    try:
        await uvicorn.Server(config).serve(sockets=[listener])
    finally:
        platform.database.close()


def build_app(platform: Platform, lifespan: Any = None) -> Faults:
    """Return the ASGI application of an emulator."""
    app = Starlette(
        routes=[*Api(platform).routes(), *Storage(platform).routes(), *platform.tokens.routes()],
        exception_handlers={InvalidRequest: answer_invalid},
        lifespan=lifespan,
    )
    faults = Faults(app, platform.tokens)
    app.router.routes.extend(faults.routes())
    return faults


def _write_private(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    part.replace(path)
