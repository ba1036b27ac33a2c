"""What a storage's answers and addresses mean for a transfer: where to go on, and which error to give. Pure.

URLs are secrets: they show without their query, and so does what a storage says about them.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import SplitResult, urljoin, urlsplit

from .._core._redaction import excerpt
from .._http._responses import without_values
from .._http._retry import AttemptFailed, Outcome, parse_retry_after
from ..errors import TransferInterrupted, UrlRefused

PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REFUSALS = frozenset({400, 401, 403, 404, 410})


class LinkLocal(Exception):
    """An address where clouds keep the credentials of their machines, and where no storage is."""


def refuse_link_local(address: str) -> None:
    """Raise LinkLocal for such an address, also for one of IPv4 that is written as one of IPv6."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    if ip.is_link_local or (mapped is not None and mapped.is_link_local):
        raise LinkLocal


def checked(url: str, name: str) -> SplitResult:
    """Return a URL's parts, or raise AttemptFailed for what no storage signs."""
    try:
        parts = urlsplit(url)
        _ = parts.port
        usable = parts.scheme in PORTS and bool(parts.hostname) and "@" not in parts.netloc
        usable = usable and not any(c.isspace() or not c.isprintable() for c in url)
    except ValueError:
        usable = False
    if not usable:
        raise refusal("its URL is not one that a storage signs; ask for a new one", name, 0)
    return parts


def location(
    method: str, target: SplitResult, status: int, headers: Mapping[str, str], name: str
) -> SplitResult | None:
    """Return where an answer sends us, or None if it does not; raises AttemptFailed where we don't go."""
    if status not in _REDIRECTS or method not in ("GET", "HEAD"):
        return None
    moved = checked(urljoin(target.geturl(), headers.get("location", "")), name)
    if target.scheme == "https" and moved.scheme != "https":
        raise refusal("it was redirected from https to http, which is not followed", name, status)
    return moved


def refusal(message: str, name: str, status: int) -> AttemptFailed:
    """Return the failure of a URL that leads nowhere, with the status of the answer or 0."""
    return AttemptFailed(UrlRefused(message, name=name, status=status), Outcome(status=status))


def refused(
    place: str, query: str, *, status: int, headers: Mapping[str, str], body: bytes, name: str
) -> AttemptFailed:
    """Return the failure that an answer other than 2xx stands for."""
    # A storage may repeat any part of the signed query.
    words = excerpt(without_values(body.decode("utf-8", "replace"), query))
    outcome = Outcome(
        status=status, retry_after=parse_retry_after(headers.get("retry-after"), datetime.now(UTC))
    )
    if status in _REFUSALS:
        message = (
            f"{place} answered {status}: the signed URL has expired, or is not valid for this request; "
            f"get a fresh one. The storage said: {words!r}"
        )
        return AttemptFailed(UrlRefused(message, name=name, status=status), outcome)
    message = f"{place} answered {status}; try again later. The storage said: {words!r}"
    return AttemptFailed(TransferInterrupted(message, name=name, status=status), outcome)
