"""The emulator's buckets refuse what a real store refuses: signatures, ends, headers, checksums, parts."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import obstore
import pytest
import requests
from attrs import evolve
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from obstore.store import GCSStore, S3Store

from aignostics_async import checksum_bytes
from aignostics_async.emulator.process import Emulator
from aignostics_async.storage._signature_v4 import (
    AwsKey,
    GoogleKey,
    HmacKey,
    Key,
    fields_of,
    presign,
)

BODY = b"0123456789" * 100
WIRE = checksum_bytes(BODY).wire
OTHER = checksum_bytes(b"other").wire
PART = bytes(5 * 1024 * 1024)


def key_of(emulator: Emulator, kind: str) -> Key:
    if kind == "s3":
        key = emulator.s3().key
        assert isinstance(key, AwsKey)
        return key
    account = emulator.gcs().service_account
    assert isinstance(account, dict)
    return GoogleKey(account["client_email"], account["private_key"])


class Bucket:
    """A bucket of the emulator, asked with a client that is not ours."""

    def __init__(self, emulator: Emulator, kind: str) -> None:
        self.kind = kind
        self.key = key_of(emulator, kind)
        self.url = f"{emulator.api_root}/{kind}/b/some/key"

    def checksum(self, wire: str) -> dict[str, str]:
        return {"x-goog-hash": f"crc32c={wire}"} if self.kind == "gcs" else {"x-amz-checksum-crc32c": wire}

    def ask(
        self, method: str, body: bytes = b"", *, headers: dict[str, str] | None = None, **query: str
    ) -> requests.Response:
        url = presign(self.key, method, self.url, expires=60, query=query, headers=headers)
        return requests.request(method, url, data=body, headers=headers, timeout=30)

    def begin(self) -> str:
        text: str = self.ask("POST", uploads="").text
        return text.partition("<UploadId>")[2].partition("<")[0]

    def part(self, upload: str, number: int, body: bytes = PART) -> str:
        answer = self.ask("PUT", body, partNumber=str(number), uploadId=upload)
        answer.raise_for_status()
        etag: str = answer.headers["etag"]
        return etag

    def complete(
        self, upload: str, *parts: tuple[int, str], headers: dict[str, str] | None = None
    ) -> requests.Response:
        entries = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>" for number, etag in parts
        )
        body = f"<CompleteMultipartUpload>{entries}</CompleteMultipartUpload>".encode()
        return self.ask("POST", body, headers=headers, uploadId=upload)


@pytest.fixture(params=["s3", "gcs"])
def bucket(emulator: Emulator, request: pytest.FixtureRequest) -> Bucket:
    return Bucket(emulator, request.param)


def test_a_signature_opens_one_thing(bucket: Bucket) -> None:
    assert bucket.ask("PUT", BODY).status_code == 200
    url = presign(bucket.key, "GET", bucket.url, expires=60)
    assert requests.get(url, timeout=30).content == BODY
    wrong = [
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url.replace("some/key", "some/other"),
        url.replace("Expires=60", "Expires=61"),
        url + "&versionId=1",
        url.partition("&X-")[0],
        bucket.url,
    ]
    assert [requests.get(each, timeout=30).status_code for each in wrong] == [403] * len(wrong)
    assert requests.put(url, data=b"x", timeout=30).status_code == 403
    assert requests.delete(url, timeout=30).status_code == 403
    stranger = evolve(bucket.key, name="stranger")
    assert requests.get(presign(stranger, "GET", bucket.url, expires=60), timeout=30).status_code == 403
    assert requests.get(url, timeout=30).content == BODY


def test_a_signature_has_its_time(bucket: Bucket) -> None:
    bucket.ask("PUT", BODY)
    now = datetime.now(UTC)
    for expires, signed_at, status in (
        (60, now - timedelta(seconds=50), 200),
        (60, now - timedelta(seconds=62), 403 if bucket.kind == "s3" else 400),
        (60, now + timedelta(hours=1), 403),
        (8 * 24 * 3600, now, 403),
        (0, now, 403),
    ):
        url = presign(bucket.key, "GET", bucket.url, expires=expires, now=signed_at)
        assert requests.get(url, timeout=30).status_code == status


def test_no_header_is_left_out_of_the_signature(bucket: Bucket) -> None:
    url = presign(bucket.key, "PUT", bucket.url, expires=60)
    assert requests.put(url, data=BODY, headers=bucket.checksum(WIRE), timeout=30).status_code == 403
    signed = presign(bucket.key, "PUT", bucket.url, expires=60, headers=bucket.checksum(WIRE))
    assert requests.put(signed, data=BODY, headers=bucket.checksum(OTHER), timeout=30).status_code == 403
    assert requests.put(signed, data=BODY, timeout=30).status_code == 403
    assert requests.put(signed, data=BODY, headers=bucket.checksum(WIRE), timeout=30).status_code == 200


def test_a_wrong_checksum_is_refused_everywhere(bucket: Bucket) -> None:
    bucket.ask("PUT", b"first")
    refused = bucket.ask("PUT", BODY, headers=bucket.checksum(OTHER))
    assert (refused.status_code, "BadDigest" in refused.text) == (400, True)
    assert bucket.ask("GET").content == b"first"
    upload = bucket.begin()
    part = bucket.ask("PUT", PART, headers=bucket.checksum(OTHER), partNumber="1", uploadId=upload)
    assert part.status_code == 400
    etag = bucket.part(upload, 1)
    if bucket.kind == "s3":
        assert bucket.complete(upload, (1, etag), headers=bucket.checksum(OTHER)).status_code == 400
    assert bucket.ask("GET").content == b"first"
    assert bucket.complete(upload, (1, etag)).status_code == 200
    assert bucket.ask("GET").content == PART


def test_parts(bucket: Bucket) -> None:
    upload = bucket.begin()
    first, second = bucket.part(upload, 1), bucket.part(upload, 2, b"end")
    assert bucket.complete(upload, (2, second), (1, first)).status_code == 400
    assert bucket.complete(upload, (1, second), (2, first)).status_code == 400
    assert bucket.complete(upload, (1, first), (3, second)).status_code == 400
    assert bucket.complete(upload).status_code == 400
    third = bucket.part(upload, 3, b"after the end")
    small = bucket.complete(upload, (1, first), (2, second), (3, third))
    assert (small.status_code, "EntityTooSmall" in small.text) == (400, True)
    assert bucket.complete(upload, (1, first), (2, second)).status_code == 200
    assert bucket.ask("GET").content == PART + b"end"
    assert bucket.complete(upload, (1, first)).status_code == 404, "it is over"
    other = bucket.begin()
    assert bucket.ask("DELETE", uploadId=other).status_code == 204
    assert bucket.ask("PUT", PART, partNumber="1", uploadId=other).status_code == 404
    assert bucket.ask("PUT", PART, partNumber="0", uploadId=bucket.begin()).status_code == 400


def test_what_obstore_signs_is_taken(emulator: Emulator) -> None:
    bucket = Bucket(emulator, "s3")
    assert isinstance(bucket.key, AwsKey)
    store = S3Store(
        "b",
        endpoint=f"{emulator.api_root}/s3",
        region=bucket.key.region,
        access_key_id=bucket.key.name,
        secret_access_key=bucket.key.secret,
        client_options={"allow_http": True},
    )
    bucket.ask("PUT", BODY)
    url = obstore.sign(store, "GET", "some/key", timedelta(seconds=60))
    assert requests.get(url, timeout=30).content == BODY


def test_signatures_in_google_s_manner_are_obstore_s(emulator: Emulator) -> None:
    """It signs for Google's own host only, so the two are compared and not tried."""
    key = key_of(emulator, "gcs")
    assert isinstance(key, GoogleKey)
    account = {"client_email": key.name, "private_key": key.private_key, "private_key_id": "1"}
    store = GCSStore("b", service_account_key=json.dumps({"type": "service_account", **account}))
    theirs = obstore.sign(store, "GET", "some/key", timedelta(seconds=60))
    fields = dict(fields_of(urlsplit(theirs).query))
    signed_at = datetime.strptime(fields["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    url = "https://storage.googleapis.com/b/some/key"
    assert theirs.partition("?")[0] == url
    mine = presign(key, "GET", url, expires=60, now=signed_at)
    assert dict(fields_of(urlsplit(mine).query)) == fields


@pytest.mark.parametrize("headers", [{}, {"x-amz-checksum-crc32c": "4waSgw=="}])
@pytest.mark.parametrize("token", [None, "a+/= token"])
def test_signatures_are_botocore_s(headers: dict[str, str], token: str | None) -> None:
    key = AwsKey("AKIA", "secret", "eu-central-1", token)
    url = "https://bucket.s3.eu-central-1.amazonaws.com/a%20b/%E7%97%87~.svs"
    query = {"partNumber": "7", "uploadId": "a/b+c="}
    request = AWSRequest("PUT", url, params=query, headers=headers)
    S3SigV4QueryAuth(Credentials("AKIA", "secret", token), "s3", "eu-central-1", 600).add_auth(request)
    theirs = dict(fields_of(urlsplit(request.url).query))
    signed_at = datetime.strptime(theirs["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    mine = presign(key, "PUT", url, expires=600, query=query, headers=headers, now=signed_at)
    assert dict(fields_of(urlsplit(mine).query)) == theirs


def test_an_hmac_key_signs_as_google_documents_it() -> None:
    """Worked out by hand: the key is chained from `GOOG4` and the secret, over date, location and service."""
    key = HmacKey("GOOG1EXAMPLE", "secret")
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    url = presign(
        key,
        "PUT",
        "https://storage.googleapis.com/b/k",
        expires=60,
        headers={"x-goog-hash": "crc32c=AAAAAA=="},
        now=now,
    )
    fields = dict(fields_of(urlsplit(url).query))
    signature = fields.pop("X-Goog-Signature")
    assert fields == {
        "X-Goog-Algorithm": "GOOG4-HMAC-SHA256",
        "X-Goog-Credential": "GOOG1EXAMPLE/20260102/auto/storage/goog4_request",
        "X-Goog-Date": "20260102T030405Z",
        "X-Goog-Expires": "60",
        "X-Goog-SignedHeaders": "host;x-goog-hash",
    }
    query = "&".join(sorted(f"{name}={quote(value, safe='')}" for name, value in fields.items()))
    headers = "host:storage.googleapis.com\nx-goog-hash:crc32c=AAAAAA==\n"
    canonical = f"PUT\n/b/k\n{query}\n{headers}\nhost;x-goog-hash\nUNSIGNED-PAYLOAD"
    text = "\n".join(
        [
            "GOOG4-HMAC-SHA256",
            "20260102T030405Z",
            "20260102/auto/storage/goog4_request",
            hashlib.sha256(canonical.encode()).hexdigest(),
        ]
    )
    chained = b"GOOG4secret"
    for part in (b"20260102", b"auto", b"storage", b"goog4_request"):
        chained = hmac.digest(chained, part, "sha256")
    assert signature == hmac.digest(chained, text.encode(), "sha256").hex()
