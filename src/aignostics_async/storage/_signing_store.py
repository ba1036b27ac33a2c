"""A store whose server signs URLs on request, such as the emulator's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .._core._crc32c import goog_crc32c
from .._core._urls import without_query
from ..errors import InvalidResponse, UrlRefused
from ..transfer._request import send_request
from ..transfer._upload import put_file
from ._protocol import Stored

if TYPE_CHECKING:
    from ._context import StoreContext

_SCHEME = "signed:"
_PUT_SECONDS = 6 * 3600  # enough for 5 GB at 2 Mbit/s


class SigningStore:
    """A store at `root`, of the API's own origin, that answers `POST {root}/sign` with signed URLs."""

    def __init__(self, root: str, session: StoreContext) -> None:
        self._root = root.rstrip("/")
        self._session = session

    def __repr__(self) -> str:
        return f"SigningStore({without_query(self._root)!r})"

    async def put(self, key: str, source: Path, *, progress: Callable[[int], None] | None = None) -> Stored:
        """Send a file in one pass; its CRC32C is compared with the one that the store answers."""
        url = await self._sign("PUT", key, _PUT_SECONDS)
        sent = await put_file(self._session.engine, url, source, name=source.name, progress=progress)
        return Stored(_SCHEME + key, sent.size, sent.crc32c, sent.etag, sent.verified)

    async def stat(self, key: str) -> Stored | None:
        """Ask for size and checksum of an object, or None if there is no such object."""
        url = await self._sign("HEAD", key, 300)

        try:
            headers = (await send_request(self._session.engine, "HEAD", url, name=key)).headers
        except UrlRefused as refused:
            if refused.status != 404:
                raise
            return None
        crc32c = goog_crc32c(headers.get("x-goog-hash"))
        size = int(headers.get("content-length", 0))
        return Stored(_SCHEME + key, size, crc32c, headers.get("etag"), crc32c is not None)

    async def presign_get(self, uri: str, expires: float) -> str:
        """Return a URL that lets anyone read the object for `expires` seconds."""
        return await self._sign("GET", uri.removeprefix(_SCHEME), expires)

    async def delete(self, key: str) -> None:
        """Delete an object; one that is not there is as good."""
        url = await self._sign("DELETE", key, 300)
        try:
            await send_request(self._session.engine, "DELETE", url, name=key)
        except UrlRefused as refused:
            if refused.status != 404:
                raise

    async def credentials_expire_at(self) -> datetime | None:
        """Return None: the server signs with a key of its own."""
        return None

    async def _sign(self, method: str, key: str, expires: float) -> str:
        order = {"method": method, "key": key, "expires_s": int(expires)}
        answer = await self._session.post_json("sign URL", f"{self._root}/sign", order)
        url = answer.get("url") if isinstance(answer, dict) else None
        if not isinstance(url, str):
            raise InvalidResponse("it has no url", operation="sign URL", status=200, excerpt="")
        return url
