"""The URLs of proxies for files, and the header for those with a user name."""

from __future__ import annotations

import base64
from urllib.parse import SplitResult, unquote, urlsplit

from ..errors import ConfigurationError


def proxy_address(proxy: str) -> SplitResult:
    """Return the parts of a proxy's URL; raises ConfigurationError for one other than http://host:port."""
    address = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    try:
        usable = address.scheme == "http" and bool(address.hostname) and address.port is not None
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError("files move through proxies of the form http://host:port only")
    return address


def proxy_credentials(proxy: SplitResult) -> dict[str, str]:
    """Return the header that signs in to a proxy whose URL has a user name; else no header."""
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"}
