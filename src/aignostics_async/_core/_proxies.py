"""The proxy for a URL: one rule, for API requests and for files."""

from __future__ import annotations

import os
import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

from attrs import frozen

from ..errors import ConfigurationError
from ._secret import Secret, conceals_arguments
from ._urls import DEFAULT_PORTS, is_loopback, split_scheme

_PLACE_END = re.compile(r"[/?#]")
_PORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:]*):(?P<port>\d+)")


@frozen
class Proxy:
    """A proxy: its URL without user name and password, and these, which do not show."""

    url: str
    credentials: Secret | None = None

    @classmethod
    @conceals_arguments
    def parse(cls, url: str) -> Self:
        """Return the proxy of a URL, which may hold a user name and password.

        Without a scheme it is a proxy of HTTP. Raises ConfigurationError without a host, for a port that
        there is not, and for another kind of proxy, such as one of SOCKS.
        """
        scheme, rest = split_scheme(url.strip())
        # The last @: a password may hold others, and slashes.
        credentials, sign, place = rest.rpartition("@")
        # A proxy has no path and no query; if one is given, it may be anything.
        shown = f"{scheme or 'http'}://{_PLACE_END.split(place, 1)[0]}"
        try:
            parts = urlsplit(shown)
            is_usable = parts.scheme in DEFAULT_PORTS and parts.port != 0 and bool(parts.hostname)
        except ValueError:
            is_usable = False
        if not is_usable:  # the parts of a password may be anywhere in it
            raise ConfigurationError("the proxy can't be used: its URL must have the form http://host:port")
        return cls(shown, Secret(credentials) if sign else None)

    @property
    def auth(self) -> tuple[str, str] | None:
        """The user name and the password, or None."""
        if self.credentials is None:
            return None
        name, _, password = self.credentials.reveal().partition(":")
        return unquote(name), unquote(password)


@conceals_arguments
def proxy_for(url: str, *, proxy: str | None, trust_env: bool) -> Proxy | None:
    """Return the proxy to reach a URL through, or None to connect directly; no I/O.

        proxy_for(url, proxy=settings.proxy, trust_env=settings.trust_env)

    This machine is always reached directly: a proxy would see tokens in clear text. Otherwise `proxy`
    decides if it is given. With `trust_env`, HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY decide, in
    upper or lower case, and where none of them is set, the settings of macOS and Windows.

    A proxy may have a password. Raises ConfigurationError for one that has no host, or no valid port.
    """
    target = urlsplit(url)
    host = target.hostname or ""
    if is_loopback(host):
        return None
    if proxy is not None:
        return Proxy.parse(proxy)
    if not trust_env:
        return None
    from urllib.request import getproxies, proxy_bypass  # noqa: TID251 - reads settings, sends nothing

    proxies = getproxies()
    # An empty no_proxy does not hide NO_PROXY, for curl, Go and requests either.
    no_proxy = proxies.get("no") or os.environ.get("NO_PROXY")
    # Without either this asks macOS or Windows for the exceptions in its network settings.
    if proxy_bypass(host) if no_proxy is None else is_excepted(target, no_proxy):
        return None
    found = proxies.get(target.scheme) or proxies.get("all")
    return None if found is None else Proxy.parse(found)


def is_excepted(target: SplitResult, no_proxy: str) -> bool:
    """Whether a NO_PROXY value excepts a URL from proxies.

    Entries are separated by commas or spaces. Each is one of

    - `*`: every host,
    - `example.com`, `.example.com` or `*.example.com`: this host and its subdomains,
    - an address, `10.0.0.1` or `fd00::1`, or a network, `10.0.0.0/8` or `fd00::/8`; IPv6 may be in brackets,
    - any of these but a network with a port, `example.com:8080` or `[fd00::1]:8080`: this port only.

    An entry that is none of them excepts nothing.
    """
    host = (target.hostname or "").rstrip(".")
    port = target.port or DEFAULT_PORTS.get(target.scheme)
    return any(_matches(entry, host, port) for entry in re.split(r"[,\s]+", no_proxy.lower()) if entry)


def _matches(entry: str, host: str, port: int | None) -> bool:
    if with_port := _PORT.fullmatch(entry):
        if int(with_port["port"]) != port:
            return False
        entry = with_port["host"]
    if entry == "*":
        return True
    address = _address(host)
    if address is not None:
        entry = entry.replace("[", "").replace("]", "")
        try:
            return address == _address(entry) or address in ip_network(entry, strict=False)
        except ValueError:
            return False
    domain = _in_ascii(entry.removeprefix("*").strip("."))
    return bool(domain) and f".{_in_ascii(host)}".endswith(f".{domain}")


def _in_ascii(name: str) -> str:
    """Return a host name as the network knows it, where a letter outside of ASCII has another form."""
    try:
        return name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        return name


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
