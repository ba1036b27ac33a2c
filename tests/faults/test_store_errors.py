"""What a store's error means: its own code decides, its status only where it gives none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hostile_server import Ask, Hostile, Reply, engine_of, hostile

from aignostics_async import TransferInterrupted, UrlRefused
from aignostics_async.errors import is_transient_code
from aignostics_async.storage._advice import own_advice
from aignostics_async.transfer._request import send_request
from aignostics_async.transfer._upload import put_file
from aignostics_async.transfer.connections._responses import STORE_FULL

BODY = b"slide" * 2000
TRANSIENT = ["RequestTimeout", "BadDigest", "OperationAborted", "SlowDown", "InternalError", "IncompleteBody"]
# What boto3 retries, beside these; and what MinIO says of a body that its proxy lost.
THROTTLING = [
    "BandwidthLimitExceeded",
    "ClientDisconnected",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeoutException",
    "SlowDownWrite",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
]
FINAL = ["ExpiredToken", "AccessDenied", "SignatureDoesNotMatch", "InvalidRequest", "NoSuchBucket"]


def error(code: str, more: str = "") -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code>{more}</Error>".encode()


async def put(place: Hostile, source: Path) -> None:
    source.write_bytes(BODY)
    async with engine_of() as engine:
        await put_file(engine, place.url, source, name="slide.svs")


@pytest.mark.parametrize("status", [400, 403, 409])
@pytest.mark.parametrize("code", TRANSIENT)
async def test_a_transient_code_is_tried_again(tmp_path: Path, code: str, status: int) -> None:
    with hostile(b"", lambda ask: Reply(status, error(code)) if ask.number < 2 else Reply(200)) as place:
        await put(place, tmp_path / "slide.svs")
        assert len(place.asks) == 3


@pytest.mark.parametrize("code", THROTTLING)
def test_codes_that_other_clients_retry_are_transient(code: str) -> None:
    assert is_transient_code(code)


@pytest.mark.parametrize("code", TRANSIENT)
async def test_a_transient_code_that_lasts_is_no_refused_url(tmp_path: Path, code: str) -> None:
    with (
        hostile(b"", lambda _ask: Reply(400, error(code))) as place,
        pytest.raises(TransferInterrupted) as caught,
    ):
        await put(place, tmp_path / "slide.svs")
    assert caught.value.is_transient
    assert caught.value.code == code
    assert "fresh" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 413, 501])
@pytest.mark.parametrize("code", FINAL)
async def test_a_final_code_is_raised_at_once(tmp_path: Path, code: str, status: int) -> None:
    with hostile(b"", lambda _ask: Reply(status, error(code))) as place:
        with pytest.raises(UrlRefused) as caught:
            await put(place, tmp_path / "slide.svs")
        assert len(place.asks) == 1
    assert (caught.value.code, caught.value.status) == (code, status)
    assert not caught.value.is_transient


@pytest.mark.parametrize("code", ["AuthenticationFailed", "AccessDenied", "ExpiredToken"])
@pytest.mark.parametrize(("ahead", "told"), [(-9 * 60, "540 minutes behind"), (2, "2 minutes ahead")])
async def test_a_clock_that_is_wrong_is_told_whatever_the_code(
    tmp_path: Path, code: str, ahead: int, told: str
) -> None:
    date = format_datetime(datetime.now(UTC) - timedelta(minutes=ahead), usegmt=True)
    with (
        hostile(b"", lambda _ask: Reply(403, error(code), {"Date": date})) as place,
        pytest.raises(UrlRefused, match=told) as caught,
    ):
        await put(place, tmp_path / "slide.svs")
    assert "set the clock" in own_advice(caught.value)


def google(reason: str) -> bytes:
    return json.dumps({"error": {"code": 403, "errors": [{"domain": "x", "reason": reason}]}}).encode()


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, google("rateLimitExceeded")),
        (403, google("userRateLimitExceeded")),
        (403, error("RateLimitExceeded")),
        (400, b'{"code": "too_many_requests", "status": 400}'),
        (408, b""),
        (429, google("rateLimitExceeded")),
        (509, b""),
        (509, b"Bandwidth Limit Exceeded"),
    ],
)
async def test_throttling_is_tried_again(tmp_path: Path, status: int, body: bytes) -> None:
    with hostile(b"", lambda ask: Reply(status, body) if ask.number < 1 else Reply(200)) as place:
        await put(place, tmp_path / "slide.svs")
        assert len(place.asks) == 2
    with (
        hostile(b"", lambda _ask: Reply(status, body)) as place,
        pytest.raises(TransferInterrupted) as caught,
    ):
        await put(place, tmp_path / "slide.svs")
    assert caught.value.is_transient


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (507, b""),
        (507, error("XMinioStorageFull")),
        (403, error("QuotaExceeded")),
        (429, google("dailyLimitExceeded")),
        (503, google("quotaExceeded")),
    ],
)
async def test_a_full_store_is_told_at_once(tmp_path: Path, status: int, body: bytes) -> None:
    with hostile(b"", lambda _ask: Reply(status, body)) as place:
        with pytest.raises(UrlRefused, match="the store is full, or a quota of it is used up") as caught:
            await put(place, tmp_path / "slide.svs")
        assert len(place.asks) == 1
    assert own_advice(caught.value) == STORE_FULL


async def test_a_secret_is_no_code(tmp_path: Path) -> None:
    with hostile(b"") as place:
        secret = urlsplit(place.url).query.partition("=")[2]
        place.fault = lambda _ask: Reply(403, error(secret))
        with pytest.raises(UrlRefused) as caught:
            await put(place, tmp_path / "slide.svs")
    assert caught.value.code is None


async def test_azure_names_its_errors_in_a_header(tmp_path: Path) -> None:
    busy = Reply(400, b"", {"x-ms-error-code": "OperationTimedOut"})
    with hostile(b"", lambda ask: busy if ask.number == 0 else Reply(201)) as place:
        await put(place, tmp_path / "slide.svs")
        assert len(place.asks) == 2


@pytest.mark.parametrize(
    ("method", "where"),
    [("GET", "header"), ("HEAD", "header"), ("PUT", "header"), ("GET", "body"), ("PUT", "body")],
)
async def test_a_bucket_elsewhere_is_named(method: str, where: str) -> None:
    """S3 answers 301 without a Location to requests that go to another region than the bucket's."""

    def moved(_ask: Ask) -> Reply:
        if where == "header":
            return Reply(301, b"", {"x-amz-bucket-region": "eu-west-3"})
        return Reply(400, error("AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>"))

    with hostile(b"", moved) as place:
        async with engine_of() as engine:
            with pytest.raises(UrlRefused, match=r"region 'eu-west-3'.*AWS_REGION"):
                await send_request(engine, method, place.url, name="slide.svs")
        assert len(place.asks) == 1
