"""What may be told from a URL before anything is sent to it."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from ..errors import ConfigurationError

DEFAULT_PORTS = {"http": 80, "https": 443}


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of a URL; two URLs of one origin give equal tuples."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or DEFAULT_PORTS.get(parts.scheme)


def without_query(url: str) -> str:
    """Return a URL as it may be shown: no query, no fragment, no user name."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address alone; nothing is looked up."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_endpoint(url: str, what: str) -> str:
    """Return a URL that tokens may be sent to, without a slash at its end, or raise ConfigurationError.

    It must be https, or http on this machine, and carry no query and no user name.
    """
    parts = _split(url, what)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(f"{what} must have no user name, password, query or fragment")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        shown = url.partition("?")[0].rpartition("@")[2]
        raise ConfigurationError(f"{what} must be a URL such as https://host, not {shown!r}")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ConfigurationError(f"{what} must be https; http is for this machine only: {url!r}")
    return url.rstrip("/")


def check_root(url: str) -> str:
    """Return an API root without a slash at its end, or raise ConfigurationError."""
    root = check_endpoint(url, "the API root")
    if "api" in urlsplit(root).path.split("/"):
        raise ConfigurationError("give the API root without /api; the client adds it")
    return root


def _split(url: str, what: str) -> SplitResult:
    if not isinstance(url, str):
        raise ConfigurationError(f"{what} must be a text such as https://host, not {url!r}")
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        raise ConfigurationError(f"{what} is no URL") from None
    return parts
