"""The translation of contract 1.8 to the state of the emulated platform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._undocumented import PlainRefusal
from ._access import AccessHandlers
from ._account import account_handlers
from ._catalogue import CatalogueHandlers
from ._items import ItemHandlers
from ._runs import RunHandlers

if TYPE_CHECKING:
    from starlette.requests import Request

    from ...platform._platform import Platform
    from .._endpoints import Handler


class Line18Translation:
    """The operations of contract 1.8, on the platform's state."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def handlers(self) -> dict[str, Handler]:
        """Return the handler of each operation."""
        parts = (CatalogueHandlers, RunHandlers, ItemHandlers, AccessHandlers)
        found = account_handlers(self._platform)
        for part in parts:
            found |= part(self._platform).handlers()
        return found

    def authenticate(self, request: Request) -> None:
        """Refuse a request without a valid token with a 401, as the gateway in front of the API does."""
        tokens = self._platform.tokens
        if tokens.is_authorized(request):
            return
        if "authorization" not in request.headers:
            raise PlainRefusal(401, "Jwt is missing")
        raise PlainRefusal(401, "Jwt is expired" if tokens.has_expired(request) else "Jwt verification fails")
