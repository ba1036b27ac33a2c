"""Every kind of store against a real server: the emulator's own endpoints, moto and azurite."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import stores
from attrs import evolve

from aignostics_async import (
    S3,
    AignosticsError,
    AwsKey,
    Azure,
    ChecksumMismatch,
    Client,
    ConfigurationError,
    Item,
    LocalFileChanged,
    Presigned,
    Slide,
    StoreAddress,
    TransferError,
    Transfers,
    Uploads,
    UrlRefused,
    UsageError,
    checksum_bytes,
    put_once,
)
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.storage._bucket import Bucket
from aignostics_async.storage._protocol import Deleting

MIB = 1024 * 1024
SMALL = random.Random("small").randbytes(300_000)
LARGE = random.Random("large").randbytes(12 * MIB + 5)
SETTINGS = evolve(IMPATIENT, transfers=Transfers(part_size=5 * MIB))
KEYS = ["plain.svs", "a b/ü+%&?#~.svs", "症例/スライド.svs", "x" * 300, "case 7.svs", "case~207.svs", "x//y"]


@pytest.fixture(scope="session")
def moto() -> Iterator[S3]:
    with stores.moto() as store:
        yield store


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azure]:
    with stores.azurite() as store:
        yield store


@pytest.fixture(params=["s3", "gcs", "gcs hmac", "moto", "azurite", "azurite read back"])
def address(request: pytest.FixtureRequest, emulator: Emulator) -> StoreAddress:
    if request.param in ("s3", "gcs"):
        return getattr(emulator, request.param)("bucket", "lab")  # type: ignore[no-any-return]
    if request.param == "gcs hmac":
        return emulator.gcs("bucket", "lab", hmac=True)
    name, _, more = request.param.partition(" ")
    store: StoreAddress = request.getfixturevalue(name)
    return evolve(store, verify="read-back") if isinstance(store, Azure) and more else store


@pytest.fixture
async def client(emulator: Emulator) -> Any:
    async with emulator.client(SETTINGS) as client:
        yield client


def file_of(folder: Path, content: bytes) -> Path:
    path = folder / f"{len(content)}.svs"
    path.write_bytes(content)
    return path


async def test_what_is_deleted_is_gone(client: Client, address: StoreAddress, tmp_path: Path) -> None:
    store = client.store(address)
    assert isinstance(store, Deleting)
    await store.put("a b/ü.svs", file_of(tmp_path, SMALL))
    await store.put("kept.svs", file_of(tmp_path, SMALL))
    for _ in range(2):
        await store.delete("a b/ü.svs")
    assert await store.stat("a b/ü.svs") is None
    assert (await store.stat("kept.svs")) is not None


@pytest.mark.parametrize("content", [b"", SMALL, LARGE], ids=["empty", "small", "in parts"])
async def test_what_goes_up_comes_down(
    client: Client, address: StoreAddress, content: bytes, tmp_path: Path
) -> None:
    store = client.store(address)
    told: list[int] = []
    key = f"{tmp_path.name}/slide.svs"  # the stores are the session's
    assert await store.stat(key) is None
    stored = await store.put(key, file_of(tmp_path, content), progress=told.append)
    assert (stored.size, stored.crc32c) == (len(content), checksum_bytes(content).wire)
    # Azure names no checksum of what was sent in parts.
    assert stored.verified is (content != LARGE or not isinstance(address, Azure) or address.verify != "auto")
    assert told == sorted(told)
    assert told[-1] == len(content)
    there = await store.stat(key)
    assert there is not None
    assert (there.uri, there.size, there.crc32c) == (stored.uri, stored.size, stored.crc32c)
    url = await store.presign_get(stored.uri, 6 * 24 * 3600)
    assert requests.get(url, timeout=30).content == content
    if content:
        assert requests.get(url, headers={"Range": "bytes=0-1"}, timeout=30).content == content[:2]
    if not (isinstance(address, S3) and str(address.endpoint).count("/") == 2):  # moto takes anything
        assert requests.put(url, data=b"x", timeout=30).status_code >= 400


@pytest.mark.sampled(test=14)
@pytest.mark.parametrize("key", KEYS)
async def test_any_key(client: Client, address: StoreAddress, key: str, tmp_path: Path) -> None:
    store = client.store(address)
    stored = await store.put(key, file_of(tmp_path, SMALL))
    url = await store.presign_get(stored.uri, 600)
    assert requests.get(url, timeout=30).content == SMALL
    there = await store.stat(key)
    assert there is not None
    assert there.uri == stored.uri


async def test_what_is_there_is_not_sent_again(
    client: Client, emulator: Emulator, address: StoreAddress, tmp_path: Path
) -> None:
    store = client.store(address)
    source = file_of(tmp_path, LARGE)
    key = f"{tmp_path.name}/slide.svs"
    first = await put_once(store, key, source)
    told: list[int] = []
    again = await put_once(store, key, source, progress=told.append)
    assert told == []
    assert (again.uri, again.crc32c) == (first.uri, first.crc32c)
    source.write_bytes(bytes(reversed(LARGE)))  # the same size, and another checksum
    other = await put_once(store, key, source, progress=told.append)
    assert told[-1] == len(LARGE)
    assert other.crc32c == checksum_bytes(bytes(reversed(LARGE))).wire


@pytest.mark.parametrize("kind", ["s3", "gcs"])
async def test_a_run_from_a_bucket(emulator: Emulator, slide: Slide, tmp_path: Path, kind: str) -> None:
    """Two slides of one name in different folders, under keys that never meet."""
    twins = []
    for folder in "ab":
        (tmp_path / folder).mkdir()
        twins.append(tmp_path / folder / "case.tiff")
        twins[-1].write_bytes(slide.path.read_bytes())
    items = [Item(f"{path.parent.name}/case", slide=Slide(path)) for path in twins]
    store = getattr(emulator, kind)()
    async with emulator.client() as client:
        run = await client.runs.submit("he-tme:v1.0.0", items, store=store)
        report = await run.download(tmp_path / "results")
        report.raise_for_failures()
        assert len(report.of("a/case")) == len(report.of("b/case")) == 3
        keys = {
            asked["path"] for asked in emulator.requests() if asked["path"].startswith(f"/{kind}/bucket/")
        }
        assert len({key for key in keys if key.endswith("/case.tiff")}) == 2


async def test_a_job_that_is_repeated_sends_nothing_twice(emulator: Emulator, slide: Slide) -> None:
    items = [Item("case-7", slide=slide)]
    job = Uploads(prefix="lab", job="job-1")

    def puts() -> int:
        return sum(
            asked["method"] == "PUT" and asked["path"].startswith("/s3/") for asked in emulator.requests()
        )

    async with emulator.client() as client:
        await client.runs.submit("he-tme:v1.0.0", items, store=emulator.s3("job"), uploads=job)
        assert puts() == 1
        await client.runs.submit("he-tme:v1.0.0", items, store=emulator.s3("job"), uploads=job)
        assert puts() == 1
        await client.runs.submit("he-tme:v1.0.0", items, store=emulator.s3("job"))
        assert puts() == 2


@pytest.mark.parametrize(
    ("end", "error", "words"),
    [
        (datetime.now(UTC) + timedelta(days=5), ConfigurationError, "six days"),
        (datetime(2100, 1, 1), UsageError, "aware time"),  # noqa: DTZ001
    ],
    ids=["too soon", "without a zone"],
)
async def test_credentials_that_end_too_soon_are_refused_early(
    emulator: Emulator, slide: Slide, end: datetime, error: type[AignosticsError], words: str
) -> None:
    store = emulator.s3()
    assert isinstance(store.key, AwsKey)
    soon = evolve(store.key, token="session", expires_at=end)
    async with emulator.client() as client:
        with pytest.raises(error, match=words):
            await client.runs.submit(
                "he-tme:v1.0.0", [Item("a", slide=slide)], store=evolve(store, key=lambda: soon)
            )
    assert not [asked for asked in emulator.requests() if asked["method"] == "PUT"]


async def test_a_file_that_cant_be_sent_does_not_stop_its_neighbours(
    emulator: Emulator, slide: Slide, tmp_path: Path
) -> None:
    names = ["good.tiff", "bad.tiff", "fine.tiff"]
    for name in names:
        (tmp_path / name).write_bytes(slide.path.read_bytes())
    items = [Item(name, slide=Slide(tmp_path / name)) for name in names]
    emulator.set_faults({"method": "PUT", "path": "/s3/.*/bad.tiff", "status": 403})
    async with emulator.client() as client:
        with pytest.raises(UrlRefused, match=r"bad\.tiff"):
            await client.runs.submit("he-tme:v1.0.0", items, store=emulator.s3())
    asked = [each["path"] for each in emulator.requests() if each["method"] in ("HEAD", "POST")]
    assert {path.rpartition("/")[2] for path in asked} == {"good.tiff", "fine.tiff"}


async def test_a_failed_upload_leaves_no_parts(client: Client, emulator: Emulator, tmp_path: Path) -> None:
    """The last part is refused for good; the upload is aborted and nothing is under the key."""
    emulator.set_faults({"method": "PUT", "path": "/s3/.*", "query": {"partNumber": "3"}, "status": 403})
    store = client.store(emulator.s3("failing"))
    assert isinstance(store, Bucket)
    with pytest.raises(UrlRefused):
        await store.put("key", file_of(tmp_path, LARGE))
    assert await store.list() == []
    assert await store.stat("key") is None


async def test_parts_survive_a_bad_storage(client: Client, emulator: Emulator, tmp_path: Path) -> None:
    emulator.set_faults(
        {"method": "PUT", "path": "/s3/.*", "query": {"partNumber": "1"}, "status": 503, "times": 2},
        {"method": "PUT", "path": "/s3/.*", "query": {"partNumber": "2"}, "drop": "after", "times": 1},
    )
    stored = await client.store(emulator.s3()).put("bad", file_of(tmp_path, LARGE))
    assert stored.verified


async def test_orphans_are_aborted(client: Client, emulator: Emulator) -> None:
    for address in (emulator.s3("orphans", "mine"), emulator.gcs("orphans", "mine")):
        store = client.store(address)
        other = client.store(evolve(address, prefix="others"))
        assert isinstance(store, Bucket)
        assert isinstance(other, Bucket)
        upload = await store.begin("slide")
        await other.begin("slide")
        assert [(each.key, each.upload) for each in await store.list()] == [("slide", upload)]
        assert await store.abort_orphans(older_than=timedelta(days=1)) == 0
        assert await store.abort_orphans(older_than=timedelta(0)) == 1
        assert await store.list() == []
        assert len(await other.list()) == 1


async def test_a_file_that_changes_between_its_parts(
    client: Client, emulator: Emulator, tmp_path: Path
) -> None:
    source = file_of(tmp_path, LARGE)
    store = client.store(emulator.s3("changing"))
    assert isinstance(store, Bucket)

    def meddle(done: int) -> None:
        if done:
            source.write_bytes(bytes(len(LARGE)))

    with pytest.raises(LocalFileChanged):
        await store.put("key", source, progress=meddle)
    assert await store.stat("key") is None
    assert await store.list() == []


async def test_read_back_finds_other_bytes(client: Client, azurite: Azure, tmp_path: Path) -> None:
    """What stands there at the end is read: here somebody else has written in between."""
    from aignostics_async.storage._azure import Container

    store = client.store(evolve(azurite, verify="read-back"))
    assert isinstance(store, Container)
    other = client.store(azurite)
    signed = store._sign

    async def meddle(method: Any, key: str, expires: float) -> str:
        if method == "GET":
            await other.put(key, file_of(tmp_path, b"other"))
        return await signed(method, key, expires)

    store._sign = meddle  # type: ignore[method-assign]
    with pytest.raises(ChecksumMismatch):
        await store.put("key", file_of(tmp_path, SMALL))


async def test_presigned_urls_of_a_service(client: Client, emulator: Emulator, tmp_path: Path) -> None:
    bucket = client.store(emulator.s3("service"))
    signing = client.store(emulator.store_url)

    async def put_url(key: str) -> str:
        return await signing._sign("PUT", key, 60)  # type: ignore[attr-defined, no-any-return]

    async def get_url(key: str) -> str:
        return await signing._sign("GET", key, 60)  # type: ignore[attr-defined, no-any-return]

    async def head_url(key: str) -> str:
        return await signing._sign("HEAD", key, 60)  # type: ignore[attr-defined, no-any-return]

    assert await bucket.credentials_expire_at() is None
    store = client.store(Presigned(put_url=put_url, get_url=get_url, head_url=head_url))
    stored = await store.put("service/key", file_of(tmp_path, LARGE))
    assert stored.verified
    assert await store.stat("service/key") == stored
    assert await store.stat("service/none") is None
    assert requests.get(await store.presign_get(stored.uri, 60), timeout=30).content == LARGE


async def test_addresses(client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY"):
        monkeypatch.delenv(name, raising=False)
    for address, told in (
        ("s3://bucket", "AWS_REGION"),
        ("gs://bucket", "GOOGLE_APPLICATION_CREDENTIALS"),
        ("az://container", "AZURE_STORAGE_ACCOUNT"),
        ("ftp://host", "s3://bucket/prefix"),
        ("s3://", "s3://bucket/prefix"),
    ):
        with pytest.raises(ConfigurationError, match=told):
            client.store(address)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    with pytest.raises(ConfigurationError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        client.store("s3://bucket")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "name")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "PLANTED")
    store = client.store("s3://bucket/some/prefix")
    assert "PLANTED" not in repr(store)
    url = await store.presign_get("s3://bucket/some/prefix/a b", 8 * 24 * 3600)
    assert url.startswith("https://bucket.s3.eu-central-1.amazonaws.com/some/prefix/a%20b?")
    assert "X-Amz-Expires=604800" in url
    with pytest.raises(ConfigurationError, match="is not in"):
        await store.presign_get("s3://other/key", 60)
    broken = tmp_path / "key.json"
    broken.write_text("{}")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(broken))
    with pytest.raises(ConfigurationError, match="no key of a service account"):
        client.store("gs://bucket")


async def test_a_file_that_is_not_there(client: Client, address: StoreAddress, tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="can't be read"):
        await client.store(address).put("key", tmp_path / "none")
