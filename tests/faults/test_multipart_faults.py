"""Beginning and completing an upload in parts, where the store fails, lies or forgets."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import evolve
from lying_store import LyingStore, Trouble, lying_store
from raw_server import Peer, RawServer, raw_server

from aignostics_async import (
    S3,
    AwsKey,
    Azure,
    Client,
    Store,
    Timeouts,
    TransferError,
    TransferInterrupted,
    Transfers,
    UrlRefused,
)
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.storage._bucket import Bucket
from aignostics_async.storage._multipart_xml import text_of

MIB = 1024 * 1024
BODY = random.Random("parts").randbytes(6 * MIB)
SETTINGS = evolve(IMPATIENT, transfers=Transfers(part_size=5 * MIB))
KEY = "/bucket/lab/slide.svs"


def error(code: str) -> bytes:
    return f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()


@pytest.fixture
def place() -> Iterator[LyingStore]:
    with lying_store() as place:
        yield place


@pytest.fixture
async def store(emulator: Emulator, place: LyingStore) -> AsyncIterator[Store]:
    async with emulator.client(SETTINGS) as client:
        yield open_store(client, place)


def open_store(client: Client, place: LyingStore) -> Store:
    key = AwsKey("name", "secret", "us-east-1")
    return client.store(S3(bucket="bucket", prefix="lab", endpoint=place.origin, key=key))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "slide.svs"
    source.write_bytes(BODY)
    return source


def asked(place: LyingStore, method: str, part: str) -> int:
    return sum(verb == method and part in path for verb, path, _ in place.requests)


LISTING = """<ListMultipartUploadsResult><IsTruncated>{more}</IsTruncated>{marker}<Upload>
<Key>lab/{key}</Key><UploadId>{key}</UploadId><Initiated>2020-01-01T00:00:00Z</Initiated></Upload>
</ListMultipartUploadsResult>"""


@contextmanager
def listing(*pages: str) -> Iterator[tuple[RawServer, list[str]]]:
    """Give a store that lists one upload in parts on each page, and knows none of them any more."""
    lines: list[str] = []

    def serve(peer: Peer) -> None:
        while head := peer.read_head():
            lines.append(head.partition("\r\n")[0])
            if head.startswith("DELETE"):
                peer.answer(error("NoSuchUpload"), status=404)
                continue
            found = re.search(r"[?&]key-marker=lab%2F(\w+)", lines[-1])
            at = pages.index(found[1]) + 1 if found else 0
            marker = f"<NextKeyMarker>lab/{pages[at]}</NextKeyMarker>"
            more = str(at + 1 < len(pages)).lower()
            peer.answer(LISTING.format(more=more, marker=marker, key=pages[at]).encode())

    with raw_server(serve) as server:
        yield server, lines


async def test_orphans_on_later_pages_are_aborted_and_those_that_are_gone_are_no_error(
    emulator: Emulator,
) -> None:
    with listing("a", "b", "c") as (server, lines):
        async with emulator.client(SETTINGS) as client:
            key = AwsKey("name", "secret", "us-east-1")
            origin = f"http://127.0.0.1:{server.port}"
            store = client.store(S3(bucket="bucket", prefix="lab", endpoint=origin, key=key))
            assert isinstance(store, Bucket)
            assert [each.key for each in await store.list()] == ["a", "b", "c"]
            assert await store.abort_orphans(older_than=timedelta(days=1)) == 3
    aborted = [line for line in lines if line.startswith("DELETE")]
    assert ["/lab/a?" in aborted[0], "/lab/b?" in aborted[1], "/lab/c?" in aborted[2]] == [True] * 3


async def test_a_listing_without_an_end_is_an_error(emulator: Emulator) -> None:
    def serve(peer: Peer) -> None:
        while peer.read_head():
            peer.answer(LISTING.format(more="true", marker="", key="a").encode())

    with raw_server(serve) as server:
        async with emulator.client(SETTINGS) as client:
            key = AwsKey("name", "secret", "us-east-1")
            endpoint = f"http://127.0.0.1:{server.port}"
            store = client.store(S3(bucket="bucket", endpoint=endpoint, key=key))
            assert isinstance(store, Bucket)
            with pytest.raises(TransferInterrupted, match="is the same one"):
                await store.list()


async def test_an_upload_that_gets_no_name_is_an_error_of_the_store(emulator: Emulator, source: Path) -> None:
    def serve(peer: Peer) -> None:
        while peer.read_head():
            peer.answer(b"<InitiateMultipartUploadResult/>")

    with raw_server(serve) as server:
        async with emulator.client(SETTINGS) as client:
            key = AwsKey("name", "secret", "us-east-1")
            store = client.store(S3(bucket="bucket", endpoint=f"http://127.0.0.1:{server.port}", key=key))
            with pytest.raises(TransferInterrupted, match="did not name it"):
                await store.put("key", source)


TROUBLES = {
    "503": Trouble("POST", status=503),
    "500": Trouble("POST", status=500),
    "a timeout as 400": Trouble("POST", status=400, body=error("RequestTimeout")),
    "409": Trouble("POST", status=409, body=error("OperationAborted")),
    "no answer, and it was done": Trouble("POST"),
}


@pytest.mark.parametrize("name", TROUBLES)
@pytest.mark.parametrize("step", ["uploads=", "uploadId="])
async def test_begin_and_complete_are_tried_again(
    place: LyingStore, store: Store, source: Path, name: str, step: str
) -> None:
    place.troubles = [evolve(TROUBLES[name], part=step)]
    stored = await store.put("slide.svs", source)
    assert stored.verified
    assert place.objects[KEY] == BODY
    assert asked(place, "POST", step) == 2
    assert place.puts == 2, "no part is sent again"


@pytest.mark.parametrize("body", [b"", error("InternalError"), error("SlowDown"), b"<html>"])
async def test_a_completion_without_a_result_is_tried_again(
    place: LyingStore, store: Store, source: Path, body: bytes
) -> None:
    place.troubles = [Trouble("POST", "uploadId=", status=200, body=body)]
    assert (await store.put("slide.svs", source)).verified
    assert asked(place, "POST", "uploadId=") == 2
    assert place.objects[KEY] == BODY


@pytest.mark.parametrize("body", [b"", error("InternalError")])
async def test_a_completion_that_never_has_a_result_fails(
    place: LyingStore, store: Store, source: Path, body: bytes
) -> None:
    place.troubles = [Trouble("POST", "uploadId=", times=1000, status=200, body=body)]
    with pytest.raises(TransferInterrupted, match="did not complete the upload"):
        await store.put("slide.svs", source)
    assert asked(place, "POST", "uploadId=") == IMPATIENT.retries.attempts
    assert place.objects == {}
    assert asked(place, "DELETE", "uploadId=") == 1, "nobody pays for its parts"


async def test_an_error_for_good_inside_a_200_is_raised_at_once(
    place: LyingStore, store: Store, source: Path
) -> None:
    place.troubles = [Trouble("POST", "uploadId=", times=1000, status=200, body=error("AccessDenied"))]
    with pytest.raises(UrlRefused, match="AccessDenied") as caught:
        await store.put("slide.svs", source)
    assert caught.value.code == "AccessDenied"
    assert asked(place, "POST", "uploadId=") == 1


@pytest.mark.parametrize("tells", ["crc32c", "size"])
async def test_an_upload_that_was_completed_unheard_counts_by_its_bytes(
    place: LyingStore, store: Store, source: Path, tells: str
) -> None:
    """The completion's answer is lost, and the store does not know the upload when it is asked again."""
    place.tells = "crc32c" if tells == "crc32c" else "size"
    place.troubles = [
        Trouble("POST", "uploadId="),
        Trouble("POST", "uploadId=", times=1000, status=404, body=error("NoSuchUpload")),
    ]
    stored = await store.put("slide.svs", source)
    assert (stored.size, place.objects[KEY]) == (len(BODY), BODY)
    assert place.puts == 2


@pytest.mark.parametrize(
    "there", [None, b"another", bytes(len(BODY))], ids=["none", "other size", "other bytes"]
)
@pytest.mark.parametrize("tells", ["crc32c", "size"])
async def test_another_object_is_no_proof_of_a_lost_upload(
    place: LyingStore, store: Store, source: Path, there: bytes | None, tells: str
) -> None:
    place.tells = "crc32c" if tells == "crc32c" else "size"
    if there is not None:
        place.objects[KEY] = there
    place.troubles = [Trouble("POST", "uploadId=", times=1000, status=404, body=error("NoSuchUpload"))]
    with pytest.raises(TransferError, match="NoSuchUpload"):
        await store.put("slide.svs", source)


LOST = {
    "the upload, at a part": Trouble("PUT", "partNumber=", status=404, body=error("NoSuchUpload")),
    "the upload, at its completion": Trouble("POST", "uploadId=", status=404, body=error("NoSuchUpload")),
    "a part": Trouble("POST", "uploadId=", status=400, body=error("InvalidPart")),
    "a part, in a 200": Trouble("POST", "uploadId=", status=200, body=error("InvalidPart")),
}


@pytest.mark.parametrize("name", LOST)
async def test_parts_that_the_store_has_lost_are_sent_once_more(
    place: LyingStore, store: Store, source: Path, name: str
) -> None:
    place.troubles = [evolve(LOST[name])]
    assert (await store.put("slide.svs", source)).verified
    assert place.objects[KEY] == BODY
    assert asked(place, "POST", "uploads=") == 2


async def test_parts_that_are_lost_twice_leave_what_was_under_the_key(
    place: LyingStore, store: Store, source: Path
) -> None:
    place.objects[KEY] = b"of yesterday"
    place.troubles = [evolve(LOST["a part"], times=1000)]
    with pytest.raises(UrlRefused, match="InvalidPart"):
        await store.put("slide.svs", source)
    assert asked(place, "POST", "uploads=") == 2
    assert place.objects[KEY] == b"of yesterday"


async def test_blocks_that_azure_has_dropped_are_sent_once_more(
    emulator: Emulator, place: LyingStore, source: Path
) -> None:
    """Another client's commit of the same blob drops them."""
    place.troubles = [Trouble("PUT", "comp=blocklist", status=400, body=error("InvalidBlockList"))]
    azure = Azure(container="bucket", account="account", key="a2V5", endpoint=place.origin, prefix="lab")
    async with emulator.client(SETTINGS) as client:
        await client.store(azure).put("slide.svs", source)
    assert place.objects[KEY] == BODY


async def test_an_answer_that_comes_before_the_body_is_no_success(
    place: LyingStore, store: Store, source: Path
) -> None:
    """A store that answers 200 to a part without having read it, at every try."""
    place.answers_early = True
    with pytest.raises(TransferError):
        await store.put("slide.svs", source)
    assert place.objects == {}


async def test_parts_are_signed_with_the_key_that_is_valid_now(
    emulator: Emulator, place: LyingStore, source: Path
) -> None:
    """A large file takes longer than a key lives that is renewed every hour."""
    keys = (AwsKey(f"key-{number}", "secret", "us-east-1") for number in range(99))
    settings = evolve(IMPATIENT, transfers=Transfers(part_size=5 * MIB, max_concurrency=1))
    async with emulator.client(settings) as client:
        address = S3(bucket="bucket", prefix="lab", endpoint=place.origin, key=lambda: next(keys))
        await client.store(address).put("slide.svs", source)
    used = [re.findall(r"Credential=(key-\d+)", path) for _, path, _ in place.requests]
    assert len(used) == len({name for (name,) in used}), "no request takes the key of an earlier one"


@pytest.mark.parametrize("part", ["uploads=", "partNumber=1&", "partNumber=2&", "uploadId="])
@pytest.mark.parametrize(
    "refusal", [(400, "ExpiredToken"), (403, "InvalidAccessKeyId")], ids=["expired", "gone"]
)
async def test_a_session_key_that_dies_is_replaced_and_nothing_else_is_sent_again(
    emulator: Emulator, place: LyingStore, source: Path, part: str, refusal: tuple[int, str]
) -> None:
    status, code = refusal
    method = "PUT" if "partNumber" in part else "POST"
    place.troubles = [Trouble(method, part, status=status, body=error(code))]

    def key() -> AwsKey:
        """Return another session's key once the first one is dead."""
        session = "second" if place.troubles[0].answered else "first"
        return AwsKey("name", "secret", "us-east-1", token=session)

    async with emulator.client(SETTINGS) as client:
        store = client.store(S3(bucket="bucket", prefix="lab", endpoint=place.origin, key=key))
        stored = await store.put("slide.svs", source)
    assert stored.verified
    assert place.objects[KEY] == BODY
    assert asked(place, "PUT", "partNumber=") == 2 + (method == "PUT")
    assert place.troubles[0].answered == 1


async def test_a_key_that_no_other_one_follows_is_refused_at_once(
    place: LyingStore, store: Store, source: Path
) -> None:
    place.troubles = [Trouble("PUT", "partNumber=", status=400, body=error("ExpiredToken"), times=9)]
    with pytest.raises(UrlRefused, match="credentials have expired"):
        await store.put("slide.svs", source)
    assert place.troubles[0].answered <= 2


@pytest.mark.parametrize(
    "answer",
    [
        "<s3:InitiateMultipartUploadResult xmlns:s3='a'><s3:UploadId>a+b/c</s3:UploadId></s3:Initiate>",
        "<InitiateMultipartUploadResult><UploadId xmlns='a'>a&#43;b&#x2f;c</UploadId></Initiate>",
        "<InitiateMultipartUploadResult><UploadId>\n  a+b/c\n</UploadId></Initiate>",
    ],
)
def test_the_forms_in_which_stores_write_xml(answer: str) -> None:
    assert text_of("UploadId", answer.encode()) == "a+b/c"


async def test_a_completion_that_sends_spaces_meanwhile_is_waited_for(
    emulator: Emulator, source: Path
) -> None:
    """As S3 does, which joins many parts for minutes: more slowly than any other answer may come."""
    completions: list[str] = []

    def serve(peer: Peer) -> None:
        while head := peer.read_request():
            if "uploads=" in head:
                peer.answer(b"<UploadId>u</UploadId>")
            elif head.startswith("POST"):
                completions.append(head)
                done = b"<CompleteMultipartUploadResult></CompleteMultipartUploadResult>"
                peer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (10 + len(done)))
                peer.drip(b" " * 10, every=0.2)
                peer.write(done)
            elif head.startswith("HEAD"):
                peer.answer(length=len(BODY))
            else:
                peer.answer(headers='ETag: "opaque"\r\n')

    impatient = evolve(SETTINGS, timeouts=Timeouts(read=1))
    with raw_server(serve) as server:
        async with emulator.client(impatient) as client:
            key = AwsKey("name", "secret", "us-east-1")
            endpoint = f"http://127.0.0.1:{server.port}"
            await client.store(S3(bucket="bucket", endpoint=endpoint, key=key)).put("slide.svs", source)
    assert len(completions) == 1
