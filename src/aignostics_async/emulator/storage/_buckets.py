"""Buckets with the APIs of S3 and Google Cloud Storage, below `/s3` and `/gcs`.

They check what real stores check: the signature over method, path, query and headers, its expiry, that every
`x-amz-` and `x-goog-` header is signed, and the checksum of each body, part and whole. Multipart uploads in
progress are lost when the emulator stops.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import re
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import anyio
from attrs import field, frozen
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from ..._core._crc32c import goog_crc32c
from ...storage._signature_v4 import (
    LONGEST,
    AwsKey,
    GoogleKey,
    HmacKey,
    Key,
    canonical_request,
    fields_of,
    string_to_sign,
)
from ..platform._objects import ChecksumRefused

if TYPE_CHECKING:
    from starlette.requests import Request

    from ..platform._platform import Platform
    from ..platform._state_database import StoredObject

GOOGLE_PATH = "/gcs"
"""Where the API of Google Cloud Storage begins."""
REGION = "emulator-1"
_METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE"]
_CLOCKS = timedelta(minutes=15)
_MIN_PART_BYTES = 5 * 1024 * 1024


class _Refused(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


@frozen
class _PendingUpload:
    """A multipart upload in progress."""

    key: str
    begun: datetime = field(factory=lambda: datetime.now(UTC))
    parts: dict[int, StoredObject] = field(factory=dict)


class Buckets:
    """The endpoints of both APIs. Every bucket exists and is empty at first."""

    def __init__(self, platform: Platform) -> None:
        self._objects = platform.objects
        self._uploads: dict[str, _PendingUpload] = {}
        self._platform = platform
        self._fixed_keys = _write_keys(platform)

    def _keys(self, kind: str) -> tuple[Key, ...]:
        keys = self._fixed_keys[kind]
        return keys if kind == "s3" else (*keys, hmac_key(self._platform))

    def routes(self) -> list[Route]:
        """Return the routes of both APIs."""
        return [
            route
            for kind in self._fixed_keys
            for route in (
                Route(f"/{kind}/{{bucket}}", self._answer, methods=_METHODS),
                Route(f"/{kind}/{{bucket}}/{{key:path}}", self._answer, methods=_METHODS),
            )
        ]

    async def _answer(self, request: Request) -> Response:
        try:
            _check(_key_for(self._keys(_kind(request)), request), request)
            return await self._serve(request)
        except _Refused as refused:
            return _xml(f"<Error><Code>{refused.code}</Code></Error>", refused.status)
        except ChecksumRefused:
            return _xml("<Error><Code>BadDigest</Code></Error>", 400)

    async def _serve(self, request: Request) -> Response:
        query, method = request.query_params, request.method
        if method in ("GET", "HEAD"):
            return self._list(request) if "uploads" in query else self._read(request)
        if method == "POST" and "uploads" in query:
            return self._begin(request)
        if "uploadId" in query:
            return await self._serve_upload(request)
        if method == "PUT":
            return _written(request, await self._write(request, _key(request)))
        if method == "DELETE":
            self._objects.delete(_key(request))
            return Response(status_code=204)
        raise _Refused(405, "MethodNotAllowed")

    async def _serve_upload(self, request: Request) -> Response:
        upload = self._uploads.get(request.query_params["uploadId"])
        if upload is None or upload.key != _key(request):
            raise _Refused(404, "NoSuchUpload")
        if request.method == "PUT":
            return await self._write_part(request, upload)
        if request.method == "POST":
            return await self._complete(request, upload)
        return self._abort(request.query_params["uploadId"])

    # Objects

    def _read(self, request: Request) -> Response:
        row = self._objects.find(_key(request))
        if row is None:
            raise _Refused(404, "NoSuchKey")
        asked = request.headers.get("x-amz-checksum-mode") == "ENABLED" or _kind(request) == "gcs"
        headers = {"etag": _etag(row), **(_checksum(request, row) if asked else {})}
        return FileResponse(self._objects.path(row), media_type=row.media_type, headers=headers)

    async def _write(self, request: Request, key: str) -> StoredObject:
        headers = request.headers
        announced = headers.get("x-amz-checksum-crc32c") or goog_crc32c(headers.get("x-goog-hash"))
        media_type = headers.get("content-type", "application/octet-stream")
        return await self._objects.write(key, request.stream(), media_type, announced)

    # Multipart uploads

    def _begin(self, request: Request) -> Response:
        ident = secrets.token_hex(16)
        self._uploads[ident] = _PendingUpload(_key(request))
        body = f"<UploadId>{ident}</UploadId>"
        return _xml(f"<InitiateMultipartUploadResult>{body}</InitiateMultipartUploadResult>")

    async def _write_part(self, request: Request, upload: _PendingUpload) -> Response:
        number = request.query_params.get("partNumber", "")
        if not number.isdecimal() or not 1 <= int(number) <= 10_000:
            raise _Refused(400, "InvalidArgument")
        row = await self._write(request, f"parts/{secrets.token_hex(16)}")
        replaced = upload.parts.get(int(number))
        upload.parts[int(number)] = row
        if replaced is not None:
            self._objects.delete(replaced.key)
        return _written(request, row)

    async def _complete(self, request: Request, upload: _PendingUpload) -> Response:
        told = re.findall(r"<Part>(.*?)</Part>", (await request.body()).decode(), re.DOTALL)
        rows = [self._part(upload, entry) for entry in told]
        if not rows or [number for number, _ in rows] != sorted({number for number, _ in rows}):
            raise _Refused(400, "InvalidPartOrder")
        if any(row.size < _MIN_PART_BYTES for _, row in rows[:-1]):
            raise _Refused(400, "EntityTooSmall")
        announced = request.headers.get("x-amz-checksum-crc32c")
        pieces = self._joined([row for _, row in rows])
        row = await self._objects.write(upload.key, pieces, "application/octet-stream", announced)
        self._abort(request.query_params["uploadId"])
        return _xml(
            f"<CompleteMultipartUploadResult><ETag>{_etag(row)}</ETag></CompleteMultipartUploadResult>"
        )

    def _part(self, upload: _PendingUpload, entry: str) -> tuple[int, StoredObject]:
        fields = dict(re.findall(r"<(\w+)>([^<]*)</", entry))
        number = int(fields.get("PartNumber", "0"))
        row = upload.parts.get(number)
        wanted = fields.get("ETag", "").replace("&quot;", '"').strip('"')
        if row is None or wanted != _etag(row).strip('"'):
            raise _Refused(400, "InvalidPart")
        if fields.get("ChecksumCRC32C", row.crc32c) != row.crc32c:
            raise _Refused(400, "InvalidPart")
        return number, row

    async def _joined(self, rows: list[StoredObject]) -> AsyncIterator[bytes]:
        for row in rows:
            async with await anyio.open_file(self._objects.path(row), "rb") as file:
                while piece := await file.read(1024 * 1024):
                    yield piece

    def _abort(self, ident: str) -> Response:
        for row in self._uploads.pop(ident).parts.values():
            self._objects.delete(row.key)
        return Response(status_code=204)

    def _list(self, request: Request) -> Response:
        bucket, prefix = _key(request), request.query_params.get("prefix", "")
        entries = "".join(
            f"<Upload><Key>{upload.key.removeprefix(bucket)}</Key><UploadId>{ident}</UploadId>"
            f"<Initiated>{upload.begun.isoformat()}</Initiated></Upload>"
            for ident, upload in self._uploads.items()
            if upload.key.startswith(bucket + prefix)
        )
        return _xml(f"<ListMultipartUploadsResult>{entries}</ListMultipartUploadsResult>")


def _key_for(keys: tuple[Key, ...], request: Request) -> Key:
    """Return the key whose algorithm a request names; the first one where it names none of them."""
    named = set(request.query_params.values())
    return next((key for key in keys if key.algorithm in named), keys[0])


def _check(key: Key, request: Request) -> None:
    """Raise _Refused unless the request has a valid signature of this key that has not expired."""
    vendor, scope = f"X-{key.vendor}-", request.scope
    fields = fields_of(scope["query_string"].decode("ascii"))
    query = dict(fields)
    try:
        signature, stamp = query[f"{vendor}Signature"], query[f"{vendor}Date"]
        begun = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        lifetime = int(query[f"{vendor}Expires"])
        names = query[f"{vendor}SignedHeaders"].split(";")
        credential, algorithm = query[f"{vendor}Credential"], query[f"{vendor}Algorithm"]
    except (KeyError, ValueError):
        raise _Refused(403, "AccessDenied") from None
    if (credential, algorithm) != (f"{key.name}/{stamp[:8]}/{key.scope}", key.algorithm):
        raise _Refused(403, "InvalidAccessKeyId")
    own = [name for name in request.headers if name.startswith(("x-amz-", "x-goog-"))]
    if not set(names) >= {"host", *own}:
        raise _Refused(403, "AccessDenied")
    headers = {name: request.headers.get(name, "") for name in names}
    rest = [each for each in fields if each[0] != f"{vendor}Signature"]
    path = scope["raw_path"].decode("ascii").partition("?")[0]
    text = string_to_sign(key, canonical_request(request.method, path, rest, headers), stamp)
    if not hmac.compare_digest(signature.encode(), key.sign(text, stamp[:8]).encode()):
        raise _Refused(403, "SignatureDoesNotMatch")
    now = datetime.now(UTC)
    if not 1 <= lifetime <= LONGEST or begun > now + _CLOCKS:
        raise _Refused(403, "AuthorizationQueryParametersError")
    if now > begun + timedelta(seconds=lifetime):
        # The stores differ here.
        raise _Refused(403, "AccessDenied") if key.vendor == "Amz" else _Refused(400, "ExpiredToken")


def hmac_key(platform: Platform) -> HmacKey:
    """Return the HMAC key of the buckets below `/gcs`, which is that of the organization."""
    ident, secret = (platform.database.secret(name, fresh) for name, fresh in _fresh_hmac_key().items())
    return HmacKey(ident.decode(), secret.decode())


def rotate_hmac_key(platform: Platform) -> None:
    """Replace the HMAC key: from now on the old one is refused, in URLs that it has signed too."""
    for name, fresh in _fresh_hmac_key().items():
        platform.database.replace_secret(name, fresh)
    _write_keys(platform)


def _fresh_hmac_key() -> dict[str, bytes]:
    # The tests search for secrets by their beginning.
    secret = f"emulator-secret-{secrets.token_urlsafe(30)}"
    return {"hmac id": f"GOOG1E{secrets.token_hex(8).upper()}".encode(), "hmac secret": secret.encode()}


def _write_keys(platform: Platform) -> dict[str, tuple[Key, ...]]:
    """Return the keys that do not change, and write all of them to `stores.json` in the data folder."""
    secret = platform.database.secret("s3 key", secrets.token_urlsafe(30).encode()).decode()
    pem = _rsa(platform)
    s3 = AwsKey("EMULATOR", secret, REGION)
    account = GoogleKey("emulator@emulator.iam.gserviceaccount.com", pem)
    interoperable = hmac_key(platform)
    told = {
        "s3": {"name": s3.name, "secret": secret, "region": REGION},
        "gcs": {"type": "service_account", "client_email": account.name, "private_key": pem},
        "gcs_hmac": {"name": interoperable.name, "secret": interoperable.secret},
    }
    _write(platform, told)
    return {"s3": (s3,), "gcs": (account,)}


def _write(platform: Platform, told: dict[str, Any]) -> None:
    path = platform.options.data / "stores.json"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    with os.fdopen(os.open(path, flags, 0o600), "w") as file:
        json.dump(told, file, indent=2)


def _rsa(platform: Platform) -> str:
    """Return the service account's key. The first start generates it, which takes 0.1 s."""
    there = platform.options.data / "stores.json"
    if there.is_file():
        with contextlib.suppress(ValueError, KeyError, OSError):
            pem: str = json.loads(there.read_text(encoding="utf-8"))["gcs"]["private_key"]
            return pem
    return _fresh_rsa()


def _fresh_rsa() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")


def _kind(request: Request) -> str:
    kind: str = request.scope["path"].split("/")[1]
    return kind


def _key(request: Request) -> str:
    """Return the key in the object store: API, bucket and key."""
    parameters = request.path_params
    return f"{_kind(request)}/{parameters['bucket']}/{parameters.get('key', '')}"


def _etag(row: StoredObject) -> str:
    return f'"{row.crc32c}-{row.size}"'


def _checksum(request: Request, row: StoredObject) -> dict[str, str]:
    if _kind(request) == "gcs":
        return {"x-goog-hash": f"crc32c={row.crc32c}"}
    return {"x-amz-checksum-crc32c": row.crc32c, "x-amz-checksum-type": "FULL_OBJECT"}


def _written(request: Request, row: StoredObject) -> Response:
    return Response(headers={"etag": _etag(row), **_checksum(request, row)})


def _xml(body: str, status: int = 200) -> Response:
    return Response(f"<?xml version='1.0' encoding='UTF-8'?>{body}", status, media_type="application/xml")
