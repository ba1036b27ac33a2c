"""The stores of the clouds, as a user names them: an address, or an object with its credentials."""

from __future__ import annotations

import inspect
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen
from attrs.validators import optional

from ..errors import ConfigurationError
from ._bucket import Bucket
from ._checksum_negotiation import Checksums
from ._credentials import aws_key, check_endpoint, check_key, google_key, shown_endpoint
from ._dialects import GoogleDialect, S3Dialect
from ._fields import is_name, is_setting, is_text, is_verify, one_of
from ._protocol import Verify
from ._signature_v4 import AwsKey, HmacKey, Key

if TYPE_CHECKING:
    from ._context import StoreContext
    from ._protocol import Store

_GOOGLE = "https://storage.googleapis.com"

AwsKeys = AwsKey | Callable[[], AwsKey | Awaitable[AwsKey]]


def _is_key(_address: object, _attribute: Any, value: Any) -> None:
    if not isinstance(value, AwsKey) and not callable(value):
        raise _no_key(value)


def _no_key(value: object) -> ConfigurationError:
    """Return the error for what is no key; its value may hold a secret, so it is not shown."""
    return ConfigurationError(
        f"`key` of S3 is an AwsKey or a function that returns one, not {type(value).__name__}"
    )


@frozen(kw_only=True)
class S3:
    """The address of a bucket of Amazon S3 or of another store with the S3 API.

        store = S3(bucket="slides", prefix="lab-7")
        store = S3(bucket="slides", endpoint="https://minio.lab", key=AwsKey("id", "secret", "us-east-1"))

    `bucket` is the name of the bucket. The other fields are optional:

    - `prefix`: the first part of every object key; empty by default.
    - `endpoint`: the root URL of the store. None, the default, is that of AWS_ENDPOINT_URL_S3, else
      AWS_ENDPOINT_URL, else Amazon's.
    - `region`: the region of the bucket. None, the default, is AWS_REGION, else AWS_DEFAULT_REGION, else
      `us-east-1` if there is an endpoint.
    - `key`: an `AwsKey`, or a function that returns one and may be async. None, the default, is the key of
      AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.
    - `checksums`: "auto", the default, sends a CRC32C that the store checks, unless the store refuses it;
      "when_required" does not send it; with "always" a refusal is an error.
    - `verify`: "auto", the default, compares what the store reports; "read-back" reads every file again after
      its upload, at the cost of its transfer.

    Creating it does no I/O, and raises ConfigurationError for an empty `bucket`, `endpoint` or `region`, an
    unknown `checksums` or `verify`, or a value of another type; `connect` raises it for what is missing and
    for an invalid endpoint. The repr does not show the key.
    """

    bucket: str = field(validator=is_name)
    """The name of the bucket."""
    prefix: str = field(default="", validator=is_text)
    """The first part of every object key, without slashes at its ends; empty by default."""
    endpoint: str | None = field(default=None, repr=shown_endpoint, validator=optional(is_setting))
    """The root URL of a store other than Amazon's; the bucket is the first part of its paths.

    By default AWS_ENDPOINT_URL_S3, else AWS_ENDPOINT_URL, else Amazon's own.
    """
    region: str | None = field(default=None, validator=optional(is_setting))
    """The region; by default AWS_REGION, else AWS_DEFAULT_REGION, else `us-east-1` if there is an endpoint.

    An `AwsKey` that you pass signs with its own region, and this one counts for Amazon's host name only.
    """
    key: AwsKeys | None = field(default=None, repr=False, validator=optional(_is_key))
    """The access key, or a function that returns one and may be async, for keys that are renewed.

    The function is called in the event loop, before each request, each part of an upload and each URL that is
    signed, so it should keep its key between calls. An exception of it is raised by the request. None, the
    default, takes the key from the environment.
    """
    checksums: Checksums = field(default="auto", validator=one_of(Checksums))
    """Whether requests carry a CRC32C that the store checks; "auto" by default.

    "auto" sends it unless the store refuses it, which is decided once and logged. "when_required" never sends
    it, for stores that are known to refuse it. With "always" a refusal is an error.
    """
    verify: Verify = field(default="auto", validator=is_verify)
    """How uploads are verified: "auto", the default, or "read-back", which reads every file again.

    Reading back costs the transfer of each file.
    """

    def connect(self, context: StoreContext) -> Store:
        """Return the store for one client, without a request.

        Raises ConfigurationError if neither endpoint nor region is known, there is no key, that of the
        environment can't be encoded, or the endpoint is not a plain http or https URL: without user name,
        query and fragment. A `key` is not looked at yet, and no function called; the request that needs it
        raises what the function raises, and ConfigurationError for anything but an AwsKey, or one whose texts
        can't be encoded.
        """
        endpoint = self.endpoint or _first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
        region = self.region or _first("AWS_REGION", "AWS_DEFAULT_REGION")
        if endpoint is None and region is None:
            raise ConfigurationError("the bucket's region is not known; set AWS_REGION, or give `region`")
        region = region or "us-east-1"
        given = self.key or aws_key(region)

        async def keys() -> AwsKey:
            key = given() if callable(given) else given
            key = await key if inspect.isawaitable(key) else key
            if not isinstance(key, AwsKey):
                raise _no_key(key)
            return check_key(key)

        return Bucket(
            context,
            S3Dialect(),
            keys,
            root=self._root(endpoint, region),
            bucket=self.bucket,
            prefix=self.prefix,
            verify=self.verify,
            checksums=self.checksums,
        )

    def _root(self, endpoint: str | None, region: str) -> str:
        if endpoint is not None:
            return f"{check_endpoint(endpoint)}/{self.bucket}"
        if "." in self.bucket:  # no certificate is for such a host
            return f"https://s3.{region}.amazonaws.com/{self.bucket}"
        return f"https://{self.bucket}.s3.{region}.amazonaws.com"


@frozen(kw_only=True)
class GCS:
    """The address of a bucket of Google Cloud Storage.

        store = GCS(bucket="slides", hmac=HmacKey("GOOG1E...", "secret"))

    `bucket` is its name, and `prefix` the first part of every object name, empty by default. Requests are
    signed with `hmac`, an `HmacKey` or a pair of access id and secret, else with `service_account`, the path
    of a service account's key file in JSON or its content as a mapping. If both are None, as by default, the
    credentials are taken from GOOGLE_HMAC_ACCESS_ID and GOOGLE_HMAC_SECRET, else from the file that
    GOOGLE_APPLICATION_CREDENTIALS names. `endpoint` is the root URL of the store; None, the default, is that
    of STORAGE_EMULATOR_HOST, else Google's. `verify="read-back"` reads every file again after its upload, at
    the cost of its transfer; "auto", the default, compares what the store reports.

    Creating it does no I/O, and raises ConfigurationError for an empty `bucket` or `endpoint`, an unknown
    `verify`, or a `bucket`, `prefix` or `endpoint` that is no text; `connect` raises it for missing or
    invalid credentials and an invalid endpoint. The repr shows no credentials.
    """

    bucket: str = field(validator=is_name)
    """The name of the bucket."""
    prefix: str = field(default="", validator=is_text)
    """The first part of every object name, without slashes at its ends; empty by default."""
    endpoint: str | None = field(default=None, repr=shown_endpoint, validator=optional(is_setting))
    """The root URL of the store; by default that of STORAGE_EMULATOR_HOST, else
    `https://storage.googleapis.com`.
    """
    service_account: str | os.PathLike[str] | Mapping[str, Any] | None = field(default=None, repr=False)
    """The path of a service account's key file in JSON, or its content as a mapping; None by default."""
    hmac: HmacKey | tuple[str, str] | None = field(default=None, repr=False)
    """An HMAC key, or its access id and secret; takes precedence over `service_account`. None by default."""
    verify: Verify = field(default="auto", validator=is_verify)
    """How uploads are verified: "auto", the default, or "read-back", which reads every file again.

    Reading back costs the transfer of each file.
    """

    def connect(self, context: StoreContext) -> Store:
        """Return the store for one client, without a request.

        `client.store`, `runs.submit` and bulk jobs call it. Reads the key file if one is used. Raises
        ConfigurationError if there are no credentials, the key file can't be read or holds no RSA key of a
        service account, the HMAC key is incomplete or can't be encoded, or the endpoint is not a plain http
        or https URL: without user name, query and fragment.
        """
        key = google_key(self.service_account, self.hmac)

        async def keys() -> Key:
            return key

        root = f"{google_endpoint(self.endpoint)}/{self.bucket}"
        return Bucket(
            context,
            GoogleDialect(),
            keys,
            root=root,
            bucket=self.bucket,
            prefix=self.prefix,
            verify=self.verify,
        )


def google_endpoint(given: str | None) -> str:
    """Return the root of Google Cloud Storage, or of what stands in its place. Raises ConfigurationError."""
    if given is not None:
        return check_endpoint(given)
    elsewhere = _first("STORAGE_EMULATOR_HOST") or _GOOGLE
    # Google's own libraries take it without a scheme, too.
    return check_endpoint(elsewhere if "://" in elsewhere else f"http://{elsewhere}")


def _first(*names: str) -> str | None:
    return next((value for name in names if (value := os.environ.get(name))), None)
