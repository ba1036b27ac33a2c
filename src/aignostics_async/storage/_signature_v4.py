"""Signature version 4 in the query, as S3 and Google Cloud Storage share it. Pure.

Signing libraries sign a URL for one method on one key. An upload with a checksum that the store checks has
more in its signature: the number of a part, and the header with the checksum. So all requests are signed
here, in one way; tests compare it with botocore and obstore.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

from attrs import field, frozen

from .._core._secret import SecretText

LONGEST = 7 * 24 * 3600
"""Seconds for which a signature of this kind is good at most."""


@frozen
class AwsKey:
    """An access key of AWS or of another store with the S3 API.

        S3(bucket="slides", key=AwsKey("AKIA...", "secret", "eu-central-1"))

    `name` is the access key id, `secret` the secret access key, and `region` the region of the bucket. A
    temporary key also has `token`, its session token, and `expires_at`, its end as a datetime with time zone;
    both are None by default. `algorithm` and `vendor` are constants of the signature. Creating it checks
    nothing. The repr shows neither secret nor session token.
    """

    name: str
    """The access key id."""
    secret: str = field(repr=False)
    """The secret access key."""
    region: str
    """The region of the bucket, such as `eu-central-1`."""
    token: str | None = field(default=None, repr=False)
    """The session token of a temporary key; None by default."""
    expires_at: datetime | None = None
    """When a temporary key expires, with time zone; None, the default, for never, or if it is not known."""
    algorithm = "AWS4-HMAC-SHA256"
    """The value of `X-Amz-Algorithm`."""
    vendor = "Amz"
    """The part of query parameters after `X-`."""

    @property
    def scope(self) -> str:
        """The credential scope of AWS signature version 4, without the date.

        For the region `eu-central-1` it is `eu-central-1/s3/aws4_request`.
        """
        return f"{self.region}/s3/aws4_request"

    def extra(self) -> Mapping[str, str]:
        """Return the query parameters that the key adds to a signed URL.

        The mapping is `{"X-Amz-Security-Token": token}` for a key with a `token`, else empty.
        """
        return {"X-Amz-Security-Token": self.token} if self.token else {}

    def sign(self, text: str, date: str) -> str:
        r"""Return the signature of a string to sign, as 64 hexadecimal digits.

            key.sign("AWS4-HMAC-SHA256\n...", "20261129")

        `text` is the string to sign of AWS signature version 4. `date` is the day of the request in UTC as
        YYYYMMDD; the signing key is derived from it.
        """
        return _chained(f"AWS4{self.secret}", date, self.scope, text)


class _KeyOfGoogle:
    """What the keys of Google Cloud Storage share: everything but how they sign."""

    __slots__ = ()

    vendor = "Goog"
    scope = "auto/storage/goog4_request"

    def extra(self) -> Mapping[str, str]:
        """Return the query parameters that the key adds to a signed URL: an empty mapping."""
        return {}


@frozen
class GoogleKey(_KeyOfGoogle):
    """The key of a service account of Google Cloud."""

    name: str
    private_key: str = field(repr=False)
    """In PEM form."""
    expires_at: datetime | None = None
    algorithm = "GOOG4-RSA-SHA256"

    def sign(self, text: str, date: str) -> str:  # noqa: ARG002 - AWS's key depends on it
        """Return the RSA signature of a string to sign, as hexadecimal digits; the date is not used.

        Raises TypeError for a key that is not RSA, and ValueError for one that is not PEM.
        """
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key = load_pem_private_key(self.private_key.encode(), None)
        if not isinstance(key, RSAPrivateKey):
            raise TypeError("a service account's key is one of RSA")
        return key.sign(text.encode(), PKCS1v15(), SHA256()).hex()


@frozen
class HmacKey(_KeyOfGoogle):
    """An HMAC key of Google Cloud Storage.

        GCS(bucket="slides", hmac=HmacKey("GOOG1E...", "secret"))

    `name` is the access id and `secret` the secret of the key. `expires_at` is a datetime with time zone;
    None, the default, for a key that never expires. `algorithm` is a constant of the signature. Creating it
    checks nothing. The repr does not show the secret.
    """

    name: str
    """The access id, such as `GOOG1E...`."""
    secret: str = field(repr=False)
    """The secret of the key."""
    expires_at: datetime | None = None
    """When the key expires, with time zone; None, the default, for never."""
    algorithm = "GOOG4-HMAC-SHA256"
    """The value of `X-Goog-Algorithm`."""

    def sign(self, text: str, date: str) -> str:
        r"""Return the signature of a string to sign, as 64 hexadecimal digits.

            key.sign("GOOG4-HMAC-SHA256\n...", "20261129")

        `text` is the string to sign of signature version 4 of Google Cloud Storage. `date` is the day of the
        request in UTC as YYYYMMDD; the signing key is derived from it.
        """
        return _chained(f"GOOG4{self.secret}", date, self.scope, text)


Key = AwsKey | GoogleKey | HmacKey


def _chained(secret: str, date: str, scope: str, text: str) -> str:
    """Return the HMAC of a text under the key that a secret gives for a date and a scope."""
    key = secret.encode()
    for part in (date, *scope.split("/")):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def presign(
    signer: Key,
    method: str,
    url: str,
    *,
    expires: int,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> SecretText:
    """Return a URL for one method, this query and these headers (lower case), good for `expires` seconds."""
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    vendor = f"X-{signer.vendor}"
    signed = {
        "host": urlsplit(url).netloc,
        **{name.lower(): value for name, value in (headers or {}).items()},
    }
    fields = {
        **(query or {}),
        f"{vendor}-Algorithm": signer.algorithm,
        f"{vendor}-Credential": f"{signer.name}/{stamp[:8]}/{signer.scope}",
        f"{vendor}-Date": stamp,
        f"{vendor}-Expires": str(expires),
        f"{vendor}-SignedHeaders": ";".join(sorted(signed)),
        **signer.extra(),
    }
    text = string_to_sign(
        signer, canonical_request(method, urlsplit(url).path, fields.items(), signed), stamp
    )
    signature = signer.sign(text, stamp[:8])
    return SecretText(f"{url}?{_query(fields.items())}&{vendor}-Signature={signature}")


def canonical_request(
    method: str, path: str, query: Iterable[tuple[str, str]], headers: Mapping[str, str]
) -> str:
    """Return the form of a request that both sides sign; `path` is escaped, header names are lower case."""
    lines = "".join(f"{name}:{' '.join(headers[name].split())}\n" for name in sorted(headers))
    return f"{method}\n{path}\n{_query(query)}\n{lines}\n{';'.join(sorted(headers))}\nUNSIGNED-PAYLOAD"


def string_to_sign(signer: Key, request: str, stamp: str) -> str:
    """Return the text under the signature."""
    digest = hashlib.sha256(request.encode()).hexdigest()
    return f"{signer.algorithm}\n{stamp}\n{stamp[:8]}/{signer.scope}\n{digest}"


def escaped_key(key: str) -> str:
    """Return a key as a path."""
    return quote(key, safe="/-_.~")


def fields_of(query: str) -> list[tuple[str, str]]:
    """Return the fields of a query, the empty ones too."""
    return parse_qsl(query, keep_blank_values=True)


def _query(fields: Iterable[tuple[str, str]]) -> str:
    return "&".join(sorted(f"{_escaped(name)}={_escaped(value)}" for name, value in fields))


def _escaped(text: str) -> str:
    return quote(text, safe="-_.~")
