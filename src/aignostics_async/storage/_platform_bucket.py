"""The bucket that the platform gives to the caller's organization, so that nobody needs a cloud account.

Its key comes from the platform when it is first needed, and again when the store refuses it. It is kept in
memory only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from attrs import field, frozen
from attrs.validators import optional

from .._core._secret import SecretText
from ..errors import ConfigurationError, UrlRefused
from ._bucket import Bucket
from ._clouds import google_endpoint
from ._credentials import shown_endpoint
from ._dialects import GoogleDialect
from ._fields import is_setting, is_verify
from ._protocol import Verify
from ._signature_v4 import HmacKey, Key

if TYPE_CHECKING:
    from ._context import StoreContext
    from ._protocol import Store

PLACE = "platform"
OBJECT_DAYS = 30
_GONE = f"the platform deletes objects in this bucket after {OBJECT_DAYS} days; upload the slide again"


@frozen(kw_only=True)
class PlatformBucket:
    """The address of the bucket that the platform gives to your organization.

        run = await client.runs.submit(version, items, store=PlatformBucket(verify="read-back"))

    The address `"platform"` is the same as this object with its defaults. `endpoint` is the root URL of the
    store; None, the default, is that of STORAGE_EMULATOR_HOST, else Google's. With `verify="read-back"` every
    file is read again after its upload, at the cost of its transfer; "auto", the default, compares what the
    store reports.

    The bucket is one of Google Cloud Storage. Its name and HMAC key come from `GET /v1/me`, when they are
    first needed and again when the store refuses the key; they are kept in memory. The platform deletes
    objects 30 days after their upload. `presign_get` costs one request, which makes sure that the object is
    there, and raises UrlRefused if it is not.

    Creating it does no I/O, and raises ConfigurationError for an unknown `verify` or an `endpoint` that is
    empty or no text. The methods of the store also raise NotInContract under contract 1.0,
    ConfigurationError if the organization has no such bucket, and the errors of requests that `Pager` names.
    """

    endpoint: str | None = field(default=None, repr=shown_endpoint, validator=optional(is_setting))
    """The root URL of the store; by default that of STORAGE_EMULATOR_HOST, else Google's own."""
    verify: Verify = field(default="auto", validator=is_verify)
    """How uploads are verified: "auto", the default, or "read-back", which reads every file again.

    Reading back costs the transfer of each file.
    """

    def connect(self, context: StoreContext) -> Store:
        """Return the store for one client, without a request.

        Raises ConfigurationError if the endpoint is not a plain http or https URL, without user name, query
        and fragment.
        """
        return _OpenPlatformBucket(context, endpoint=google_endpoint(self.endpoint), verify=self.verify)


class _OpenPlatformBucket(Bucket):
    """The bucket, open for one client. URIs of its objects name `platform`, not the bucket."""

    object_days = OBJECT_DAYS

    def __init__(self, context: StoreContext, *, endpoint: str, verify: Verify) -> None:
        self._endpoint = endpoint
        self._key: HmacKey | None = None
        self._asking = anyio.Lock()
        super().__init__(
            context, GoogleDialect(), self._current_key, root="", bucket="", prefix="", verify=verify
        )
        self._place = f"{PLACE}/"

    async def presign_get(self, uri: str, expires: float) -> str:
        """Return a URL with which anyone can read the object for `expires` seconds, seven days at most.

        A URL dies with the key that signed it, so the store is asked for the object first. Costs that
        request. Raises UrlRefused for an object that is gone.
        """
        key = self._key_of(uri)
        if await self.stat(key) is None:
            raise UrlRefused("the object is not there any more", name=key, status=404, advice=_GONE)
        return await super().presign_get(uri, expires)

    async def _current_key(self) -> Key:
        async with self._asking:
            return self._key or await self._ask_for_key()

    async def _ask_for_key(self) -> HmacKey:
        bucket = await self._context.organization_bucket()
        if bucket.protocol != "gs" or not (bucket.name and bucket.key_id and bucket.key_secret):
            raise ConfigurationError(
                "the platform gives your organization no bucket that this release can use; give another "
                "store, such as s3://bucket/prefix"
            )
        self._root = f"{self._endpoint}/{bucket.name}"
        self._key = HmacKey(SecretText(bucket.key_id.reveal()), SecretText(bucket.key_secret.reveal()))
        return self._key

    async def another_key(self, signer: Key) -> Key | None:
        """Ask the platform for its key, as the store refused this one; None if it has no other one."""
        async with self._asking:
            # Of many requests that are refused at once, the first one asks.
            key = await self._ask_for_key() if self._key is signer else self._key
        return None if key == signer else key
