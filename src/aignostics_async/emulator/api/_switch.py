"""Sends each request to the application of the contract whose root it is below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._operations import PREFIXES, find_contract

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from ..platform._platform import Platform
    from ._endpoints import Translation


class ContractSwitch:
    """The ASGI layer above one application per contract, each made at its first request, and all others."""

    def __init__(self, others: ASGIApp, platform: Platform) -> None:
        self._others = others
        self._platform = platform
        self._apps: dict[str, ASGIApp] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection event."""
        found = find_contract(scope["path"]) if scope["type"] == "http" else None
        if found is None:
            await self._others(scope, receive, send)
            return
        contract, path = found
        if contract not in self._apps:
            self._apps[contract] = _make(contract, self._platform)
        raw = scope["raw_path"].removeprefix(PREFIXES[contract].encode())
        await self._apps[contract]({**scope, "path": path, "raw_path": raw}, receive, send)


def _make(contract: str, platform: Platform) -> ASGIApp:
    # Here, so that a start does not pay for what nobody asks for.
    from ._endpoints import contract_app

    app = contract_app(contract, _translation(contract, platform), platform)
    if platform.options.violations is None:
        return app
    from ._conformance import Conformance

    return Conformance(app, contract, platform.options.violations)


def _translation(contract: str, platform: Platform) -> Translation:
    if contract == "1.0":
        from ._reference import ReferenceTranslation

        return ReferenceTranslation(platform)
    from .line_1_8._translation import Line18Translation

    return Line18Translation(platform)
