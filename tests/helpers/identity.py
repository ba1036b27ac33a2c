"""A platform in small on a loopback socket: a token endpoint that fails as it is told, and one operation.

It counts. Refresh tokens rotate: one that is used again ends its family, as the strictest providers do it.
Nothing here waits by the clock unless a test says so.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

from attrs import define, field, frozen

from aignostics_async import IdentityProvider, MemoryStore, RefreshToken, TokenStore


class _Plain(Enum):
    """The answer that a grant gives, where nothing else is told."""

    GRANTED = "granted"


_GRANTED = _Plain.GRANTED


@frozen(kw_only=True)
class Fault:
    """What the token endpoint does in place of a plain answer."""

    status: int = 200
    body: Any = _GRANTED
    """A JSON value, bytes, or by default what the grant gives."""
    headers: dict[str, str] = field(factory=dict)
    granted: dict[str, Any] = field(factory=dict)
    """Fields of the grant's answer that are others; None leaves one out."""
    works: bool = True
    """Whether the refresh token is used up all the same."""
    cut: int | None = None
    """Close the connection after N bytes of the response; 0 sends none at all."""
    held: asyncio.Event | None = None
    """Answer when this is set."""
    drip: float | None = None
    """Seconds between two bytes."""


@define
class Identity:
    """The server's state, and what it counted."""

    lifetime: float = 3600.0
    origin: str = ""
    faults: deque[Fault] = field(factory=deque)
    always: Fault = field(factory=Fault)
    refuse_all: bool = False
    """The API answers 401 to every token."""
    counted: Counter[str] = field(factory=Counter)
    asked: asyncio.Event = field(factory=asyncio.Event)
    """Set when the token endpoint has read a request."""
    forms: list[dict[str, str]] = field(factory=list)
    """What the token endpoint was sent."""
    sent: list[str] = field(factory=list)
    """The tokens that the API was sent."""
    _access: dict[str, float] = field(factory=dict)
    _live: dict[str, str] = field(factory=dict)
    _used: dict[str, str] = field(factory=dict)
    _serving: set[asyncio.Task[None]] = field(factory=set)

    def sign_in(self) -> str:
        """Return the refresh token of a new login."""
        return self._new_refresh(f"family-{len(self._live) + len(self._used)}")

    def expire_access(self) -> None:
        """Make every access token one that the API does not know."""
        self._access.clear()

    @property
    def provider(self) -> IdentityProvider:
        return IdentityProvider.beside(f"{self.origin}/oauth/token", client_id="client")

    def source(self, refresh: str | None = None, store: TokenStore | None = None) -> RefreshToken:
        """Return a source for a refresh token, by default of a new login."""
        given = refresh or self.sign_in()
        return RefreshToken(given, provider=self.provider, store=store or MemoryStore())

    def _new_refresh(self, family: str) -> str:
        token = f"small-refresh-{family}-{sum(self.counted.values())}-{len(self._used)}"
        self._live[token] = family
        return token

    def _grant(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        # Any code will do: what is tested is how it gets here.
        return self._refresh(form["refresh_token"] if "refresh_token" in form else self.sign_in())

    def _refresh(self, refresh: str) -> tuple[int, dict[str, Any]]:
        family = self._live.pop(refresh, None)
        if family is None:
            ended = self._used.get(refresh)
            self.counted["replays" if ended else "unknown"] += 1
            self._live = {token: of for token, of in self._live.items() if of != ended}
            return 403, {"error": "invalid_grant", "error_description": f"Unknown token {refresh}"}
        self._used[refresh] = family
        access = f"small-access-{len(self._used)}"
        self._access[access] = time.monotonic() + self.lifetime
        return 200, {
            "access_token": access,
            "refresh_token": self._new_refresh(family),
            "expires_in": self.lifetime,
            "token_type": "Bearer",
        }

    # The wire

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until its end."""
        if task := asyncio.current_task():
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        try:
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *lines = head.splitlines()
        method, target, _ = request.split(" ")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        if target.startswith("/api/"):
            await _write(writer, *self._api(headers.get("authorization", "")))
            return True
        assert (method, target) == ("POST", "/oauth/token"), request
        return await self._token(
            writer, {name: values[0] for name, values in parse_qs(body.decode()).items()}
        )

    def _api(self, authorization: str) -> tuple[int, bytes, dict[str, str]]:
        self.sent.append(authorization.removeprefix("Bearer "))
        ends = self._access.get(self.sent[-1], 0.0)
        if self.refuse_all or ends <= time.monotonic():
            self.counted["401"] += 1
            return 401, b'{"detail": "Not authenticated"}', {}
        self.counted["200"] += 1
        return 200, b"[]", {}

    async def _token(self, writer: asyncio.StreamWriter, form: dict[str, str]) -> bool:
        self.counted["token"] += 1
        self.forms.append(form)
        self.asked.set()
        fault = self.faults.popleft() if self.faults else self.always
        status, granted = self._grant(form) if fault.works else (fault.status, {})
        if fault.held is not None:
            await fault.held.wait()
        if fault.body is _GRANTED:
            kept = {name: value for name, value in {**granted, **fault.granted}.items() if value is not None}
            content = json.dumps(kept).encode()
        else:
            status = fault.status
            content = fault.body if isinstance(fault.body, bytes) else json.dumps(fault.body).encode()
        await _write(writer, status, content, fault.headers, cut=fault.cut, drip=fault.drip)
        if fault.cut is not None:
            writer.transport.abort()
        return fault.cut is None


async def _write(
    writer: asyncio.StreamWriter,
    status: int,
    content: bytes,
    headers: dict[str, str],
    *,
    cut: int | None = None,
    drip: float | None = None,
) -> None:
    told = {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}
    fields = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    answer = f"HTTP/1.1 {status} Told\r\n{fields}\r\n".encode() + content
    if drip is None:
        writer.write(answer[:cut])
    else:
        for position in range(len(answer)):
            writer.write(answer[position : position + 1])
            await writer.drain()
            await asyncio.sleep(drip)
    await writer.drain()


@define
class Clock:
    """The clocks that token sources read, which a test sets forward; they run on meanwhile."""

    wall: float = 0.0
    monotonic: float = 0.0

    def namespace(self) -> SimpleNamespace:
        """Return what stands in the place of the module `time`."""
        return SimpleNamespace(
            time=lambda: time.time() + self.wall, monotonic=lambda: time.monotonic() + self.monotonic
        )

    def advance(self, seconds: float) -> None:
        """Let time pass, as it does while the machine is awake."""
        self.wall += seconds
        self.monotonic += seconds


@asynccontextmanager
async def identity(**state: Any) -> AsyncIterator[Identity]:
    """Give a platform in small on a free port."""
    place = Identity(**state)
    server = await asyncio.start_server(place.serve, "127.0.0.1", 0, backlog=4096)
    async with server:
        place.origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield place
        finally:
            for task in list(place._serving):
                task.cancel()
            if place._serving:
                await asyncio.wait(place._serving, timeout=10)
