"""The ASGI application of one emulator: its routes and the layers around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from ._control import ControlApi
from ._faults import FaultInjector
from .api._switch import ContractSwitch
from .api._undocumented import answer_as_json
from .identity._oauth import OAuth
from .identity._pages import Pages
from .platform._simulated_clock import DateHeader
from .storage._buckets import Buckets
from .storage._signed_urls import Storage

if TYPE_CHECKING:
    from starlette.routing import Route

    from .platform._platform import Platform


def build_app(platform: Platform, *more: Route) -> DateHeader:
    """Return the application of a platform, with additional routes."""
    control = ControlApi(platform)
    parts = (Storage(platform), Buckets(platform), OAuth(platform), Pages(platform), control)
    app = Starlette(
        routes=[*more, *(route for part in parts for route in part.routes())],
        exception_handlers={HTTPException: _answer_refusal, ClientDisconnect: _answer_nobody},
    )
    app.router.redirect_slashes = False
    faults = FaultInjector(ContractSwitch(app, platform), platform, control)
    app.router.routes.extend(faults.routes())
    return DateHeader(faults, platform.clock)


async def _answer_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's type for handlers is wider
    return answer_as_json(error)


async def _answer_nobody(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)
