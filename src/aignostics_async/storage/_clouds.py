"""The stores of the clouds, as a user names them: an address, or an object with its credentials."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from attrs import field, frozen

from ..errors import ConfigurationError
from ._bucket import Bucket, GoogleDialect, S3Dialect
from ._signature_v4 import AwsKey, GoogleKey

if TYPE_CHECKING:
    from ._context import StoreContext
    from ._protocol import Store

_GOOGLE = "https://storage.googleapis.com"

AwsKeys = AwsKey | Callable[[], AwsKey | Awaitable[AwsKey]]


@frozen(kw_only=True)
class S3:
    """A bucket of Amazon S3, or of another store that speaks S3.

        store = S3(bucket="slides", prefix="lab-7")

    Without `key` the environment is asked: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, and
    AWS_REGION for the region. A function gives keys that are renewed; it is asked before each request.
    """

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    """The root of another store than Amazon's; the bucket is the first part of its paths."""
    region: str | None = None
    key: AwsKeys | None = field(default=None, repr=False)

    def connect(self, session: StoreContext) -> Store:
        """Return the store, for one client."""
        region = self.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if self.endpoint is None and region is None:
            raise ConfigurationError("the bucket's region is not known; set AWS_REGION, or give `region`")
        region = region or "us-east-1"
        if self.endpoint is not None:
            root = f"{_endpoint(self.endpoint)}/{self.bucket}"
        elif "." in self.bucket:  # no certificate is for such a host
            root = f"https://s3.{region}.amazonaws.com/{self.bucket}"
        else:
            root = f"https://{self.bucket}.s3.{region}.amazonaws.com"
        given = self.key or _aws_environment(region)

        async def keys() -> AwsKey:
            key = given() if callable(given) else given
            return await key if inspect.isawaitable(key) else key

        return Bucket(session, S3Dialect(), root, f"{self.bucket}/{self.prefix}", keys)


@frozen(kw_only=True)
class GCS:
    """A bucket of Google Cloud Storage.

    `service_account` is the file or the content of a service account's key, which signs; without it
    GOOGLE_APPLICATION_CREDENTIALS names the file.
    """

    bucket: str
    prefix: str = ""
    endpoint: str = _GOOGLE
    service_account: str | os.PathLike[str] | Mapping[str, Any] | None = field(default=None, repr=False)

    def connect(self, session: StoreContext) -> Store:
        """Return the store, for one client."""
        key = _google_key(self.service_account or os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"))

        async def keys() -> GoogleKey:
            return key

        root = f"{_endpoint(self.endpoint)}/{self.bucket}"
        return Bucket(session, GoogleDialect(), root, f"{self.bucket}/{self.prefix}", keys)


def _aws_environment(region: str) -> AwsKey:
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    if missing := [name for name in names if not os.environ.get(name)]:
        raise ConfigurationError(
            f"there is no key for the bucket: set {' and '.join(missing)}, or give S3(key=...)"
        )
    key, secret = (os.environ[name] for name in names)
    return AwsKey(key, secret, region, os.environ.get("AWS_SESSION_TOKEN"))


def _google_key(source: str | os.PathLike[str] | Mapping[str, Any] | None) -> GoogleKey:
    if source is None:
        raise ConfigurationError(
            "there is no key for the bucket: set GOOGLE_APPLICATION_CREDENTIALS to the file of a service "
            "account's key, or give GCS(service_account=...)"
        )
    try:
        content = source if isinstance(source, Mapping) else json.loads(Path(source).read_text("utf-8"))
        return GoogleKey(content["client_email"], content["private_key"])
    except OSError as error:
        raise ConfigurationError(f"the service account's key can't be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(
            "that is no key of a service account; one has client_email and private_key"
        ) from None


def _endpoint(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or "@" in parts.netloc:
        raise ConfigurationError("a store's endpoint is a URL such as https://host")
    return endpoint.rstrip("/")
