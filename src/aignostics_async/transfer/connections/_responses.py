"""What a storage's answer means for a transfer: where to go on, or which error to raise. Pure.

URLs are secrets: they are shown without their query, and so is what a storage says about them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, urldefrag, urljoin, urlsplit

from ..._core._redaction import excerpt, without_values
from ..._core._urls import DEFAULT_PORTS, has_user_name
from ..._http._retry import AttemptFailed, Outcome, parse_date, read_retry_after
from ...errors import TransferError, TransferInterrupted, UrlRefused, is_transient_code, is_transient_status

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ERROR_CODES = (
    re.compile(rb"<Code>\s*([\w.-]{1,60})\s*</Code>"),
    re.compile(rb'"reason"\s*:\s*"(\w{1,60})"'),  # Google's JSON, whose `code` is the status
    re.compile(rb'"code"\s*:\s*"(\w{1,60})"'),
)
# Quotas and full disks, which come with statuses that ask for another attempt, too.
_FINAL_CODES = frozenset({"dailylimitexceeded", "insufficientstorage", "quotaexceeded", "xminiostoragefull"})
_FINAL_STATUSES = frozenset({501, 505, 507})  # of those from 500 on
_BANDWIDTH_EXCEEDED = 509
_REGION = re.compile(rb"<Region>([a-z0-9-]{1,40})</Region>")
_REGION_NAME = re.compile(r"[a-z0-9-]{1,40}")
_REFUSED_KEYS = frozenset({401, 403})
# Few storages name the clock when it makes them refuse a signature, and Azure accepts none from the future.
_CLOCK_TOLERANCE = timedelta(minutes=1)
EXPIRED_CODES = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
FRESH_URL = "the signed URL has expired, or is not valid for this request; get a fresh one"
STORE_FULL = "the store is full, or a quota of it is used up; make room, or have the quota raised"


def may_have_expired(refused: UrlRefused) -> bool:
    """Whether a request may have been refused for its signature, which another key or time would mend."""
    return refused.status in _REFUSED_KEYS or refused.code in EXPIRED_CODES


def checked(url: str, name: str) -> SplitResult:
    """Return a URL's parts; raises AttemptFailed for a URL that no storage signs."""
    parts = _parts(url)
    if parts is None:
        raise refusal("its URL is not one that a storage signs; ask for a new one", name, 0)
    return parts


def is_signed_url(url: str) -> bool:
    """Whether a storage may have signed a URL: it has a host, and neither a user name nor a fragment."""
    return _parts(url) is not None


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    usable = parts.scheme in DEFAULT_PORTS and bool(parts.hostname)
    usable = usable and not has_user_name(url) and not parts.fragment
    return parts if usable and url.isprintable() and " " not in url else None


def location(
    method: str, target: SplitResult, status: int, headers: Mapping[str, str], name: str
) -> SplitResult | None:
    """Return where an answer redirects a GET or HEAD, or None; raises AttemptFailed for an unsafe place."""
    place = headers.get("location", "")
    # S3 redirects to the region of a bucket without naming a place.
    if status not in _REDIRECTS or method not in ("GET", "HEAD") or not place:
        return None
    # Browsers and curl follow such a place, too: no server sees a fragment, and a space is escaped.
    with suppress(ValueError):  # what can't be joined is no URL, which `checked` says
        place = urldefrag(urljoin(target.geturl(), place)).url.replace(" ", "%20")
    moved = checked(place, name)
    if target.scheme == "https" and moved.scheme != "https":
        raise refusal("it was redirected from https to http, which is not followed", name, status)
    return moved


def refusal(message: str, name: str, status: int) -> AttemptFailed:
    """Return the failure of a URL that is of no use, with the status of the answer or 0."""
    return AttemptFailed(UrlRefused(message, name=name, status=status), Outcome(status=status))


def final(error: TransferError) -> AttemptFailed:
    """Return the failure of an attempt that another one would not mend."""
    return AttemptFailed(error.with_traceback(None), Outcome(status=0))


def refused(
    place: str, query: str, *, status: int, headers: Mapping[str, str], body: bytes, name: str
) -> AttemptFailed:
    """Return the failure that an answer other than 2xx stands for.

    The storage's own code decides where it gives one: a 400 may be a timeout, and is then likely to pass.
    """
    # A storage may repeat any part of the signed query.
    words = excerpt(without_values(body.decode("utf-8", "replace"), query))
    code = error_code(headers, body)
    if code is not None and code in query:
        code = None
    if code is None and status == _BANDWIDTH_EXCEEDED:
        code = "BandwidthLimitExceeded"
    is_full = status == 507 or (code or "").casefold() in _FINAL_CODES
    is_transient = not is_full and (is_transient_status(status) or is_transient_code(code))
    outcome = Outcome(
        status=0 if is_full else status,
        retry_after=read_retry_after(headers),
        is_transient=is_transient,
    )
    problem = f"{place} answered {status}{f' {code}' if code else ''}"
    said = f". The storage said: {words!r}" if words else ""
    if is_transient or (status >= 500 and status not in _FINAL_STATUSES and not is_full):
        message = f"{problem}; try again later{said}"
        return AttemptFailed(TransferInterrupted(message, name=name, status=status, code=code), outcome)
    advice = STORE_FULL if is_full else _advice(_region(headers, body), headers.get("location"), status)
    if status in _REFUSED_KEYS or code in EXPIRED_CODES:
        advice = _clock_advice(headers) or advice
    refusal = UrlRefused(f"{problem}{said}", name=name, status=status, code=code, advice=advice)
    return AttemptFailed(refusal, outcome)


def error_code(headers: Mapping[str, str], body: bytes) -> str | None:
    """Return a storage's own name of an error: in XML or JSON, with Azure in a header too."""
    for pattern in _ERROR_CODES:
        if (found := pattern.search(body)) is not None:
            return found[1].decode("ascii", "replace")
    code = headers.get("x-ms-error-code", "")
    return code if re.fullmatch(r"\w{1,60}", code) else None


def _region(headers: Mapping[str, str], body: bytes) -> str | None:
    """Return the region of a bucket where S3 tells it, as it does to requests sent to another one."""
    told = headers.get("x-amz-bucket-region", "")
    if _REGION_NAME.fullmatch(told):
        return told
    found = _REGION.search(body)
    return found[1].decode("ascii") if found else None


def _clock_advice(headers: Mapping[str, str]) -> str | None:
    """Return what to do where this machine tells another time than the storage; None where it does not."""
    date = parse_date(headers.get("date"))
    ahead = timedelta() if date is None else datetime.now(UTC) - date
    if abs(ahead) < _CLOCK_TOLERANCE:
        return None
    minutes = abs(ahead) / timedelta(minutes=1)
    direction = "ahead of" if ahead > timedelta() else "behind"
    return (
        f"the clock of this machine is {minutes:,.0f} minutes {direction} the storage's, and a "
        "signature is valid for a time only; set the clock, then repeat it"
    )


def _advice(region: str | None, place: str | None, status: int) -> str:
    if region is not None and status in (301, 307, 400):
        return f"the bucket is in the region {region!r}; set it, with AWS_REGION or `region`"
    if place is not None and status in _REDIRECTS:
        return "it redirects to another place, which an upload does not follow; give that as `endpoint`"
    return FRESH_URL
