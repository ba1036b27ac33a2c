"""A store of which only signed URLs are known, made by a service of the user's."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen
from attrs.validators import optional

from .._core._secret import SecretText
from .._identifiers import as_object_key
from ..errors import ConfigurationError
from ..transfer._object_facts import NOTHING, ObjectFacts, read_facts
from ..transfer._request import probe_object, send_request
from ..transfer._upload import SentFile, put_file
from ..transfer.connections._responses import is_signed_url
from ._fields import is_function, is_verify
from ._object_store import ObjectStore, facts_or_nothing
from ._protocol import Store, Verify

if TYPE_CHECKING:
    from ._context import StoreContext

SignedUrl = str | tuple[str, Mapping[str, str]]
"""A URL, or a URL and the headers that its request must have, such as `x-ms-blob-type`."""
_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
Sign = Callable[[str], SignedUrl | Awaitable[SignedUrl]]


@frozen(kw_only=True)
class Presigned:
    """The address of a store behind a service of yours that signs URLs.

        async def put_url(key: str) -> tuple[str, dict[str, str]]:
            return await service.sign("PUT", key), {"x-ms-blob-type": "BlockBlob"}

        async def get_url(key: str) -> str:
            return await service.sign("GET", key)

        store = Presigned(put_url=put_url, get_url=get_url)

    Each function, async or not, takes the key of an object and returns a URL. It is called in the event loop
    whenever a URL is needed, by several uploads at once. `put_url` and `head_url` can also return a pair of a
    URL and the headers that its request must have. A URL of `get_url` must be valid for six days, because the
    platform gets it. `head_url` is None by default.

    After an upload the object is checked with `head_url` or, without it or if it is refused, by reading one
    byte with `get_url`. A file is unverified if no response has a checksum of it. With `verify="read-back"`
    every file is read again with `get_url`, at the cost of its transfer; "auto" is the default.

    Creating it does no I/O, and raises ConfigurationError for what is no function and for an unknown
    `verify`. The methods of the store also raise an exception of a function as it is, and ConfigurationError
    for a result of another type, a URL or header that no storage signs, and headers beside that of `get_url`.
    """

    put_url: Sign = field(repr=False, validator=is_function)
    """Signs an upload by PUT."""
    get_url: Sign = field(repr=False, validator=is_function)
    """Signs a download by GET; must be valid for six days, because the platform gets this URL.

    The platform sends no headers with it, so headers beside it raise ConfigurationError.
    """
    head_url: Sign | None = field(default=None, repr=False, validator=optional(is_function))
    """Signs a HEAD request; None, the default, if the service can't."""
    verify: Verify = field(default="auto", validator=is_verify)
    """How uploads are verified: "auto", the default, or "read-back", which reads every file again with
    `get_url`.

    Reading back costs the transfer of each file.
    """

    def connect(self, context: StoreContext) -> Store:
        """Return the store for one client, without a request."""
        return PresignedStore(self, context)


class PresignedStore(ObjectStore):
    """A place behind signed URLs, open for one client; made by `Presigned`. Keys are its URIs."""

    def __init__(self, urls: Presigned, context: StoreContext) -> None:
        super().__init__(context, "", urls.verify)
        self._urls = urls

    def __repr__(self) -> str:
        return "PresignedStore()"

    async def presign_get(self, uri: str, expires: float) -> str:  # noqa: ARG002 - the service decides
        """Return a URL to read the object; its lifetime is up to the service."""
        url, headers = await _signed(self._urls.get_url(as_object_key(uri)))
        if headers:
            raise ConfigurationError(
                "get_url of Presigned returns a URL that needs no headers: the platform sends none when it "
                "reads the slide"
            )
        return url

    async def _send(self, key: str, source: Path, progress: Callable[[int], None] | None) -> SentFile:
        async def sign() -> tuple[str, dict[str, str]]:
            return await _signed(self._urls.put_url(key))

        url, headers = await sign()
        return await put_file(
            self._engine, url, source, name=source.name, headers=headers, progress=progress, renew=sign
        )

    async def _head(self, key: str) -> ObjectFacts:
        if self._urls.head_url is None:
            return await self._probe(key)
        url, headers = await _signed(self._urls.head_url(key))
        return read_facts((await send_request(self._engine, "HEAD", url, name=key, headers=headers)).headers)

    async def _ask(self, key: str) -> ObjectFacts | None:
        facts = await super()._ask(key)
        if facts is not NOTHING or self._urls.head_url is None:
            return facts
        return await facts_or_nothing(self._probe(key))

    async def _probe(self, key: str) -> ObjectFacts:
        return await probe_object(self._engine, await self.presign_get(key, 0), key)


async def _signed(answer: Awaitable[SignedUrl] | SignedUrl) -> tuple[str, dict[str, str]]:
    """Return URL and headers of what a service signs, a plain function's result included.

    Raises ConfigurationError for anything else.
    """
    signed = await answer if inspect.isawaitable(answer) else answer
    kind = type(signed).__name__
    url, headers = signed if isinstance(signed, tuple) and len(signed) == 2 else (signed, {})
    found: tuple[str, dict[str, str]] | None = None
    if isinstance(url, str) and isinstance(headers, Mapping) and None not in headers.values():
        found = SecretText(url), {str(name): SecretText(value) for name, value in headers.items()}
    del answer, signed, url, headers  # tracebacks show the variables of this frame
    if found is None:
        raise ConfigurationError(
            f"the functions of Presigned return a URL, or a URL and a mapping of headers, not {kind}"
        )
    can_be_sent = all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in found[1].items())
    if not can_be_sent or not is_signed_url(found[0]):
        raise ConfigurationError(
            "a function of Presigned returned what no storage signs: such a URL is http or https, and has no "
            "user name, space and fragment, and its headers are texts of Latin-1 without line breaks"
        )
    return found
