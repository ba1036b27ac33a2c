"""Signed URLs are enforced: signature, method, expiry, key; and what the client makes of a refusal."""

from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from support import Answer, artifact, pretend, redirect, result, rules_of, storage

from aignostics_async import (
    ChecksumMismatch,
    ConfigurationError,
    Item,
    Slide,
    TransferError,
    UrlRefused,
    UsageError,
    checksum_bytes,
)
from aignostics_async.emulator.process import Emulator
from aignostics_async.transfer._object_facts import NOTHING, read_facts
from aignostics_async.transfer._upload import put_file

pytestmark = pytest.mark.both_contracts


def sign(emulator: Emulator, method: str, key: str, expires_s: float = 60) -> str:
    answer = requests.post(
        f"{emulator.store_url}/sign",
        json={"method": method, "key": key, "expires_s": expires_s},
        headers={"Authorization": f"Bearer {emulator.access_token}"},
        timeout=30,
    )
    answer.raise_for_status()
    url: str = answer.json()["url"]
    return url


def put(emulator: Emulator, key: str, body: bytes, **headers: str) -> requests.Response:
    return requests.put(sign(emulator, "PUT", key), data=body, headers=headers, timeout=30)


def test_a_signed_url_opens_one_key_to_one_method(emulator: Emulator) -> None:
    put(emulator, "a/b", b"0123456789").raise_for_status()
    url = sign(emulator, "GET", "a/b")
    assert requests.get(url, timeout=30).content == b"0123456789"
    assert requests.get(url.replace("a/b", "a/c"), timeout=30).status_code == 403
    assert requests.put(url, data=b"x", timeout=30).status_code == 403
    assert requests.head(url, timeout=30).status_code == 403
    assert requests.get(url.replace("method=GET", "method=PUT"), timeout=30).status_code == 403
    flipped = url[:-1] + ("0" if url[-1] != "0" else "1")
    assert requests.get(flipped, timeout=30).status_code == 403
    assert requests.get(url.partition("?")[0], timeout=30).status_code == 403
    later = re.sub(r"expires=(\d+)", lambda found: f"expires={int(found[1]) + 60}", url)
    assert requests.get(later, timeout=30).status_code == 403
    assert requests.delete(url, timeout=30).status_code == 403
    assert requests.patch(url, timeout=30).status_code == 405
    assert requests.get(url, timeout=30).content == b"0123456789"


def test_a_signed_url_ends(emulator: Emulator) -> None:
    put(emulator, "a/b", b"x").raise_for_status()
    url = sign(emulator, "GET", "a/b", 1)
    expires = int(re.findall(r"expires=(\d+)", url)[0])
    while time.time() <= expires:
        assert requests.get(url, timeout=30).status_code in (200, 400)
    ended = requests.get(url, timeout=30)
    assert ended.status_code == 400
    assert "ExpiredToken" in ended.text


def test_ranges_and_checksums(emulator: Emulator) -> None:
    body = bytes(range(256)) * 40
    stored = put(emulator, "r", body, **{"x-goog-hash": f"crc32c={checksum_bytes(body).wire}"})
    assert stored.headers["x-goog-hash"] == f"crc32c={checksum_bytes(body).wire}"
    url = sign(emulator, "GET", "r")
    part = requests.get(url, headers={"Range": "bytes=100-199"}, timeout=30)
    assert part.status_code == 206
    assert part.content == body[100:200]
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(body)}"
    assert requests.get(url, headers={"Range": "bytes=99999-"}, timeout=30).status_code == 416
    head = requests.head(sign(emulator, "HEAD", "r"), timeout=30)
    assert int(head.headers["Content-Length"]) == len(body)
    wrong = put(emulator, "r", b"other", **{"x-goog-hash": "crc32c=AAAAAA=="})
    assert wrong.status_code == 400
    assert "BadDigest" in wrong.text
    assert requests.get(url, timeout=30).content == body, "a refused body replaces nothing"


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"method": "PATCH", "key": "a", "expires_s": 60},
        {"method": "GET", "key": "", "expires_s": 60},
        {"method": "GET", "key": "a" * 2000, "expires_s": 60},
        {"method": "GET", "key": "../../outside", "expires_s": 60},
        {"method": "GET", "key": "/etc/passwd", "expires_s": 60},
        {"method": "GET", "key": "a", "expires_s": 0},
        {"method": "GET", "key": "a", "expires_s": 8 * 24 * 3600},
    ],
)
def test_orders_that_are_not_signed(emulator: Emulator, order: dict[str, object]) -> None:
    headers = {"Authorization": f"Bearer {emulator.access_token}"}
    answer = requests.post(f"{emulator.store_url}/sign", json=order, headers=headers, timeout=30)
    assert answer.status_code == 422
    assert requests.post(f"{emulator.store_url}/sign", json=order, timeout=30).status_code == 401


def test_no_key_is_a_path(emulator: Emulator) -> None:
    for key in ("a b/ü:?#%", "con/..x", "C:\\a"):
        put(emulator, key, key.encode()).raise_for_status()
        assert requests.get(sign(emulator, "GET", key), timeout=30).content == key.encode()


@pytest.mark.parametrize("wrong", ["signature", "expired", "method"])
async def test_the_client_tells_a_refused_url(emulator: Emulator, slide: Slide, wrong: str) -> None:
    url = sign(emulator, "GET" if wrong == "method" else "PUT", "key", 1 if wrong == "expired" else 60)
    if wrong == "signature":
        url = url[:-4] + "beef"
    if wrong == "expired":
        expires = int(re.findall(r"expires=(\d+)", url)[0])
        while time.time() <= expires:
            assert requests.head(url, timeout=30).status_code in (400, 403)
    async with emulator.client() as client:
        with pytest.raises(UrlRefused, match="get a fresh one") as caught:
            await put_file(client._session.engine, url, slide.path, name="case.tiff")
    assert caught.value.status == (400 if wrong == "expired" else 403)
    assert "signature=" not in str(caught.value)
    assert "case.tiff" in str(caught.value)


async def test_a_url_that_expired_in_the_queue_is_replaced(emulator: Emulator, tmp_path: Path) -> None:
    """The first listing gives a URL that is dead; a fresh one is asked for and used."""
    put(emulator, "out", b"result").raise_for_status()
    dead = sign(emulator, "GET", "out")[:-4] + "beef"
    item = result("case", artifact("heatmap", dead, b"result", media_type="image/png"))
    run_id = pretend(emulator, item)
    fresh = {**item, "output_artifacts": [{**item["output_artifacts"][0]}]}
    fresh["output_artifacts"][0]["download_url"] = sign(emulator, "GET", "out")
    by_id = {"operation": "list_results", "query": {"item_id__in": item["item_id"]}}
    asked_again = {**by_id, "status": 200, "body": [fresh]}
    emulator.set_faults(asked_again, redirect(fresh["output_artifacts"][0]), *rules_of(item))
    async with emulator.client() as client:
        report = await client.run(run_id).download(tmp_path)
    report.raise_for_failures()
    assert (tmp_path / "case" / "heatmap.png").read_bytes() == b"result"


async def test_a_store_is_of_the_api_s_own_origin(emulator: Emulator, slide: Slide) -> None:
    elsewhere = "https://elsewhere.example.com/storage"
    async with emulator.client() as client:
        with pytest.raises(ConfigurationError, match="must be of the API's own origin"):
            client.store(elsewhere)
        with pytest.raises(ConfigurationError, match="s3://bucket"):
            await client.runs.submit("he-tme:v1.0.0", [Item("a", slide=slide)], store="ftp://bucket")
        for url in (f"{elsewhere}/sign", "https://[", "http://localhost:port/sign"):
            with pytest.raises(UsageError, match="gets no token"):
                await client._session.bridge.api.send("sign", method="POST", url=url)
    assert emulator.requests() == []


async def test_what_the_store_has_is_compared_with_what_was_sent(emulator: Emulator, slide: Slide) -> None:
    headers = {"x-goog-hash": "crc32c=AAAAAA=="}
    emulator.set_faults({"method": "PUT", "path": "/storage/.*", "status": 200, "headers": headers})
    async with emulator.client() as client:
        with pytest.raises(ChecksumMismatch, match="promised was"):
            await client.store(emulator.store_url).put("a", slide.path)


async def test_uploads_are_repeated_whole(emulator: Emulator, slide: Slide) -> None:
    emulator.set_faults(
        {"method": "PUT", "path": "/storage/.*", "status": 503, "times": 1},
        {"method": "PUT", "path": "/storage/.*", "drop": "after", "times": 1},
    )
    async with emulator.client() as client:
        stored = await client.store(emulator.store_url).put("again", slide.path)
    assert stored.size == slide.path.stat().st_size
    content = requests.get(sign(emulator, "GET", "again"), timeout=30).content
    assert content == slide.path.read_bytes()


async def test_a_file_that_is_not_there(emulator: Emulator, tmp_path: Path) -> None:
    async with emulator.client() as client:
        with pytest.raises(TransferError, match="it can't be read"):
            await client.store(emulator.store_url).put("a", tmp_path / "none")


async def test_lifetimes_are_the_emulator_s_options_and_speed_is_not(
    emulator: Emulator, slide: Slide
) -> None:
    emulator.reset(url_lifetime=500, token_lifetime=50, speed=1000)
    async with emulator.client() as client:
        run = await client.runs.submit("test-app:v0.0.1", [Item("a", slide=slide)], store=emulator.store_url)
        await run.wait()
        item = await anext(aiter(run.results()))
    url = item.output_artifacts[0].download_url
    assert url is not None
    expires = int(re.findall(r"expires=(\d+)", url)[0])
    assert 480 < expires - time.time() <= 500
    form = {
        "grant_type": "refresh_token",
        "client_id": emulator.client_id,
        "refresh_token": emulator.refresh_token,
    }
    assert requests.post(emulator.token_url, data=form, timeout=30).json()["expires_in"] == 50


async def test_a_read_that_meets_a_write_sees_one_of_the_two(emulator: Emulator) -> None:
    bodies = [bytes([number]) * 3_000_000 for number in range(2)]
    put(emulator, "busy", bodies[0]).raise_for_status()
    read, write = sign(emulator, "GET", "busy"), sign(emulator, "PUT", "busy")
    with ThreadPoolExecutor(4) as pool:
        writes = [pool.submit(requests.put, write, data=bodies[n % 2], timeout=30) for n in range(10)]
        reads = [pool.submit(requests.get, read, timeout=30) for _ in range(20)]
    assert all(each.result().ok for each in writes)
    for each in reads:
        response = each.result()
        assert response.headers["x-goog-hash"] == f"crc32c={checksum_bytes(response.content).wire}"


async def test_the_storage_s_own_words_hold_no_signature(emulator: Emulator, tmp_path: Path) -> None:
    """Servers like to repeat the request line; the signature in it is a secret."""
    async with storage() as place:
        url = place.url("/a", Answer(b"Cannot GET /a?signature=PLANTED now", status=404))
        report_id = pretend(emulator, result("case", artifact("a", url, b"x")))
        async with emulator.client() as client:
            report = await client.run(report_id).download(tmp_path)
    assert "Cannot GET /a" in str(report.files[0].error)
    assert "PLANTED" not in report.to_json()


def test_a_range_without_the_size_of_the_whole_tells_no_size() -> None:
    facts = read_facts({"content-range": "bytes 0-0/*", "content-length": "1", "content-md5": "eA=="})
    assert facts == NOTHING
