"""Resets: one emulator after another behind the same socket.

`POST /emulator/reset` takes an object of options (fields of `EmulatorOptions`, such as `token_lifetime`) that
differ from those of the start; null or an empty object restores these. It deletes runs, objects, logins,
fault rules and the ledger, and sets the clock to the time. Address, access token, the client's secret and the
keys of the stores stay. The answer has the schema of the ready file, with a new refresh token.
"""

from __future__ import annotations

import json
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskStatus
from attrs import asdict, evolve, frozen
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..errors import ConfigurationError
from ._app import build_app
from ._control import CONTROL_PATH
from ._operations import PREFIXES
from .identity._oauth import CLIENT_ID, SERVICE_CLIENT_ID, TOKEN_PATH
from .platform._objects import STORAGE_PATH
from .platform._platform import Platform
from .platform._token_registry import ACCESS, fresh
from .storage._buckets import GOOGLE_PATH

if TYPE_CHECKING:
    from anyio.abc import TaskGroup
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send


@frozen
class ConnectionInfo:
    """The addresses and credentials of a running emulator, as `serve` passes them to `on_ready`.

        info = json.loads(Path("ready.json").read_text())
        client = Client(info["api_roots"]["1.8"], info["access_token"], contract="1.8")

    `aignostics-async emulator --ready-file ready.json` and `serve(ready_file=...)` write them to a file once
    the emulator accepts requests: a JSON object whose keys are the names of the fields. Only the owner can
    read the file.
    """

    api_root: str
    """The API root under contract 1.0."""
    api_roots: dict[str, str]
    """The API root under each contract, by the contract's name: `"1.0"` and `"1.8"`."""
    contract: str
    """The name of the contract that was chosen at the start, or by a reset."""
    token_url: str
    """The URL of the token endpoint, for `IdentityProvider.beside`."""
    storage_root: str
    """The URL of the emulator's own store, like `store_url`."""
    store_url: str
    """The address of the emulator's own store, to pass to `runs.submit`."""
    google_root: str
    """The URL of the Google Cloud Storage API with the organization's bucket, for STORAGE_EMULATOR_HOST."""
    client_id: str
    """The id of the public client, which people sign in to and `refresh_token` belongs to."""
    service_client_id: str
    """The id of the confidential client, for `ClientCredentials`."""
    client_secret: str
    """The secret of the confidential client."""
    access_token: str
    """An access token that is valid until the emulator stops."""
    refresh_token: str
    """The refresh token of a login, for one use unless `EmulatorOptions.refresh_overlap` is set."""


class EmulatorHost:
    """The ASGI application that passes requests to the current emulator."""

    def __init__(self, platform: Platform, static_token: str | None) -> None:
        self._options = platform.options
        self._token = static_token or fresh(ACCESS)
        self._one_reset = anyio.Lock()
        self._begin(platform)

    def _begin(self, platform: Platform) -> None:
        self._platform = platform
        self._app = build_app(platform, Route(f"{CONTROL_PATH}/reset", self._reset, methods=["POST"]))
        self.ready = _ready(platform, self._token)

    async def open(self, tasks: TaskGroup) -> None:
        """Start the lifecycle of runs, in a task of the group."""
        self._tasks = tasks
        await tasks.start(self._live)

    async def close(self) -> None:
        """Stop the lifecycle of runs."""
        self._is_to_end.set()
        await self._has_ended.wait()

    async def _live(self, *, task_status: TaskStatus[None]) -> None:
        self._is_to_end, self._has_ended = anyio.Event(), anyio.Event()
        async with AsyncExitStack() as stack:
            await self._platform.lifecycle.open(stack)
            task_status.started()
            await self._is_to_end.wait()
        self._has_ended.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection event."""
        await self._app(scope, receive, send)

    async def _reset(self, request: Request) -> Response:
        self._platform.tokens.require_bearer(request)
        try:
            told = json.loads(await request.body() or "null") or {}
            if fixed := {"data", "allowed_hosts"} & set(told):
                raise ValueError(f"{', '.join(sorted(fixed))} can be set at the start only")
            options = evolve(self._options, **told)
        except (TypeError, ValueError, ConfigurationError) as error:
            return JSONResponse({"detail": f"invalid options: {error}"}, status_code=422)
        async with self._one_reset:
            await self.close()
            # A request in progress finds the same database, emptied.
            self._platform.database.clear()
            self._begin(Platform(options, self._platform.origin, self._platform.database))
            await self._tasks.start(self._live)
        return JSONResponse(asdict(self.ready))


def _ready(platform: Platform, token: str) -> ConnectionInfo:
    roots = {contract: platform.origin + prefix for contract, prefix in PREFIXES.items()}
    return ConnectionInfo(
        api_root=roots["1.0"],
        api_roots=roots,
        contract=platform.options.contract,
        token_url=platform.origin + TOKEN_PATH,
        storage_root=platform.origin + STORAGE_PATH,
        store_url=platform.origin + STORAGE_PATH,
        google_root=platform.origin + GOOGLE_PATH,
        client_id=CLIENT_ID,
        service_client_id=SERVICE_CLIENT_ID,
        client_secret=platform.client_secret,
        access_token=platform.tokens.issue_static(token),
        refresh_token=platform.tokens.issue(CLIENT_ID, with_refresh=True).refresh_token or "",
    )
