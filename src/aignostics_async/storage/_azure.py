"""A container of Azure Blob Storage: obstore signs, the engine sends. Azure knows no CRC32C."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from attrs import field, frozen

from .._core._crc32c import Crc32c, readable_crc32c
from ..errors import ChecksumMismatch, ConfigurationError, UrlRefused
from ..transfer._multipart_upload import SentPart, SignedRequest, send_file
from ..transfer._request import read_back, send_request
from ._protocol import Store, Stored

if TYPE_CHECKING:
    from ._context import StoreContext

_REQUEST_SECONDS = 6 * 3600
_META = "x-ms-meta-crc32c"


@frozen(kw_only=True)
class Azure:
    """A container of Azure Blob Storage; needs the `stores` extra.

    Account and key come from AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY where they are not given. Azure has
    no CRC32C, so what is stored is not verified by it: `read_back=True` reads each file again and compares.
    In the names of its objects `~E3` stands for a byte that a URL would escape.
    """

    container: str
    prefix: str = ""
    account: str | None = None
    key: str | None = field(default=None, repr=False)
    endpoint: str | None = None
    """The root of the account where it is not Azure's own."""
    read_back: bool = False

    def connect(self, session: StoreContext) -> Store:
        """Return the store, for one client."""
        account = self.account or os.environ.get("AZURE_STORAGE_ACCOUNT")
        key = self.key or os.environ.get("AZURE_STORAGE_KEY")
        if not account or not key:
            raise ConfigurationError(
                "there is no key for the container: set AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY, or "
                "give Azure(account=..., key=...)"
            )
        try:
            from obstore.store import AzureStore
        except ImportError:
            raise ConfigurationError(
                "Azure needs the stores extra: pip install 'aignostics-async[stores]'"
            ) from None
        options: Any = {"endpoint": self.endpoint} if self.endpoint else {}
        store = AzureStore(
            self.container,
            account_name=account,
            account_key=key,
            client_options={"allow_http": True},
            **options,
        )
        return Container(session, store, self.container, self.prefix.strip("/"), read_back=self.read_back)


class Container:
    """A container, open for one client; made by `Azure`."""

    def __init__(
        self, session: StoreContext, signer: Any, container: str, prefix: str, *, read_back: bool
    ) -> None:
        self._session = session
        self._signer = signer
        self._prefix = prefix
        self._place = f"az://{container}/{prefix}" if prefix else f"az://{container}"
        self._read_back = read_back

    def __repr__(self) -> str:
        return f"Container({self._place})"

    async def put(self, key: str, source: Path, *, progress: Callable[[int], None] | None = None) -> Stored:
        """Send a file, in blocks if it is large; its CRC32C is kept beside it as metadata.

        Verified only if it is read back. Raises ChecksumMismatch if that gives other bytes.
        """
        engine = self._session.engine
        target = _Target(self, key, await self._sign("PUT", key, _REQUEST_SECONDS))
        sent = await send_file(engine, target, source, name=source.name, progress=progress)
        uri = f"{self._place}/{key}"
        if self._read_back:
            url = await self._sign("GET", key, _REQUEST_SECONDS)
            found = await read_back(engine, url, source.name)
            if found.wire != sent.crc32c:
                raise ChecksumMismatch(name=source.name, expected=sent.crc32c, actual=found.wire)
        return Stored(uri, sent.size, sent.crc32c, sent.etag, self._read_back)

    async def stat(self, key: str) -> Stored | None:
        """Ask for size and noted checksum of an object, or None if there is no such object."""
        # obstore's signature for HEAD allows nothing; one for GET allows both.
        url = await self._sign("GET", key, _REQUEST_SECONDS)
        try:
            headers = (await send_request(self._session.engine, "HEAD", url, name=key)).headers
        except UrlRefused as refused:
            if refused.status == 404:
                return None
            raise
        noted = readable_crc32c(headers.get(_META))
        size = int(headers.get("content-length", 0))
        return Stored(f"{self._place}/{key}", size, noted, headers.get("etag"))

    async def presign_get(self, uri: str, expires: float) -> str:
        """Return a URL that lets anyone read the object for `expires` seconds."""
        key = uri.removeprefix(f"{self._place}/")
        if key == uri:
            raise ConfigurationError(f"{uri} is not in {self!r}")
        return await self._sign("GET", key, expires)

    async def delete(self, key: str) -> None:
        """Delete an object; one that is not there is as good."""
        url = await self._sign("DELETE", key, _REQUEST_SECONDS)
        try:
            await send_request(self._session.engine, "DELETE", url, name=key)
        except UrlRefused as refused:
            if refused.status != 404:
                raise

    async def credentials_expire_at(self) -> datetime | None:
        """Return None: an account's key has no end of its own."""
        return None

    async def ask_put(self, url: str, key: str, headers: dict[str, str], body: bytes) -> str | None:
        """Send a small PUT and return the ETag of what it made."""
        reply = await send_request(self._session.engine, "PUT", url, name=key, headers=headers, body=body)
        return reply.headers.get("etag")

    async def _sign(self, method: Literal["GET", "PUT", "DELETE"], key: str, expires: float) -> str:
        from obstore import sign_async

        # A signature over a path with escapes is one that Azure does not take, so keys have none.
        plain = quote(key, safe="/").replace("%", "~")
        path = f"{self._prefix}/{plain}" if self._prefix else plain
        return await sign_async(self._signer, method, path, timedelta(seconds=expires))


class _Target:
    """One key of a container. A signature of Azure's is for the key, so all blocks share it."""

    def __init__(self, container: Container, key: str, url: str) -> None:
        self._container = container
        self._key = key
        self._url = url

    def whole(self, digest: Crc32c) -> SignedRequest:
        return SignedRequest(self._url, {"x-ms-blob-type": "BlockBlob", _META: digest.wire})

    def part(self, upload: str, number: int, _digest: Crc32c) -> SignedRequest:
        block = _block(upload, number).replace("=", "%3D").replace("+", "%2B").replace("/", "%2F")
        return SignedRequest(f"{self._url}&comp=block&blockid={block}", {})

    async def begin(self) -> str:
        return secrets.token_hex(8)  # keeps the blocks of two uploads apart

    async def complete(self, upload: str, parts: Sequence[SentPart], whole: Crc32c) -> str | None:
        blocks = "".join(f"<Latest>{_block(upload, part.number)}</Latest>" for part in parts)
        body = f"<?xml version='1.0' encoding='utf-8'?><BlockList>{blocks}</BlockList>".encode()
        url = f"{self._url}&comp=blocklist"
        return await self._container.ask_put(url, self._key, {_META: whole.wire}, body)

    async def abort(self, _upload: str) -> None:
        """Nothing to do: Azure forgets within a week what no list names, and nobody else sees it."""


def _block(upload: str, number: int) -> str:
    return base64.b64encode(f"{upload}-{number:06d}".encode()).decode("ascii")
