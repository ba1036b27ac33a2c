"""Protection against DNS rebinding: a web page must not reach the emulator under a name of its own."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class AllowedHosts:
    """The ASGI layer that answers 421 to a request with a foreign Host header.

    IP addresses, `localhost` and names below it are always allowed: an attack needs a name that its DNS
    server answers for. Other names have to be listed.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = frozenset(name.lower().rstrip(".") for name in names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection event."""
        if scope["type"] == "http" and not self._allows(dict(scope["headers"]).get(b"host", b"")):
            detail = "The Host header names another server; start the emulator with --allow-host NAME"
            await JSONResponse({"detail": detail}, 421)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _allows(self, header: bytes) -> bool:
        host = _host_name(header.decode("latin-1"))
        return host == "localhost" or host.endswith(".localhost") or host in self._names or _is_address(host)


def _host_name(header: str) -> str:
    """Return the name in a Host header, without port, brackets and final dot."""
    host, separator, port = header.rpartition(":")
    if not separator or not port.isdecimal():
        host = header
    return host.strip("[]").lower().rstrip(".")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
