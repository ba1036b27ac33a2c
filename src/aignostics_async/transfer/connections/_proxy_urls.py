"""The proxies of files: their addresses, and the header for those with a user name."""

from __future__ import annotations

import base64
from urllib.parse import SplitResult, urlsplit

from ..._core._proxies import Proxy
from ..._core._secret import SecretText
from ...errors import ConfigurationError


def proxy_address(proxy: Proxy) -> SplitResult:
    """Return the parts of a proxy's URL; raises ConfigurationError unless its scheme is http.

    Without a port it is that of HTTP, as for API requests.
    """
    address = urlsplit(proxy.url)
    if address.scheme != "http":
        raise ConfigurationError("files move through proxies of the form http://host:port only")
    return address


def proxy_credentials(proxy: Proxy) -> dict[str, str]:
    """Return the header that signs in to a proxy with a user name; else no header."""
    if proxy.auth is None:
        return {}
    pair = base64.b64encode(":".join(proxy.auth).encode()).decode("ascii")
    return {"Proxy-Authorization": SecretText(f"Basic {pair}")}
