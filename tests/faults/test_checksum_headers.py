"""Stores that speak S3 and refuse its checksum headers: found out once, said, and verified in other ways."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve
from lying_store import LyingStore, Trouble, lying_store

from aignostics_async import (
    S3,
    AwsKey,
    Checksums,
    Client,
    ConfigurationError,
    Transfers,
    UrlRefused,
    put_once,
)
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.storage._bucket import Bucket

MIB = 1024 * 1024
SETTINGS = evolve(IMPATIENT, transfers=Transfers(part_size=5 * MIB))
SMALL, LARGE = random.Random("small").randbytes(3000), random.Random("large").randbytes(6 * MIB)


def error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code></Error>".encode()


REFUSALS = {
    "501": (501, error("NotImplemented")),
    "400": (400, error("InvalidArgument")),
    "400 without a word": (400, b""),
    "another signature": (403, error("SignatureDoesNotMatch")),
}
HEADERS = ["x-amz-checksum-crc32c", "x-amz-checksum-algorithm", "x-amz-checksum-mode"]


def refuse(place: LyingStore, refusal: str = "501") -> None:
    """Let a place refuse every request with a checksum header."""
    status, body = REFUSALS[refusal]
    place.troubles = [
        Trouble(method, times=10**6, status=status, body=b"" if method == "HEAD" else body, header=header)
        for method in ("PUT", "POST", "HEAD")
        for header in HEADERS
    ]


@pytest.fixture
def place() -> Iterator[LyingStore]:
    with lying_store() as place:
        place.tells = "md5"
        yield place


@pytest.fixture
def sources(tmp_path: Path) -> dict[bytes, Path]:
    found = {}
    for content in (SMALL, LARGE):
        found[content] = tmp_path / f"{len(content)}.svs"
        found[content].write_bytes(content)
    return found


def open_bucket(client: Client, place: LyingStore, checksums: Checksums = "auto") -> Bucket:
    key = AwsKey("name", "secret", "us-east-1")
    store = client.store(S3(bucket="bucket", endpoint=place.origin, key=key, checksums=checksums))
    assert isinstance(store, Bucket)
    return store


def with_checksums(place: LyingStore) -> int:
    return sum(any(header in headers for header in HEADERS) for _, _, headers in place.requests)


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["whole", "in parts"])
async def test_a_store_that_refuses_them_is_used_without(
    emulator: Emulator,
    place: LyingStore,
    sources: dict[bytes, Path],
    refusal: str,
    content: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    refuse(place, refusal)
    async with emulator.client(SETTINGS) as client:
        store = open_bucket(client, place)
        with caplog.at_level(logging.WARNING, "aignostics_async"):
            stored = await store.put("first", sources[content])
        assert stored.verified, "by the MD5 that its ETag is"
        assert store.checksums == "when_required"
        assert 'checksums="when_required"' in caplog.text
        caplog.clear()
        refused = with_checksums(place)
        await store.put("second", sources[content])
        assert with_checksums(place) == refused, "what was decided is not tried again"
        assert caplog.text == ""
    assert place.objects == {"/bucket/first": content, "/bucket/second": content}


async def test_a_store_that_refuses_them_at_the_end_is_used_without(
    emulator: Emulator, place: LyingStore, sources: dict[bytes, Path]
) -> None:
    body = error("MalformedXML")  # the body of the completion has them as well
    place.troubles = [Trouble("POST", "uploadId", times=99, status=400, body=body, header=HEADERS[0])]
    async with emulator.client(SETTINGS) as client:
        store = open_bucket(client, place)
        assert (await store.put("key", sources[LARGE])).verified
        assert store.checksums == "when_required"


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["whole", "in parts"])
async def test_they_are_never_sent_where_they_are_not_wanted(
    emulator: Emulator, place: LyingStore, sources: dict[bytes, Path], content: bytes
) -> None:
    async with emulator.client(SETTINGS) as client:
        store = open_bucket(client, place, "when_required")
        assert (await store.put("key", sources[content])).verified
        assert (await put_once(store, "key", sources[content])).verified
        assert await store.stat("missing") is None
    assert with_checksums(place) == 0
    assert place.puts == (1 if content == SMALL else 2), "it was found by its ETag"


async def test_always_says_what_to_set(
    emulator: Emulator, place: LyingStore, sources: dict[bytes, Path]
) -> None:
    refuse(place)
    async with emulator.client(SETTINGS) as client:
        with pytest.raises(UrlRefused, match='checksums="when_required"'):
            await open_bucket(client, place, "always").put("key", sources[SMALL])
    assert place.objects == {}


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["whole", "in parts"])
async def test_what_was_accepted_once_is_not_left_out_later(
    emulator: Emulator, place: LyingStore, sources: dict[bytes, Path], content: bytes
) -> None:
    """A store that fails in the middle of a job with the same words does not make it less careful."""
    async with emulator.client(SETTINGS) as client:
        store = open_bucket(client, place)
        await store.put("first", sources[content])
        refuse(place)
        with pytest.raises(UrlRefused):
            await store.put("second", sources[content])
        assert store.checksums == "always"
    assert "/bucket/second" not in place.objects


async def test_a_refusal_for_another_reason_decides_nothing(
    emulator: Emulator, place: LyingStore, sources: dict[bytes, Path]
) -> None:
    place.troubles = [Trouble("PUT", times=2, status=400, body=error("InvalidRequest"))]
    async with emulator.client(SETTINGS) as client:
        store = open_bucket(client, place)
        with pytest.raises(UrlRefused, match="InvalidRequest"):
            await store.put("first", sources[SMALL])
        before: str = store.checksums
        assert (await store.put("second", sources[SMALL])).verified
        assert (before, store.checksums) == ("auto", "always")


@pytest.mark.parametrize("code", ["EntityTooSmall", "EntityTooLarge", "InvalidStorageClass", "Unheard"])
async def test_what_is_not_about_headers_is_not_sent_again(
    emulator: Emulator, place: LyingStore, sources: dict[bytes, Path], code: str
) -> None:
    place.troubles = [Trouble("PUT", times=1, status=400, body=error(code))]
    async with emulator.client(SETTINGS) as client:
        store = open_bucket(client, place)
        with pytest.raises(UrlRefused, match=code):
            await store.put("first", sources[SMALL])
        assert store.checksums == "auto"
    assert sum(method == "PUT" for method, _, _ in place.requests) == 1


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
async def test_the_endpoint_of_the_environment(
    emulator: Emulator,
    place: LyingStore,
    sources: dict[bytes, Path],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "name")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv(name, place.origin)
    async with emulator.client(SETTINGS) as client:
        await client.store("s3://bucket/lab").put("key", sources[SMALL])
    assert place.objects == {"/bucket/lab/key": SMALL}


async def test_an_endpoint_beside_an_address(
    emulator: Emulator, place: LyingStore, sources: dict[bytes, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "name")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    async with emulator.client(SETTINGS) as client:
        store = client.store(
            "s3://bucket", endpoint=place.origin, checksums="when_required", verify="read-back"
        )
        assert (await store.put("key", sources[SMALL])).verified
        with pytest.raises(ConfigurationError, match="give them to the object"):
            client.store(S3(bucket="bucket"), endpoint=place.origin)
    assert with_checksums(place) == 0
    assert any(method == "GET" for method, _, _ in place.requests)
