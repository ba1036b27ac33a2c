"""A store of which only signed URLs are known, made by a service of the user's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from .._core._crc32c import goog_crc32c, readable_crc32c
from ..errors import UrlRefused
from ..transfer._request import send_request
from ..transfer._upload import put_file
from ._protocol import Store, Stored

if TYPE_CHECKING:
    from ._context import StoreContext

Sign = Callable[[str], Awaitable[str]]


@frozen(kw_only=True)
class Presigned:
    """A place behind signed URLs: `put_url(key)` and `get_url(key)` ask your service for them.

    With `head_url` what is there already can be found. A store that tells no CRC32C leaves the files
    store-unverified; the platform still compares with the checksum that is submitted.
    """

    put_url: Sign = field(repr=False)
    get_url: Sign = field(repr=False)
    head_url: Sign | None = field(default=None, repr=False)

    def connect(self, session: StoreContext) -> Store:
        """Return the store, for one client."""
        return _PresignedStore(self, session)


class _PresignedStore:
    def __init__(self, signs: Presigned, session: StoreContext) -> None:
        self._signs = signs
        self._session = session

    async def put(self, key: str, source: Path, *, progress: Callable[[int], None] | None = None) -> Stored:
        """Send a file with one PUT, its checksum taken in the same pass."""
        url = await self._signs.put_url(key)
        sent = await put_file(self._session.engine, url, source, name=source.name, progress=progress)
        return Stored(key, sent.size, sent.crc32c, sent.etag, sent.verified)

    async def stat(self, key: str) -> Stored | None:
        """Ask for an object, if there is a way to ask."""
        if self._signs.head_url is None:
            return None
        try:
            url = await self._signs.head_url(key)
            headers = (await send_request(self._session.engine, "HEAD", url, name=key)).headers
        except UrlRefused as refused:
            if refused.status == 404:
                return None
            raise
        told = goog_crc32c(headers.get("x-goog-hash")) or readable_crc32c(
            headers.get("x-amz-checksum-crc32c")
        )
        size = int(headers.get("content-length", 0))
        return Stored(key, size, told, headers.get("etag"), told is not None)

    async def presign_get(self, uri: str, expires: float) -> str:  # noqa: ARG002 - the service decides
        """Return a URL to read the object; how long it lives is the service's to see to."""
        return await self._signs.get_url(uri)

    async def credentials_expire_at(self) -> datetime | None:
        """Return None: nothing is known of the service's credentials."""
        return None
