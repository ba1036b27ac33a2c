"""The identity provider's pages for persons: sign in, and let a device in.

Whoever can reach the emulator is let in under any name: it is for development, on this machine.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from .._core._urls import is_loopback
from ._oauth import CLIENT_ID, FormFields, read_form

if TYPE_CHECKING:
    from starlette.requests import Request

    from ._platform import Platform

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_HEADERS = {
    "Cache-Control": "no-store",
    # No form-action: a browser would hold the redirect to the program to it.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
body {{ display: grid; place-items: center; min-height: 90vh; margin: 0; }}
main {{ width: min(24rem, 90vw); border: 1px solid #8886; border-radius: .8rem; padding: 1.5rem 2rem; }}
h1 {{ font-size: 1.4rem; margin: 0 0 .5rem; }}
label {{ display: block; margin: 1rem 0 .3rem; }}
input {{ box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; }}
button {{ margin: 1.2rem .5rem 0 0; padding: .5rem 1.2rem; font: inherit; border: 1px solid #8886;
  border-radius: .4rem; cursor: pointer; }}
button.main {{ background: #0b6e99; border-color: #0b6e99; color: #fff; }}
code {{ font-size: 1.3rem; letter-spacing: .1em; }}
</style></head>
<body><main><h1>{title}</h1>{body}</main></body></html>
"""


class Pages:
    """The pages of one emulator."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._logins = platform.logins

    def routes(self) -> list[Route]:
        """Return the routes for persons."""
        return [
            Route("/authorize", self._ask, methods=["GET"]),
            Route("/authorize", self._decide, methods=["POST"]),
            Route("/activate", self._ask_device, methods=["GET"]),
            Route("/activate", self._decide_device, methods=["POST"]),
        ]

    async def _ask(self, request: Request) -> Response:
        asked = dict(request.query_params)
        return self._fault(asked) or _form(
            "Sign in to the emulator",
            "<p>A program on this machine asks to act for you.</p>"
            '<label for="name">Your name</label><input id="name" name="name" value="demo" required>',
            asked,
            {"approve": "Sign in", "deny": "Refuse"},
        )

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
        """Return the answer to a request that can't be granted."""
        try:
            target = urlsplit(asked.get("redirect_uri", ""))
        except ValueError:
            target = urlsplit("")
        if (
            asked.get("client_id") != CLIENT_ID
            or target.scheme != "http"
            or not is_loopback(target.hostname or "")
        ):
            # Nobody is sent to a place that is not this client's own.
            return _page(
                "This can't be answered", "<p>The client or its redirect address is unknown here.</p>", 400
            )
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
        return _form(
            "Let a device in",
            '<label for="user_code">The code that the device shows</label>'
            f'<input id="user_code" name="user_code" value="{escape(user_code)}" required>',
            {},
            {"approve": "Let it in", "deny": "Refuse"},
        )

    async def _decide_device(self, request: Request) -> Response:
        form = await read_form(request)
        device = self._logins.waiting(form.get("user_code", ""))
        if device is None:
            return _page(
                "No such code", "<p>It has expired, or was typed wrongly. Go back and try again.</p>", 404
            )
        device.state = "approved" if form.get("decision") == "approve" else "denied"
        told = "The device is signed in." if device.state == "approved" else "The device was refused."
        return _page(told.rstrip("."), "<p>You may close this window.</p>")


def _page(title: str, body: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(title=escape(title), body=body), status, headers=_HEADERS)


def _form(title: str, body: str, hidden: FormFields, decisions: dict[str, str]) -> Response:
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in hidden.items()
    )
    buttons = "".join(
        f'<button name="decision" value="{value}" class="{"main" * (value == "approve")}">{text}</button>'
        for value, text in decisions.items()
    )
    return _page(title, f'<form method="post">{fields}{body}{buttons}</form>')
