"""The person in the demo: opens the emulator's sign-in page and says yes, as you would in a browser.

python scripts/demo_person.py URL
"""

from __future__ import annotations

import sys
import urllib.request
from typing import Any
from urllib.parse import urlsplit


class _AsInABrowser(urllib.request.HTTPRedirectHandler):
    """Takes localhost for this machine, as browsers do (RFC 6761), also where no resolver knows the name."""

    def redirect_request(  # noqa: PLR0917 - as the base class has it
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        place = newurl.replace("//localhost:", "//127.0.0.1:", 1)
        return super().redirect_request(req, fp, code, msg, headers, place)


def main(address: str) -> None:
    page, _, asked = address.partition("?")
    if urlsplit(page).hostname not in ("127.0.0.1", "localhost", "::1"):
        sys.exit("the demo's person signs in on this machine only")
    form = f"{asked}&name=demo&decision=approve".encode()
    # What is on this machine is never reached through a proxy.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), _AsInABrowser)
    with direct.open(page, form, timeout=30) as answer:
        answer.read()


if __name__ == "__main__":
    main(sys.argv[1])
