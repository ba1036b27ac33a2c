"""A container of Azure Blob Storage: obstore signs, the engine sends. Azure knows no CRC32C."""

from __future__ import annotations

import base64
import os
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from attrs import field, frozen
from attrs.validators import optional

from .._core._crc32c import Crc32c
from .._core._redaction import excerpt
from .._core._secret import SecretText
from .._identifiers import as_object_key
from ..errors import ConfigurationError, MissingExtra, UrlRefused
from ..transfer._multipart_upload import SentPart, SignedRequest, send_file
from ..transfer._object_facts import ObjectFacts, read_facts
from ..transfer._request import send_request
from ..transfer._upload import SentFile
from ._advice import own_advice
from ._credentials import azure_key, check_endpoint, shown_endpoint
from ._fields import as_lifetime, is_name, is_setting, is_text, is_verify
from ._object_store import ObjectStore
from ._protocol import Store, Verify

if TYPE_CHECKING:
    from ._context import StoreContext

_REQUEST_SECONDS = 6 * 3600
_META = "x-ms-meta-crc32c"


@frozen(kw_only=True)
class Azure:
    """The address of a container of Azure Blob Storage; needs the `stores` extra.

        store = Azure(container="slides", prefix="lab-7")

    `container` is its name, and `prefix` the first part of every blob name, empty by default. `account` and
    `key`, in base64, are by default those of AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY. `endpoint` is the
    root URL of the account if it is not Azure's own; by default, None, that of AZURE_STORAGE_ENDPOINT, and
    without one AZURE_STORAGE_USE_EMULATOR and AZURE_USE_FABRIC_ENDPOINT count as well.

    With `verify="auto"`, the default, uploads are compared with the MD5 that Azure reports for a file of one
    part (`Transfers.part_size`, 16 MiB by default) and for each part of a larger one, of which the whole is
    unverified. With `"read-back"` every file is read again after its upload, at the cost of its transfer. In
    blob names, `~`, a byte that would be escaped in a URL, and the dots or slash of a segment that is empty,
    `.` or `..` are written as `~` and the hexadecimal number, such as `~E3`.

    Creating it does no I/O, and raises ConfigurationError for an unknown `verify`, an empty value but
    `prefix`, or a value of another type; `connect` raises it for a missing or invalid account,
    key or endpoint. The repr does not show the key.
    """

    container: str = field(validator=is_name)
    """The name of the container."""
    prefix: str = field(default="", validator=is_text)
    """The first part of every blob name, without slashes at its ends; empty by default."""
    account: str | None = field(default=None, validator=optional(is_setting))
    """The storage account; AZURE_STORAGE_ACCOUNT by default."""
    key: str | None = field(default=None, repr=False, validator=optional(is_setting))
    """The account key in base64; AZURE_STORAGE_KEY by default."""
    endpoint: str | None = field(default=None, repr=shown_endpoint, validator=optional(is_setting))
    """The root URL of the account if it is not Azure's own, such as an emulator's; by default, None, that of
    AZURE_STORAGE_ENDPOINT.
    """
    verify: Verify = field(default="auto", validator=is_verify)
    """How uploads are verified: "auto", the default, or "read-back", which reads every file again.

    Reading back costs the transfer of each file.
    """

    def connect(self, context: StoreContext) -> Store:
        """Return the store for one client, without a request.

        `client.store`, `runs.submit` and bulk jobs call it, with the part of the client that stores use as
        `context`. Raises ConfigurationError if account or key is missing, the key is not base64, the
        `endpoint` is not a plain http or https URL, without user name, query and fragment, or no URL can be
        made of the account; and MissingExtra without the `stores` extra. The name of the container is not
        checked.
        """
        account = self.account or os.environ.get("AZURE_STORAGE_ACCOUNT")
        key = self.key or os.environ.get("AZURE_STORAGE_KEY")
        if not account or not key:
            raise ConfigurationError(
                "there is no key for the container: set AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY, or "
                "give Azure(account=..., key=...)"
            )
        try:
            from obstore.exceptions import BaseError
            from obstore.store import AzureStore
        except ImportError:
            raise MissingExtra("Azure", extra="stores") from None
        # obstore reads AZURE_ variables, and some of them would count for more than what was passed.
        options: Any = {"credential_type": "access_key", "skip_signature": False}
        if self.endpoint is not None:
            options |= {"endpoint": check_endpoint(self.endpoint), "use_emulator": False}
        try:
            signer = AzureStore(
                self.container,
                account_name=account,
                account_key=azure_key(key),
                client_options={"allow_http": True},
                **options,
            )
        except (BaseError, ValueError) as error:
            raise ConfigurationError(f"the container can't be used: {excerpt(str(error))}") from None
        return Container(context, signer, self.container, self.prefix.strip("/"), verify=self.verify)


class Container(ObjectStore):
    """A container, open for one client; made by `Azure`."""

    def __init__(
        self, context: StoreContext, signer: Any, container: str, prefix: str, *, verify: Verify
    ) -> None:
        place = f"az://{container}/{prefix}" if prefix else f"az://{container}"
        super().__init__(context, f"{place}/", verify)
        self._signer = signer
        self._prefix = prefix

    async def presign_get(self, uri: str, expires: float) -> str:
        """Return a URL with which anyone can read an object for `expires` seconds."""
        return await self._sign("GET", self._key_of(uri), as_lifetime(expires))

    async def delete(self, key: str) -> None:
        """Delete the object under a key; do nothing if there is none."""
        url = await self._sign("DELETE", key, _REQUEST_SECONDS)
        with self._refusals():
            try:
                await send_request(self._engine, "DELETE", url, name=key)
            except UrlRefused as refused:
                if refused.status != 404:
                    raise

    async def complete(self, url: str, key: str, headers: dict[str, str], body: bytes) -> Mapping[str, str]:
        """Make one object of blocks and return the headers of the answer."""
        reply = await send_request(self._engine, "PUT", url, name=key, headers=headers, body=body)
        # The answer is about the list of blocks: its MD5 is that of the list.
        return {"etag": reply.headers.get("etag", "")}

    async def _send(self, key: str, source: Path, progress: Callable[[int], None] | None) -> SentFile:
        target = _ContainerUpload(self, key, await self._sign("PUT", key, _REQUEST_SECONDS))
        return await send_file(self._engine, target, source, name=source.name, progress=progress)

    async def _head(self, key: str) -> ObjectFacts:
        # obstore's signature for HEAD allows nothing; one for GET allows both.
        url = await self._sign("GET", key, _REQUEST_SECONDS)
        return read_facts((await send_request(self._engine, "HEAD", url, name=key)).headers)

    def _advice(self, refused: UrlRefused) -> str:
        return own_advice(refused)

    async def _sign(self, method: Literal["GET", "PUT", "DELETE"], key: str, expires: float) -> str:
        from obstore import sign_async
        from obstore.exceptions import BaseError

        path = blob_name(as_object_key(f"{self._prefix}/{key}" if self._prefix else key))
        try:
            return SecretText(await sign_async(self._signer, method, path, timedelta(seconds=expires)))
        except (BaseError, ValueError, OverflowError) as error:
            raise ConfigurationError(
                f"the container can't sign for {key!r}: {excerpt(str(error))}; check account and key"
            ) from None


def blob_name(key: str) -> str:
    """Return the name of a key's blob; no two keys share one.

    Azure does not accept a signature over a path with escapes, and obstore none with empty segments or dots:
    a byte that would be escaped, `~` itself, and a slash or dot of such a segment are `~` and their number.
    """
    name = quote(key, safe="/").replace("~", "%7E").replace("%", "~")
    name = re.sub(r"/(?=/|$)|^/", "~2F", name)
    return "/".join(part.replace(".", "~2E") if part in (".", "..") else part for part in name.split("/"))


class _ContainerUpload:
    """One key of a container. Azure signs for a key, so all blocks share one signature."""

    def __init__(self, container: Container, key: str, url: str) -> None:
        self._container = container
        self._key = key
        self._url = url

    async def signer(self) -> None:
        """Return nothing: the key of an account does not end."""

    async def another_signer(self, _signer: None, /) -> None:
        """Return nothing."""

    def whole(self, _signer: None, digest: Crc32c) -> SignedRequest:
        return SignedRequest(self._url, {"x-ms-blob-type": "BlockBlob", _META: digest.wire})

    def part(self, _signer: None, upload: str, number: int, _digest: Crc32c) -> SignedRequest:
        block = _block(upload, number).replace("=", "%3D").replace("+", "%2B").replace("/", "%2F")
        return SignedRequest(f"{self._url}&comp=block&blockid={block}", {})

    async def begin(self) -> str:
        return secrets.token_hex(8)  # keeps the blocks of two uploads apart

    async def complete(
        self, upload: str, parts: Sequence[SentPart], whole: Crc32c, _part_size: int
    ) -> Mapping[str, str]:
        blocks = "".join(f"<Latest>{_block(upload, part.number)}</Latest>" for part in parts)
        body = f"<?xml version='1.0' encoding='utf-8'?><BlockList>{blocks}</BlockList>".encode()
        url = SecretText(f"{self._url}&comp=blocklist")
        return await self._container.complete(url, self._key, {_META: whole.wire}, body)

    async def abort(self, _upload: str) -> None:
        """Do nothing: Azure forgets blocks that no list names within a week, and nobody else sees them."""


def _block(upload: str, number: int) -> str:
    return base64.b64encode(f"{upload}-{number:06d}".encode()).decode("ascii")
