"""Fault injection: error answers of the platform, and failures of the network.

A rule is a JSON object. Its conditions are `operation` (a name of `_operations.py`, which holds under every
contract that has it), `contract`, `method`, `path` (a regular expression that must match the whole path, or
all of it below the root of its contract) and `query` (a mapping of parameters that must be present). `skip`
lets that many matching requests pass first; `times` limits how often the rule applies (default: always). The
first matching rule applies. Its action is one of

- `status`, with optional `headers` and `body` (a text, or a JSON value): answer that instead;
- `answer`: the name of an answer in `_canned_answers.py`, such as "quota_exceeded" or "jwt_missing";
- `drop`: "before" closes the connection and does nothing, "after" does the work and closes it unanswered;
- `late_s`: closes the connection unanswered, and does the work that many seconds later.

These combine with any action, or stand alone:

- `lag_s`: answer a read as a replica that is that many seconds behind;
- `delay_s`: wait first, in seconds of real time;
- `then`: moves (see `_control.py`) that are applied after the answer, so the next request sees their effect.

`POST /emulator/faults` takes a list of rules, replaces all earlier ones and clears the request log. If one is
malformed, it answers 422 with what is wrong, and nothing changes.
`GET /emulator/requests` returns the request log as a list of `ReceivedRequest` objects. Both need the bearer
token.
"""

from __future__ import annotations

import json
import math
import re
from collections import deque
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qs

import anyio
from attrs import asdict, define, field, setters
from attrs.validators import optional
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ._canned_answers import CANNED_ANSWERS
from ._control import CONTROL_PATH, ControlApi, status_names
from ._operations import OPERATION_NAMES, PREFIXES, find_operation, spellings
from ._request_state import KNOWN, LAG
from .platform._platform import Platform

if TYPE_CHECKING:
    from attrs import Attribute
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MAX_LOGGED = 10_000
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def _must_be(words: str, is_valid: Callable[[Any], bool]) -> Callable[[object, Attribute[Any], Any], None]:
    """Return a validator that says what a field must be."""

    def check(_rule: object, attribute: Attribute[Any], value: object) -> None:
        if not is_valid(value):
            raise ValueError(f"{attribute.name} must be {words}, not {value!r}")

    return check


def _one_of(names: Collection[str]) -> Callable[[object, Attribute[Any], Any], None]:
    return _must_be(f"one of {', '.join(names)}", lambda value: isinstance(value, str) and value in names)


def _pattern(path: str) -> re.Pattern[str]:
    try:
        return re.compile(path)
    except (TypeError, re.error, RecursionError, OverflowError):
        raise ValueError(f"path must be a regular expression, not {path!r}") from None


def _is_whole(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_seconds(value: object) -> bool:
    return type(value) in (int, float) and 0 <= value < math.inf  # type: ignore[operator]


def _maps_texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _is_header(name: str, value: str) -> bool:
    return _HEADER.fullmatch(name) is not None and _HEADER_VALUE.fullmatch(value) is not None


def _are_moves(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) and _is_move(each) for each in value)


def _is_move(move: dict[str, Any]) -> bool:
    texts = [move.get(name) for name in ("run", "reference", "status")]
    return (
        move.keys() <= {"run", "reference", "status", "delete"}
        and isinstance(move.get("run"), str)
        and all(text is None or isinstance(text, str) for text in texts)
        and move.get("status") in (None, *status_names(move.get("reference")))
        and (move.get("delete") is True or move.get("status") is not None)
    )


_COUNT = _must_be("a whole number, 0 or more", _is_whole)
_SECONDS = _must_be("a number of seconds, 0 or more", _is_seconds)
_TEXTS = _must_be("a mapping from names to texts", _maps_texts)
_HEADERS = _must_be(
    "a mapping from names of headers to texts of one line",
    lambda value: _maps_texts(value) and all(_is_header(*each) for each in value.items()),
)
_MOVES = _must_be("a list of moves, each with a run and a status or delete", _are_moves)


@define(kw_only=True, on_setattr=setters.NO_OP)
class FaultRule:
    """One rule; the module's docstring describes its fields."""

    operation: str | None = field(default=None, validator=optional(_one_of(OPERATION_NAMES)))
    contract: str | None = field(default=None, validator=optional(_one_of(PREFIXES)))
    method: str | None = field(
        default=None, validator=optional(_must_be("a text", lambda value: isinstance(value, str)))
    )
    path: re.Pattern[str] = field(default=".*", converter=_pattern)
    query: dict[str, str] = field(factory=dict, validator=_TEXTS)
    skip: int = field(default=0, validator=_COUNT)
    times: int | None = field(default=None, validator=optional(_COUNT))
    status: int | None = field(
        default=None,
        validator=optional(
            _must_be("a status from 200 to 599", lambda value: _is_whole(value) and 200 <= value <= 599)
        ),
    )
    headers: dict[str, str] = field(factory=dict, validator=_HEADERS)
    body: Any = None
    answer: str | None = field(default=None, validator=optional(_one_of(CANNED_ANSWERS)))
    drop: Literal["before", "after"] | None = field(
        default=None, validator=optional(_one_of(("before", "after")))
    )
    late_s: float | None = field(default=None, validator=optional(_SECONDS))
    lag_s: float = field(default=0.0, validator=_SECONDS)
    delay_s: float = field(default=0.0, validator=_SECONDS)
    then: list[dict[str, Any]] = field(factory=list, validator=_MOVES)

    def __attrs_post_init__(self) -> None:
        """Raise ValueError for a body that can't be encoded."""
        self.response()

    def matches(self, received: ReceivedRequest, query: dict[str, list[str]]) -> bool:
        """Return whether the rule applies to this request, and count the request if so."""
        asked = (received.operation, received.contract, received.method)
        wanted = (self.operation, self.contract, self.method)
        if any(one not in (None, other) for one, other in zip(wanted, asked, strict=True)):
            return False
        if not any(map(self.path.fullmatch, spellings(received.path))):
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

    def response(self) -> Response | None:
        """Return the injected answer, or None for a rule that injects none."""
        if self.answer is not None:
            canned = CANNED_ANSWERS[self.answer]
            return Response(canned.body, canned.status, {"content-type": canned.media_type, **self.headers})
        if self.status is None:
            return None
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        media_type = "text/html" if isinstance(self.body, str) else "application/json"
        content = "" if self.body is None else text
        return Response(content, self.status, {"content-type": media_type, **self.headers})


@define
class ReceivedRequest:
    """An entry of the request log. Times are those of the emulator's clock, in seconds since the epoch."""

    contract: str | None
    operation: str | None
    """The operation's name in `_operations.py`; None for requests that are none."""
    method: str
    path: str
    query: str
    authorized: bool
    """Whether the request carried an Authorization header."""
    body_size: int
    at: float
    status: int | None = None
    """None if no answer was sent."""
    answered_at: float | None = None


class FaultInjector:
    """The ASGI layer that logs requests and applies fault rules."""

    def __init__(self, app: ASGIApp, platform: Platform, control: ControlApi) -> None:
        self._app = app
        self._platform = platform
        self._control = control
        self._rules: list[FaultRule] = []
        self._log: deque[ReceivedRequest] = deque(maxlen=_MAX_LOGGED)

    def routes(self) -> list[Route]:
        """Return the routes that set rules and read the request log."""
        return [
            Route(f"{CONTROL_PATH}/faults", self._set_rules, methods=["POST"]),
            Route(f"{CONTROL_PATH}/requests", self._list_requests, methods=["GET"]),
        ]

    async def _set_rules(self, request: Request) -> Response:
        self._platform.tokens.require_bearer(request)
        try:
            self._rules = [FaultRule(**rule) for rule in await request.json()]
        except (TypeError, ValueError, RecursionError) as error:
            return JSONResponse({"detail": f"invalid rules: {error}"}, status_code=422)
        self._log.clear()
        return Response(status_code=204)

    async def _list_requests(self, request: Request) -> Response:
        self._platform.tokens.require_bearer(request)
        return JSONResponse([asdict(received) for received in self._log])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection event."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROL_PATH):
            await self._app(scope, receive, send)
            return
        received = self._record(scope)
        send = self._recording(received, send)
        query = parse_qs(scope["query_string"].decode())
        for rule in self._rules:
            if rule.matches(received, query):
                await self._apply(rule, scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _record(self, scope: Scope) -> ReceivedRequest:
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        received = ReceivedRequest(
            *find_operation(scope["method"], scope["path"]),
            scope["method"],
            scope["path"],
            scope["query_string"].decode(),
            b"authorization" in headers,
            int(length) if length.isdigit() else 0,
            self._platform.clock.now(),
        )
        self._log.append(received)
        return received

    def _recording(self, received: ReceivedRequest, send: Send) -> Send:
        async def record(message: Message) -> None:
            if message["type"] == "http.response.start":
                received.status, received.answered_at = message["status"], self._platform.clock.now()
            await send(message)

        return record

    async def _apply(self, rule: FaultRule, scope: Scope, receive: Receive, send: Send) -> None:
        if rule.delay_s:
            await anyio.sleep(rule.delay_s)
        scope["state"][LAG] = rule.lag_s
        await self._act(rule, scope, receive, send)
        for move in rule.then:
            self._control.move(**move)

    async def _act(self, rule: FaultRule, scope: Scope, receive: Receive, send: Send) -> None:
        response = rule.response()
        if response is not None:
            if response.status_code < 300:
                await _read_body(scope, receive)
            await response(scope, receive, send)
        elif rule.drop == "before":
            _close(scope)
        elif rule.drop == "after":
            await self._app(scope, receive, _discard)
            _close(scope)
        elif rule.late_s is not None:
            await self._postpone(rule.late_s, scope, receive)
        else:
            await self._app(scope, receive, send)

    async def _postpone(self, late_s: float, scope: Scope, receive: Receive) -> None:
        request = Request(scope, receive)
        body = await request.body()
        # The token is checked now: it may expire before the work is done.
        scope["state"][KNOWN] = self._platform.tokens.knows(request)
        self._platform.lifecycle.background(self._do_late, late_s, scope, body)
        _close(scope)

    async def _do_late(self, late_s: float, scope: Scope, body: bytes) -> None:
        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await self._platform.clock.sleep(late_s)
        await self._app(scope, receive, _discard)


async def _read_body(scope: Scope, receive: Receive) -> None:
    """Read the whole request: who answers that all is well has got all of it."""
    async for _ in Request(scope, receive).stream():
        pass


async def _discard(_message: Message) -> None:
    """Discard a message."""


def _close(scope: Scope) -> None:
    """Abort the connection, so that the client sees a reset and no answer."""
    scope["state"]["transport"].abort()
