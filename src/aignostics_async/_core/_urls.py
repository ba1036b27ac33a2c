"""Parts and checks of URLs, before anything is sent to them."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from ..errors import ConfigurationError
from ._secret import conceals_arguments

DEFAULT_PORTS = {"http": 80, "https": 443}
_SCHEME = re.compile(r"(?:([a-z][a-z0-9+.-]*):)?//", re.IGNORECASE)
_USER_NAME = re.compile(r"(?:[^/@]*//)?[^/]*@")


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port of a URL: equal tuples for URLs of one origin."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or DEFAULT_PORTS.get(parts.scheme)


def without_query(url: str) -> str:
    """Return a URL without query, fragment and user name, as it may be shown."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def shown_address(text: str) -> str:
    """Return a text that is meant as an address as errors show it: without user name, password and query.

    It need not be a URL; whatever is before an @ may be a password.
    """
    scheme, rest = split_scheme(text)
    shown = rest.rpartition("@")[2].partition("?")[0]
    return f"{scheme}://{shown}" if scheme else shown


def split_scheme(text: str) -> tuple[str, str]:
    """Return the scheme of a URL, empty if there is none, and what follows its slashes.

    What is before `://` is no scheme unless it could be one: a password may hold these signs, too.
    """
    found = _SCHEME.match(text)
    return (found[1] or "", text[found.end() :]) if found else ("", text)


def has_user_name(address: str) -> bool:
    """Whether there is a user name, and perhaps a password, before the host of an address."""
    return _USER_NAME.match(address) is not None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address alone; resolves nothing."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@conceals_arguments
def check_endpoint(url: str, what: str) -> str:
    """Return a URL that tokens may be sent to, without a trailing slash.

    Raises ConfigurationError unless it is https, or http on this machine, without query and user name.
    """
    parts = split_url(url, what)
    if has_user_name(url) or parts.query or parts.fragment:
        raise ConfigurationError(f"{what} must have no user name, password, query or fragment")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(f"{what} must be a URL such as https://host, not {shown_address(url)!r}")
    if parts.port == 0:
        raise ConfigurationError(f"{what} has port 0, which no server listens on")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ConfigurationError(f"{what} must be https; http is for this machine only: {url!r}")
    return url.rstrip("/")


@conceals_arguments
def check_root(url: str) -> str:
    """Return an API root without a trailing slash; raises ConfigurationError for any other URL."""
    root = check_endpoint(url, "the API root")
    if "api" in urlsplit(root).path.lower().split("/"):
        raise ConfigurationError("give the API root without /api; the client adds it")
    return root


@conceals_arguments
def split_url(url: str, what: str) -> SplitResult:
    """Return the parts of a URL that comes from a setting; raises ConfigurationError for what is none."""
    if not isinstance(url, str):
        raise ConfigurationError(f"{what} must be a text such as https://host, not {url!r}")
    if not url.isprintable() or " " in url:
        # urlsplit drops line breaks silently.
        raise ConfigurationError(f"{what} has a space or line break in it; is it cut from a text?")
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for a port that is no number
    except ValueError:
        raise ConfigurationError(f"{what} is no URL; check its port and brackets") from None
    return parts
