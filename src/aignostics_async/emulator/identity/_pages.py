"""The identity provider's pages for users: sign in, and approve a device.

Every name is accepted: the emulator is for development on this machine.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from ..._core._urls import is_loopback
from ..platform._platform import Platform
from ._oauth import CLIENT_ID, FormFields, read_form
from ._templates import Markup, render

if TYPE_CHECKING:
    from starlette.requests import Request

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_HEADERS = {
    "Cache-Control": "no-store",
    # No form-action: browsers would apply it to the redirect to the program, too.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


class Pages:
    """The pages of one emulator."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._logins = platform.logins

    def routes(self) -> list[Route]:
        """Return the routes of the pages."""
        return [
            Route("/authorize", self._ask, methods=["GET"]),
            Route("/authorize", self._decide, methods=["POST"]),
            Route("/activate", self._ask_device, methods=["GET"]),
            Route("/activate", self._decide_device, methods=["POST"]),
        ]

    async def _ask(self, request: Request) -> Response:
        asked = dict(request.query_params)
        hidden = Markup("".join(render("hidden", name=name, value=value) for name, value in asked.items()))
        return self._fault(asked) or _page("Sign in to the emulator", render("sign-in", hidden=hidden))

    async def _decide(self, request: Request) -> Response:
        form = await read_form(request)
        fault = self._fault(form)
        if fault is not None:
            return fault
        if form.get("decision") != "approve":
            return self._back(
                form, error="access_denied", error_description="User did not authorize the request"
            )
        code = self._logins.issue_code(
            form["client_id"],
            form["redirect_uri"],
            form["code_challenge"],
            with_refresh="offline_access" in form.get("scope", "").split(),
        )
        return self._back(form, code=code)

    def _fault(self, asked: FormFields) -> Response | None:
        """Return the answer to a request that can't be granted, or None."""
        try:
            target = urlsplit(asked.get("redirect_uri", ""))
        except ValueError:
            target = urlsplit("")
        if (
            asked.get("client_id") != CLIENT_ID
            or target.scheme != "http"
            or not is_loopback(target.hostname or "")
        ):
            # Never redirect to an address that is not this client's own.
            message = render("message", text="The client or its redirect address is unknown here.")
            return _page("This can't be answered", message, 400)
        if asked.get("response_type") != "code":
            return self._back(asked, error="unsupported_response_type")
        is_s256 = asked.get("code_challenge_method") == "S256"
        if not (is_s256 and _CHALLENGE.fullmatch(asked.get("code_challenge", ""))):
            return self._back(asked, error="invalid_request", error_description="PKCE with S256 is required")
        return None

    def _back(self, asked: FormFields, **answer: str) -> Response:
        if "state" in asked:
            answer["state"] = asked["state"]
        answer["iss"] = f"{self._platform.origin}/"
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer)}", 302, _HEADERS)

    async def _ask_device(self, request: Request) -> Response:
        user_code = request.query_params.get("user_code", "")
        return _page("Let a device in", render("device", user_code=user_code))

    async def _decide_device(self, request: Request) -> Response:
        form = await read_form(request)
        device = self._logins.waiting(form.get("user_code", ""))
        if device is None:
            message = render("message", text="It has expired or has a typing error. Go back and try again.")
            return _page("No such code", message, 404)
        device.state = "approved" if form.get("decision") == "approve" else "denied"
        title = "The device is signed in" if device.state == "approved" else "The device was refused"
        return _page(title, render("message", text="You may close this window."))


def _page(title: str, body: Markup, status: int = 200) -> Response:
    return HTMLResponse(render("page", title=title, body=body), status, headers=_HEADERS)
