"""A store with a server that signs URLs on request, such as the emulator's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .._core._secret import SecretText
from .._core._urls import without_query
from .._identifiers import as_object_key
from ..errors import InvalidResponse, UrlRefused
from ..transfer._object_facts import ObjectFacts, read_facts
from ..transfer._request import send_request
from ..transfer._upload import SentFile, put_file
from ._fields import as_lifetime
from ._object_store import ObjectStore
from ._protocol import Verify

if TYPE_CHECKING:
    from ._context import StoreContext

_SCHEME = "signed:"
_PUT_SECONDS = 6 * 3600  # enough for 5 GB at 2 Mbit/s


class SigningStore(ObjectStore):
    """A store at `root`, of the API's own origin, that answers `POST {root}/sign` with signed URLs.

    So each operation costs a request to the API beside the one to the URL. It raises InvalidResponse if the
    answer has no URL, and what `StoreContext.post_json` raises.
    """

    def __init__(self, root: str, context: StoreContext, *, verify: Verify = "auto") -> None:
        super().__init__(context, _SCHEME, verify)
        self._root = root.rstrip("/")

    def __repr__(self) -> str:
        return f"SigningStore({without_query(self._root)!r})"

    async def presign_get(self, uri: str, expires: float) -> str:
        """Return a URL with which anyone can read an object for `expires` seconds.

        Costs one request, to the API.
        """
        return await self._sign("GET", as_object_key(uri).removeprefix(_SCHEME), as_lifetime(expires))

    async def delete(self, key: str) -> None:
        """Delete the object under a key; do nothing if there is none.

        Costs two requests: one to the API for a signed URL, and one to that URL. Raises UrlRefused or
        TransferInterrupted if the second fails.
        """
        url = await self._sign("DELETE", key, 300)
        try:
            await send_request(self._engine, "DELETE", url, name=key)
        except UrlRefused as refused:
            if refused.status != 404:
                raise

    async def _send(self, key: str, source: Path, progress: Callable[[int], None] | None) -> SentFile:
        async def sign() -> tuple[str, dict[str, str]]:
            return await self._sign("PUT", key, _PUT_SECONDS), {}

        url, _ = await sign()
        return await put_file(self._engine, url, source, name=source.name, progress=progress, renew=sign)

    async def _head(self, key: str) -> ObjectFacts:
        url = await self._sign("HEAD", key, 300)
        return read_facts((await send_request(self._engine, "HEAD", url, name=key)).headers)

    async def _sign(self, method: str, key: str, expires: int) -> str:
        order = {"method": method, "key": as_object_key(key), "expires_s": expires}
        answer = await self._context.post_json("sign URL", f"{self._root}/sign", order)
        url = answer.get("url") if isinstance(answer, dict) else None
        if not isinstance(url, str):
            raise InvalidResponse("it has no url", operation="sign URL")
        return SecretText(url)
