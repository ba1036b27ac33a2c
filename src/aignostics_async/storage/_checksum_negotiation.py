"""Whether a store accepts the checksum headers of S3; some that speak like S3 refuse them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from .._core._logging import get_logger
from ..errors import UrlRefused

_log = get_logger("aignostics_async")
_T = TypeVar("_T")

Checksums = Literal["auto", "always", "when_required"]
"""Whether requests to S3 carry a CRC32C: `always`; `when_required`, which is never, for stores that refuse
it; or as the store's first answers decide."""

_MAY_BE_THE_HEADERS = {
    400: frozenset(
        {
            None,  # as to a HEAD, which has no body
            "BadRequest",
            "InvalidArgument",
            "InvalidHeaderValue",
            "InvalidRequest",
            "MalformedXML",  # of a completion that names the checksums of parts
            "NotImplemented",
            "NotSupported",
            "UnsupportedHeader",
        }
    ),
    403: frozenset({"SignatureDoesNotMatch"}),  # the store signs without them
}
"""The codes that a store may refuse checksum headers with, by status.

With any other, the request is at fault, and sending it once more without them would change nothing.
"""


class ChecksumNegotiation:
    """Decides once for a store whether requests carry a checksum.

    The first request of a kind is sent with checksum headers. If it is refused as malformed or not
    implemented, and accepted without them, no request of a kind that was not decided before has them from
    then on. The first acceptance decides a kind as well, and a later refusal is an error: a job never changes
    in the middle.
    """

    def __init__(self, setting: Checksums, place: str) -> None:
        self._setting = setting
        self._place = place
        self._accepted: dict[str, bool] = {}

    @property
    def decided(self) -> Checksums:
        """The setting that does what was decided; `auto` before the first request."""
        if self._setting != "auto" or not self._accepted:
            return self._setting
        return "always" if all(self._accepted.values()) else "when_required"

    def settle(self, decided: Checksums) -> None:
        """Take over what was decided before, by another process, unless it was set."""
        if self._setting == "auto":
            self._setting = decided

    async def send(self, kind: str, request: Callable[[bool], Awaitable[_T]]) -> _T:
        """Send a request of a kind, with or without checksum headers as its argument says."""
        known = self._known(kind)
        if known is not None:
            return await request(known)
        try:
            answer = await request(True)  # noqa: FBT003 - the one parameter
        except UrlRefused as refused:
            if not _may_be_the_headers(refused):
                raise
            first = refused
        else:
            self._accepted.setdefault(kind, True)
            return answer
        try:
            answer = await request(False)  # noqa: FBT003
        except UrlRefused as refused:
            second = refused
        else:
            self._decide_without(kind, first)
            return answer
        if second.status == first.status:
            raise first
        if second.status == 404:  # there is no such object, which it said only without the headers
            self._decide_without(kind, first)
        raise second

    def _known(self, kind: str) -> bool | None:
        if self._setting != "auto":
            return self._setting == "always"
        # A store that refuses them anywhere is not asked again with another kind of request.
        return self._accepted.get(kind, None if all(self._accepted.values()) else False)

    def _decide_without(self, kind: str, refused: UrlRefused) -> None:
        if self._accepted.setdefault(kind, False) is False:
            _log.warning(
                "%s refuses checksum headers in %s requests (%s), so they are sent without; uploads are "
                'compared by size and ETag. Give checksums="when_required" to decide it beforehand',
                self._place,
                kind,
                refused.code or refused.status,
            )


def _may_be_the_headers(refused: UrlRefused) -> bool:
    """Whether a request may have been refused because of its checksum headers."""
    # Not implemented is what a store does not know, by whatever code.
    return refused.status == 501 or refused.code in _MAY_BE_THE_HEADERS.get(refused.status, ())
