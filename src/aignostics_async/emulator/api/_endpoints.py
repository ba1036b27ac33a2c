"""The ASGI application of one contract: its operations, its document, and the health of the platform."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .._operations import API_PATH, OPERATIONS
from .._request_state import LAG
from ._contract import DOCUMENT_PATH, document_bytes
from ._request_validation import InvalidRequest, RequestValidator, answer_invalid
from ._undocumented import RefusalHandler

if TYPE_CHECKING:
    from ..platform._platform import Platform

Handler = Callable[[dict[str, Any]], Response]
"""Answers a request whose parameters are checked. `at` is the moment to look at, `body` the JSON body."""


class Translation(Protocol):
    """One contract's requests and answers, in terms of the emulator's core."""

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each operation, by its name in `_operations`."""

    def authenticate(self, request: Request) -> None:
        """Raise HTTPException unless a request has a valid token."""


def contract_app(contract: str, translation: Translation, platform: Platform) -> Starlette:
    """Return the application that serves a contract at its root."""
    app = Starlette(
        routes=_Endpoints(contract, translation, platform).routes(),
        exception_handlers={
            InvalidRequest: answer_invalid,
            HTTPException: RefusalHandler(contract),
            ClientDisconnect: answer_nobody,
        },
    )
    # Paths must match the contract exactly.
    app.router.redirect_slashes = False
    return app


async def answer_nobody(_request: Request, _error: Exception) -> Response:
    """Return an answer for a client that has gone."""
    return Response(status_code=400)


class _Endpoints:
    def __init__(self, contract: str, translation: Translation, platform: Platform) -> None:
        self._contract = contract
        self._translation = translation
        self._platform = platform
        self._validator = RequestValidator(contract)

    def routes(self) -> list[Route]:
        table = OPERATIONS[self._contract]
        endpoints: dict[str, dict[str, Callable[..., Any]]] = {}
        for name, handle in self._translation.handlers().items():
            method, path = table[name]
            endpoints.setdefault(path, {})[method] = self._endpoint(path, method.lower(), handle)
        for path, method in self._validator.operations():
            endpoints.setdefault(path, {}).setdefault(method.upper(), self._unserved)
        return [
            Route(API_PATH + DOCUMENT_PATH, self._document, methods=["GET"]),
            Route("/health", self._health, methods=["GET"]),
            *(_route(API_PATH + path, by_method) for path, by_method in endpoints.items()),
        ]

    def _endpoint(self, path: str, method: str, handle: Handler) -> Callable[..., Any]:
        async def endpoint(request: Request) -> Response:
            self._translation.authenticate(request)
            values = self._validator.parameters(path, method, request.query_params, request.path_params)
            # A lagging replica answers from the past.
            lag = getattr(request.state, LAG, 0.0) if method == "get" else 0.0
            values["at"] = self._platform.clock.now() - lag
            if self._validator.has_body(path, method):
                values["body"] = await self._validator.body(path, method, request)
            return handle(values)

        return endpoint

    async def _unserved(self, request: Request) -> Response:
        """Answer 501 for an operation that the contract has and this emulator does not implement."""
        self._translation.authenticate(request)
        raise HTTPException(501, f"The emulator does not serve {request.method} {request.url.path} yet")

    async def _document(self, _request: Request) -> Response:
        return Response(document_bytes(self._contract), media_type="application/json")

    async def _health(self, _request: Request) -> Response:
        return JSONResponse({"status": self._platform.conditions.health})


def _route(path: str, endpoints: dict[str, Callable[..., Any]]) -> Route:
    """Return one route for all methods of a path, so that a 405 names them all."""

    async def endpoint(request: Request) -> Response:
        response: Response = await endpoints[request.method](request)
        return response

    route = Route(path, endpoint)
    route.methods = set(endpoints)  # without HEAD, which Starlette adds and the contracts lack
    return route
