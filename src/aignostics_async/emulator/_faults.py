"""FaultInjector on order: answers that the platform may give, and ways in which a network may fail.

A rule is a JSON object. Its conditions are `method`, `path` (a regular expression that matches the whole
path) and `query` (values that must be there); `skip` lets so many matching requests pass first, and `times`
says how often it matches (absent: always). The first rule that matches matches. Its action is one of

- `status`, with optional `headers` and `body` (a text, or a JSON value): answer that instead;
- `drop`: "before" closes the connection and does nothing, "after" does the work and closes it unanswered;
- `late_s`: closes the connection unanswered, and does the work so many seconds later.

With any of them, or alone:

- `lag_s`: a read is answered as a replica would that is so many seconds behind;
- `delay_s`: wait first, in seconds of the machine;
- `then`: moves (see `_control.py`) that are made once the answer is out, so that the next request meets them.

`POST /emulator/faults` takes a list of rules in place of those there were; `GET /emulator/requests` lists
what was asked since then, when, and how and when it was answered. Both need the bearer token.
"""

from __future__ import annotations

import json
import re
from collections import deque
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs

import anyio
from attrs import asdict, define, field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ._control import CONTROL_PATH
from ._token_registry import KNOWN

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from ._control import ControlApi
    from ._platform import Platform

LAG = "lag_s"
"""The attribute of a request's state that says how far behind its answer is to be."""
_REMEMBERED = 10_000


@define(kw_only=True)
class FaultRule:
    """One fault; see the module."""

    method: str | None = None
    path: re.Pattern[str] = field(default=".*", converter=re.compile)
    query: dict[str, str] = field(factory=dict)
    skip: int = 0
    times: int | None = None
    status: int | None = None
    headers: dict[str, str] = field(factory=dict)
    body: Any = None
    drop: Literal["before", "after"] | None = None
    late_s: float | None = None
    lag_s: float = 0.0
    delay_s: float = 0.0
    then: list[dict[str, Any]] = field(factory=list)

    def matches(self, method: str, path: str, query: dict[str, list[str]]) -> bool:
        """Whether the rule takes this request; counts it if so."""
        if self.method not in (None, method) or not self.path.fullmatch(path):
            return False
        if any(value not in query.get(name, []) for name, value in self.query.items()):
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


@define
class ReceivedRequest:
    """A request that came, when, and how and when it was answered; times are those of the clock."""

    method: str
    path: str
    query: str
    authorized: bool
    body_size: int
    at: float
    status: int | None = None
    """None for a request whose answer, if there was one, did not leave."""
    answered_at: float | None = None


class FaultInjector:
    """The ASGI layer that keeps the ledger of requests and matches where a rule says so."""

    def __init__(self, app: ASGIApp, platform: Platform, control: ControlApi) -> None:
        self._app = app
        self._platform = platform
        self._control = control
        self._rules: list[FaultRule] = []
        self._asked: deque[ReceivedRequest] = deque(maxlen=_REMEMBERED)

    def routes(self) -> list[Route]:
        """Return the routes that set rules and read the ledger."""
        return [
            Route(f"{CONTROL_PATH}/faults", self._set_rules, methods=["POST"]),
            Route(f"{CONTROL_PATH}/requests", self._ledger, methods=["GET"]),
        ]

    async def _set_rules(self, request: Request) -> Response:
        self._platform.tokens.require_bearer(request)
        try:
            self._rules = [FaultRule(**rule) for rule in await request.json()]
        except (TypeError, ValueError, RecursionError, re.error) as error:
            return JSONResponse({"detail": f"these are no rules: {error}"}, status_code=422)
        self._asked.clear()
        return Response(status_code=204)

    async def _ledger(self, request: Request) -> Response:
        self._platform.tokens.require_bearer(request)
        return JSONResponse([asdict(asked) for asked in self._asked])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection event."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL_PATH):
            await self._app(scope, receive, send)
            return
        send = self._answering(self._remember(scope), send)
        query = parse_qs(scope["query_string"].decode())
        for rule in self._rules:
            if rule.matches(scope["method"], scope["path"], query):
                await self._apply(rule, scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _remember(self, scope: Scope) -> ReceivedRequest:
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        asked = ReceivedRequest(
            scope["method"],
            scope["path"],
            scope["query_string"].decode(),
            b"authorization" in headers,
            int(length) if length.isdigit() else 0,
            self._platform.clock.now(),
        )
        self._asked.append(asked)
        return asked

    def _answering(self, asked: ReceivedRequest, send: Send) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                asked.status, asked.answered_at = message["status"], self._platform.clock.now()
            await send(message)

        return answer

    async def _apply(self, rule: FaultRule, scope: Scope, receive: Receive, send: Send) -> None:
        if rule.delay_s:
            await anyio.sleep(rule.delay_s)
        scope["state"][LAG] = rule.lag_s
        await self._act(rule, scope, receive, send)
        for move in rule.then:
            self._control.move(**move)

    async def _act(self, rule: FaultRule, scope: Scope, receive: Receive, send: Send) -> None:
        if rule.status is not None:
            text = rule.body if isinstance(rule.body, str) else json.dumps(rule.body)
            content = "" if rule.body is None else text
            kind = "text/html" if isinstance(rule.body, str) else "application/json"
            answer = Response(content, rule.status, {"content-type": kind, **rule.headers})
            await answer(scope, receive, send)
        elif rule.drop == "before":
            _close(scope)
        elif rule.drop == "after":
            await self._app(scope, receive, _nowhere)
            _close(scope)
        elif rule.late_s is not None:
            request = Request(scope, receive)
            body = await request.body()
            # Its token counts as it was when the request came.
            scope["state"][KNOWN] = self._platform.tokens.knows(request)
            self._platform.lifecycle.background(self._do_late, rule.late_s, scope, body)
            _close(scope)
        else:
            await self._app(scope, receive, send)

    async def _do_late(self, late_s: float, scope: Scope, body: bytes) -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await self._platform.clock.sleep(late_s)
        await self._app(scope, receive, _nowhere)


async def _nowhere(_message: Message) -> None:
    """Take a message and send nothing."""


def _close(scope: Scope) -> None:
    """Cut the connection, so that the client sees a reset and no answer."""
    scope["state"]["transport"].abort()
