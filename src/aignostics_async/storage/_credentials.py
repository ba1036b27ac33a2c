"""Keys and endpoints of stores, from arguments and the environment, checked before anything is sent."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .._core._secret import conceals_arguments
from .._core._token import is_text
from .._core._urls import has_user_name, shown_address
from ..errors import ConfigurationError
from ._signature_v4 import AwsKey, GoogleKey, HmacKey

GOOGLE_HMAC = ("GOOGLE_HMAC_ACCESS_ID", "GOOGLE_HMAC_SECRET")


@conceals_arguments
def check_endpoint(endpoint: str) -> str:
    """Return the root of a store without a slash at its end. Raises ConfigurationError."""
    try:
        parts = urlsplit(endpoint)
        _ = parts.port
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        usable = usable and not (parts.query or parts.fragment or has_user_name(endpoint))
    except (ValueError, TypeError, AttributeError):
        usable = False
    if not usable:
        raise ConfigurationError(
            "a store's endpoint (of S3 also AWS_ENDPOINT_URL, of Google STORAGE_EMULATOR_HOST) is a URL "
            "such as https://host or https://host:9000"
        )
    return endpoint.rstrip("/")


def shown_endpoint(endpoint: object) -> str:
    """Return the repr of an endpoint, without a password."""
    return repr(shown_address(endpoint) if isinstance(endpoint, str) else endpoint)


def aws_key(region: str) -> AwsKey:
    """Return the key that the environment names. Raises ConfigurationError."""
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    if missing := [name for name in names if not os.environ.get(name)]:
        raise ConfigurationError(
            f"there is no key for the bucket: set {' and '.join(missing)}, or give S3(key=...)"
        )
    key, secret = (os.environ[name] for name in names)
    return check_key(AwsKey(key, secret, region, os.environ.get("AWS_SESSION_TOKEN")))


def check_key(key: AwsKey) -> AwsKey:
    """Return a key. Raises ConfigurationError if it is of texts that can't be encoded."""
    if not all(map(is_text, (key.name, key.secret, key.token or ""))):
        raise ConfigurationError("an AwsKey has a text that can't be encoded; was its variable cut?")
    return key


def google_key(
    service_account: str | os.PathLike[str] | Mapping[str, Any] | None,
    hmac: HmacKey | tuple[str, str] | None,
) -> GoogleKey | HmacKey:
    """Return the key that is given, else the one that the environment names. Raises ConfigurationError."""
    if hmac is not None:
        return _hmac_key(hmac)
    if service_account is not None:
        return _service_account(service_account)
    access_id, secret = (os.environ.get(name) for name in GOOGLE_HMAC)
    if access_id and secret:
        return _hmac_key((access_id, secret))
    file = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    if file:
        return _service_account(file)
    raise ConfigurationError(
        "there is no key for the bucket: set GOOGLE_APPLICATION_CREDENTIALS to the file of a service "
        f"account's key, or {' and '.join(GOOGLE_HMAC)}, or give GCS(service_account=...) or GCS(hmac=...)"
    )


def azure_key(key: str) -> str:
    """Return the key of a storage account. Raises ConfigurationError unless it is base64."""
    try:
        base64.b64decode(key, validate=True)
    except (ValueError, TypeError):
        raise ConfigurationError(
            "the key of the storage account is no base64; copy all of it from the portal to AZURE_STORAGE_KEY"
        ) from None
    return key


def _hmac_key(given: HmacKey | tuple[str, str]) -> HmacKey:
    try:
        key = given if isinstance(given, HmacKey) else HmacKey(*given)
        usable = all(is_text(each) and each for each in (key.name, key.secret))
    except TypeError:
        usable = False
    if not usable:
        raise ConfigurationError(
            "an HMAC key of Google Cloud Storage has an access id and a secret: HmacKey(id, secret)"
        )
    return key


def _service_account(source: str | os.PathLike[str] | Mapping[str, Any]) -> GoogleKey:
    try:
        content = source if isinstance(source, Mapping) else json.loads(Path(source).read_text("utf-8"))
        key = GoogleKey(content["client_email"], content["private_key"])
    except OSError as error:
        raise ConfigurationError(f"the service account's key can't be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ConfigurationError(
            "that is no key of a service account; one has client_email and private_key"
        ) from None
    try:
        key.sign("a trial", "20260101")
    except Exception:  # noqa: BLE001 - whatever the library makes of it; its words may hold the key
        raise ConfigurationError(
            "the private_key of the service account is no RSA key in PEM form; download the key's file again"
        ) from None
    return key
