"""Keys, endpoints, files and functions that can't be used: a typed error each time, which says what to do."""

from __future__ import annotations

import asyncio
import base64
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, strategies as st
from lying_store import LyingStore, Trouble, lying_store
from own_stores import Forgetful, Losing
from slide_files import write_tiff
from support import count

from aignostics_async import (
    GCS,
    S3,
    AignosticsError,
    AwsKey,
    Azure,
    Client,
    ConfigurationError,
    HmacKey,
    Item,
    PlatformBucket,
    Presigned,
    Slide,
    Store,
    StoreAddress,
    Stored,
    TransferError,
    UrlRefused,
    UsageError,
    put_once,
)
from aignostics_async._core._backoff import Backoff
from aignostics_async.emulator.process import Emulator
from aignostics_async.storage import _upload
from aignostics_async.storage._azure import blob_name
from aignostics_async.storage._protocol import Deleting

KEY = AwsKey("name", "secret", "us-east-1")
ACCOUNT: dict[str, Any] = {"account": "account", "key": base64.b64encode(b"key").decode()}

PLACES = {"s3": "s3://slides/", "gs": "gs://slides/", "azure": "az://slides/", "signing": "", "presigned": ""}


def addresses(emulator: Emulator, place: LyingStore) -> dict[str, StoreAddress | str]:
    return {
        "s3": S3(bucket="slides", endpoint=place.origin, key=KEY),
        "gs": GCS(bucket="slides", endpoint=place.origin, hmac=("id", "secret")),
        "azure": Azure(container="slides", endpoint=place.origin, **ACCOUNT),
        "signing": emulator.store_url,
    }


@pytest.fixture
def place() -> Iterator[LyingStore]:
    with lying_store() as place:
        yield place


@pytest.mark.parametrize("key", ["no base64!", "A", "ü"])
async def test_a_key_of_azure_that_is_no_base64(emulator: Emulator, key: str) -> None:
    async with emulator.client() as client:
        with pytest.raises(ConfigurationError, match="AZURE_STORAGE_KEY"):
            client.store(Azure(container="slides", account="account", key=key))


@pytest.mark.parametrize(
    "pem", ["", "no PEM", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
)
async def test_a_service_account_without_a_key_in_pem_form(emulator: Emulator, pem: str) -> None:
    account = {"client_email": "a@b", "private_key": pem}
    async with emulator.client() as client:
        with pytest.raises(ConfigurationError, match="PEM"):
            client.store(GCS(bucket="slides", service_account=account))


@pytest.mark.parametrize(
    "hmac", [("id",), ("id", ""), ("id", None), ("id", "half\udcff"), HmacKey("", "secret"), 7]
)
async def test_an_hmac_key_that_is_none(emulator: Emulator, hmac: Any) -> None:
    async with emulator.client() as client:
        with pytest.raises(ConfigurationError, match="HmacKey"):
            client.store(GCS(bucket="slides", hmac=hmac))


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://[::1",
        "host",
        "ftp://host",
        "https://",
        "https://u:p@host",
        "http://host:port",
        "https://host?a=b",
    ],
)
@pytest.mark.parametrize("kind", ["s3", "gs", "azure"])
async def test_an_endpoint_that_is_no_url(emulator: Emulator, endpoint: str, kind: str) -> None:
    stores: dict[str, StoreAddress] = {
        "s3": S3(bucket="slides", endpoint=endpoint, key=KEY),
        "gs": GCS(bucket="slides", endpoint=endpoint, hmac=("id", "secret")),
        "azure": Azure(container="slides", endpoint=endpoint, **ACCOUNT),
    }
    async with emulator.client() as client:
        with pytest.raises(ConfigurationError, match="endpoint"):
            client.store(stores[kind])


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        *(
            (f"AWS_{name}", "other")
            for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "REGION")
        ),
        ("AWS_ENDPOINT_URL_S3", "http://other"),
        *(
            (f"GOOGLE_{name}", "other")
            for name in ("HMAC_ACCESS_ID", "HMAC_SECRET", "APPLICATION_CREDENTIALS")
        ),
        ("STORAGE_EMULATOR_HOST", "http://other"),
        *((f"AZURE_STORAGE_{name}", "other") for name in ("ACCOUNT", "ACCOUNT_NAME", "KEY", "TOKEN")),
        *((f"AZURE_{name}", "true") for name in ("SKIP_SIGNATURE", "STORAGE_USE_EMULATOR", "USE_AZURE_CLI")),
        ("AZURE_STORAGE_SAS_TOKEN", "sv=1&sig=other"),
        ("AZURE_CREDENTIAL_TYPE", "managed_identity"),
        ("AZURE_STORAGE_ENDPOINT", "http://other"),
        ("AZURE_CONTAINER_NAME", "other"),
    ],
)
async def test_what_is_passed_counts_for_more_than_the_environment(
    emulator: Emulator, place: LyingStore, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    stores = {
        "s3": "X-Amz-Credential=name%2F",
        "gs": "X-Goog-Credential=id%2F",
        "azure": "sig=",
    }
    monkeypatch.setenv(variable, value)
    async with emulator.client() as client:
        for kind, credential in stores.items():
            store = client.store(addresses(emulator, place)[kind])
            url = await store.presign_get(f"{PLACES[kind]}a", 60)
            assert url.startswith(f"{place.origin}/slides/a?")
            assert credential in url
            assert "other" not in url


@pytest.mark.parametrize(
    "address", ["http://[::1", "s3://[::1/x", "https://[", "s3://", "slides", "", 7, None]
)
async def test_an_address_that_is_none(emulator: Emulator, address: Any) -> None:
    async with emulator.client() as client:
        with pytest.raises(ConfigurationError):
            client.store(address)


@pytest.mark.parametrize(
    "key", [None, "secret", ("name", "secret"), AwsKey("name", "secret\udcff", "us-east-1")]
)
async def test_a_function_for_keys_that_gives_none(emulator: Emulator, key: Any, tmp_path: Path) -> None:
    async with emulator.client() as client:
        store = client.store(S3(bucket="slides", endpoint="http://127.0.0.1:9", key=lambda: key))
        with pytest.raises(ConfigurationError, match="AwsKey") as caught:
            await store.stat("key")
    assert "secret" not in str(caught.value)


def test_what_stands_where_a_secret_belongs_is_not_shown() -> None:
    client, url = Client("https://host.example.com", "x"), "https://host/put?sig=secret"
    for make in (
        lambda: Presigned(put_url=cast("Any", url), get_url=str),
        lambda: client.store(cast("Any", {"bucket": "slides", "key": "secret"})),
        lambda: PlatformBucket(endpoint=cast("Any", {"url": "secret"})),
    ):
        with pytest.raises(ConfigurationError) as caught:
            make()
        assert "secret" not in str(caught.value)
    assert "secret" not in repr(PlatformBucket(endpoint="https://name:secret@host"))


@pytest.mark.parametrize("kind", ["s3", "gs", "azure"])
async def test_a_signed_url_is_no_uri_and_is_not_shown(
    emulator: Emulator, place: LyingStore, kind: str
) -> None:
    async with emulator.client() as client:
        store = client.store(addresses(emulator, place)[kind])
        with pytest.raises(ConfigurationError, match="is not in") as caught:
            await store.presign_get("https://host/key?sig=secret", 60)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("expires", [0, -1, float("inf"), float("nan"), True, "60"])
@pytest.mark.parametrize("kind", ["s3", "gs", "azure", "signing"])
async def test_a_url_is_valid_for_a_positive_time(
    emulator: Emulator, place: LyingStore, kind: str, expires: Any
) -> None:
    async with emulator.client() as client:
        store = client.store(addresses(emulator, place)[kind])
        with pytest.raises(UsageError, match="positive"):
            await store.presign_get(PLACES[kind] + "key", expires)


async def test_a_time_that_azure_can_t_express(emulator: Emulator, place: LyingStore) -> None:
    async with emulator.client() as client:
        store = client.store(addresses(emulator, place)["azure"])
        with pytest.raises(ConfigurationError, match="can't sign"):
            await store.presign_get("az://slides/key", 1e300)


@pytest.mark.parametrize("kind", [str, Path], ids=["text", "path"])
@pytest.mark.parametrize("call", ["put", "put_once"])
async def test_a_path_may_be_a_text(
    emulator: Emulator, tmp_path: Path, kind: Callable[[Path], Any], call: str
) -> None:
    source = tmp_path / "slide.svs"
    source.write_bytes(b"slide")
    async with emulator.client() as client:
        for address in (emulator.s3(), emulator.store_url):
            store = client.store(address)
            send = store.put if call == "put" else lambda key, path, store=store: put_once(store, key, path)
            assert (await send(f"{kind.__name__} {call}", kind(source))).verified
            with pytest.raises(TransferError, match="can't be read"):
                await send("missing", kind(tmp_path / "none"))
            with pytest.raises(TransferError, match="can't be read"):
                await send("folder", kind(tmp_path))
            with pytest.raises(UsageError, match="no file of this system"):
                await send("no name", kind(tmp_path / "a\0b"))


@pytest.mark.parametrize("kind", ["s3", "gs", "azure", "signing", "presigned"])
async def test_a_key_that_cannot_be_encoded(
    emulator: Emulator, place: LyingStore, tmp_path: Path, kind: str
) -> None:
    def url_for(key: str) -> str:
        raise AssertionError(f"it was asked for {key!r}")

    address = Presigned(put_url=url_for, get_url=url_for, head_url=url_for)
    source, key = tmp_path / "slide.svs", "case-\udcff.svs"
    source.write_bytes(b"slide")
    async with emulator.client() as client:
        store = client.store(addresses(emulator, place).get(kind, address))
        calls = [
            store.put(key, source),
            put_once(store, key, source),
            store.stat(key),
            store.presign_get(PLACES[kind] + key, 60),
        ]
        if isinstance(store, Deleting):
            calls.append(store.delete(key))
        for call in calls:
            with pytest.raises(UsageError, match="must be text that can be encoded"):
                await call
    assert place.requests == []


async def test_presigned_urls_may_need_headers(emulator: Emulator, place: LyingStore, tmp_path: Path) -> None:
    source = tmp_path / "slide.svs"
    source.write_bytes(b"slide")

    async def put_url(key: str) -> tuple[str, dict[str, str]]:
        return f"{place.origin}/{key}", {"x-ms-blob-type": "BlockBlob"}

    async def get_url(key: str) -> str:
        return f"{place.origin}/{key}"

    async with emulator.client() as client:
        await client.store(Presigned(put_url=put_url, get_url=get_url)).put("key", source)
    sent = [headers for method, _, headers in place.requests if method == "PUT"]
    assert [headers["x-ms-blob-type"] for headers in sent] == ["BlockBlob"]


async def test_a_signer_may_name_the_headers_that_every_request_has(
    emulator: Emulator, place: LyingStore, tmp_path: Path
) -> None:
    """As signers do that return all that they have signed; a header that came twice would be refused."""
    source = tmp_path / "slide.svs"
    source.write_bytes(b"slide")

    def url(key: str) -> str:
        return f"{place.origin}/{key}"

    def put_url(key: str) -> tuple[str, dict[str, str]]:
        return url(key), {"host": place.origin.partition("://")[2], "content-length": "3"}

    async with emulator.client() as client:
        await client.store(Presigned(put_url=put_url, get_url=url)).put("key", source)
    assert place.objects["/key"] == b"slide"
    (sent,) = (headers for method, _, headers in place.requests if method == "PUT")
    assert [name.lower() for name in sent].count("host") == 1


@pytest.mark.parametrize(
    "headers",
    [{"x-meta": None}, {"x-meta": "5 €"}, {"x-meta": "a\r\nb: c"}, {"": "a"}, {"x meta": "a"}],
    ids=repr,
)
async def test_headers_that_no_request_can_have(
    emulator: Emulator, place: LyingStore, tmp_path: Path, headers: dict[str, Any]
) -> None:
    source = tmp_path / "slide.svs"
    source.write_bytes(b"slide")

    def url(key: str) -> tuple[str, dict[str, Any]]:
        return f"{place.origin}/{key}", headers

    async with emulator.client() as client:
        with pytest.raises(ConfigurationError, match="headers"):
            await client.store(Presigned(put_url=url, get_url=url)).put("key", source)
    assert place.requests == []


@pytest.mark.parametrize("raises", ["progress", "put_url"])
async def test_an_error_of_a_function_is_no_answer_of_the_store(
    emulator: Emulator, place: LyingStore, tmp_path: Path, raises: str
) -> None:
    source = tmp_path / "slide.svs"
    source.write_bytes(b"slide")
    error = UrlRefused("mine", name="mine", status=404, code="NoSuchUpload")

    def fail(_argument: object) -> Any:
        raise error

    address: StoreAddress = S3(bucket="bucket", endpoint=place.origin, key=KEY)
    if raises == "put_url":
        address = Presigned(put_url=fail, get_url=fail)
    async with emulator.client() as client:
        with pytest.raises(UrlRefused) as caught:
            await client.store(address).put("key", source, progress=fail)
    assert caught.value is error
    assert place.puts < 2


async def test_a_url_for_the_platform_needs_no_headers(
    emulator: Emulator, place: LyingStore, tmp_path: Path
) -> None:
    source = tmp_path / "slide.svs"
    source.write_bytes(b"slide")

    async def url(key: str) -> tuple[str, dict[str, str]]:
        return f"{place.origin}/{key}", {"x-of-the-service": "1"}

    async with emulator.client() as client:
        with pytest.raises(ConfigurationError, match="needs no headers"):
            await client.store(Presigned(put_url=url, get_url=url)).put("key", source)


@pytest.mark.parametrize(
    "signed",
    ["ftp://host/a", "https://u:p@host/a", ("host/a", {}), ("https://host/a", {"x": "1\nhost: b"})],
)
async def test_a_function_that_signs_what_no_storage_does(
    emulator: Emulator, tmp_path: Path, signed: Any
) -> None:
    source = tmp_path / "slide.svs"
    source.write_bytes(b"slide")
    async with emulator.client() as client:
        store = client.store(Presigned(put_url=lambda _key: signed, get_url=lambda _key: signed))
        for call in (store.put("key", source), store.presign_get("key", 60)):
            with pytest.raises(ConfigurationError, match="no storage signs") as caught:
                await call
            assert "host" not in str(caught.value)


@pytest.mark.parametrize("signed", [None, 7, ("url",), ("url", None), (None, {}), ["url", {}]])
async def test_a_function_that_signs_nothing(emulator: Emulator, tmp_path: Path, signed: Any) -> None:
    source = tmp_path / "slide.svs"
    source.write_bytes(b"slide")

    async def url(_key: str) -> Any:
        return signed

    async with emulator.client() as client:
        with pytest.raises(ConfigurationError, match="return a URL"):
            await client.store(Presigned(put_url=url, get_url=url)).put("key", source)


async def test_a_plain_function_signs_as_well(emulator: Emulator, place: LyingStore, tmp_path: Path) -> None:
    source = tmp_path / "slide.svs"
    source.write_bytes(b"slide")

    def url(key: str) -> str:
        return f"{place.origin}/{key}"

    async with emulator.client() as client:
        await client.store(Presigned(put_url=url, get_url=url, head_url=url)).put("key", source)
    assert place.objects["/key"] == b"slide"


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ([Stored("uri", 4)], "the file has 5"),
        ([Stored("uri", 5, "AAAAAA==")], "the file has 5"),
        ([Stored("uri", 5), Stored("uri", 4)], "the file has 5"),
        ([Stored("uri", 5), Stored("uri", 5, "AAAAAA==")], "the file has 5"),
        ([Stored("uri", 5), None], "reported it missing"),
        ([Stored("uri", cast("int", "5"))], "the file has 5"),
        ([Stored("uri", 5), Stored("uri", cast("int", None))], "the file has 5"),
    ],
    ids=[
        "size of put",
        "checksum of put",
        "size of stat",
        "checksum of stat",
        "nothing of stat",
        "text",
        "None",
    ],
)
async def test_a_store_of_ones_own_is_compared_too(
    tmp_path: Path, told: list[Stored | None], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_upload, "_BACKOFF", Backoff(0.01, 0.01))
    source = tmp_path / "slide.svs"
    source.write_bytes(b"slide")
    store = Forgetful(*told)
    assert isinstance(store, Store)
    with pytest.raises(TransferError, match=message):
        await put_once(store, "key", source)
    assert store.puts == 2, "it is sent once more"


async def test_a_store_of_ones_own_that_is_late(tmp_path: Path) -> None:
    source = tmp_path / "slide.svs"
    source.write_bytes(b"slide")
    store = Forgetful(Stored("uri", 5), looks=3)
    assert await put_once(store, "key", source) == Stored("uri", 5)
    assert store.puts == 1


async def test_a_store_of_ones_own_that_can_not_tell(tmp_path: Path) -> None:
    class Silent(Forgetful):
        async def stat(self, key: str) -> Stored | None:
            raise NotImplementedError

    source = tmp_path / "slide.svs"
    source.write_bytes(b"slide")
    store = Silent(Stored("uri", 5))
    assert not (await put_once(store, "key", source)).verified
    assert store.puts == 1


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ([None], "`put` of a store returns a Stored, not NoneType"),
        (
            [Stored("uri", 5), {"size": 5}],
            "`stat` of a store returns a Stored or None, not dict",
        ),
    ],
)
async def test_what_is_no_answer_of_a_store_of_ones_own(tmp_path: Path, told: list[Any], words: str) -> None:
    source = tmp_path / "slide.svs"
    source.write_bytes(b"slide")
    with pytest.raises(UsageError, match=words):
        await put_once(Forgetful(*told), "key", source)


@pytest.mark.parametrize("refusal", [(403, b""), (400, b"<Code>ExpiredToken</Code>")], ids=["403", "expired"])
async def test_a_url_that_dies_on_the_way_is_signed_once_more(
    emulator: Emulator, place: LyingStore, tmp_path: Path, refusal: tuple[int, bytes]
) -> None:
    source = tmp_path / "slide.svs"
    source.write_bytes(b"slide")
    place.troubles = [Trouble("PUT", status=refusal[0], body=refusal[1], part="try=1")]
    signed: list[str] = []

    def sign(key: str) -> str:
        signed.append(key)
        return f"{place.origin}/{key}?try={len(signed)}"

    def get(key: str) -> str:
        return f"{place.origin}/{key}"

    async with emulator.client() as client:
        await client.store(Presigned(put_url=sign, get_url=get)).put("key", source)
    assert place.objects["/key"] == b"slide"
    assert len(signed) == 2


async def test_a_url_that_is_never_good_is_signed_twice(
    emulator: Emulator, place: LyingStore, tmp_path: Path
) -> None:
    source = tmp_path / "slide.svs"
    source.write_bytes(b"slide")
    place.troubles = [Trouble("PUT", status=403, times=9)]

    def sign(key: str) -> str:
        return f"{place.origin}/{key}"

    async with emulator.client() as client:
        with pytest.raises(UrlRefused):
            await client.store(Presigned(put_url=sign, get_url=sign)).put("key", source)
    assert place.troubles[0].answered == 2


async def test_a_file_that_goes_as_it_is_uploaded(emulator: Emulator, tmp_path: Path) -> None:
    items = [Item("a", slide=Slide(write_tiff(tmp_path / "a.tiff")))]
    async with emulator.client() as client:
        with pytest.raises(TransferError, match=r"a\.tiff: it can't be read"):
            await client.runs.submit("he-tme:v1.1.0", items, store=Losing())


@pytest.mark.parametrize("method", ["put", "stat", "presign_get"])
async def test_a_request_of_a_store_of_ones_own_that_is_cancelled(
    emulator: Emulator, tmp_path: Path, method: str
) -> None:
    """Nobody has cancelled the submission, so it must not take the slide for sent, and go on without it."""

    async def cancelled(*_: object, **__: object) -> None:
        request = asyncio.ensure_future(asyncio.sleep(60))
        request.cancel()
        await request

    async def put(key: str, source: Path, **_: object) -> Stored:
        return Stored(key, source.stat().st_size)

    items = [Item(name, slide=Slide(write_tiff(tmp_path / f"{name}.tiff"))) for name in ("a", "b")]
    async with emulator.client() as client:
        store = client.store(emulator.store_url)
        own = SimpleNamespace(
            put=store.put if method == "presign_get" else put,
            stat=store.stat,
            presign_get=store.presign_get,
            credentials_expire_at=store.credentials_expire_at,
        )
        setattr(own, method, cancelled)
        with pytest.raises(AignosticsError, match="something that was waited for was cancelled"):
            await client.runs.submit("he-tme:v1.1.0", items, store=own)
    assert count(emulator, operation="create_run") == 0


@pytest.mark.parametrize("method", ["put", "presign_get", "credentials_expire_at"])
async def test_a_method_that_is_not_async(emulator: Emulator, tiny_slide: Path, method: str) -> None:
    own = Forgetful()
    setattr(own, method, lambda *_args, **_more: "https://h/a?PLANTED")
    async with emulator.client() as client:
        store = client.store(emulator.store_url)
        for name in {"put", "stat"} - {method}:
            setattr(own, name, getattr(store, name))
        item = Item("a", slide=Slide(tiny_slide))
        with pytest.raises(UsageError, match=f"`{method}` of a store is not async") as caught:
            await client.runs.submit("he-tme:v1.1.0", [item], store=cast("Store", own))
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert "PLANTED" not in "".join(told.format())
    assert count(emulator, operation="create_run") == 0


async def test_a_stat_that_is_not_async(tiny_slide: Path) -> None:
    own = Forgetful()
    setattr(own, "stat", lambda _key: None)  # noqa: B010 - it has another type
    with pytest.raises(UsageError, match="`stat` of a store is not async"):
        await put_once(cast("Store", own), "a", tiny_slide)


@given(st.text(max_size=12), st.text(max_size=12))
def test_no_two_keys_are_one_blob(one: str, other: str) -> None:
    try:
        names = blob_name(one), blob_name(other)
    except UnicodeEncodeError:
        return  # no name that a file of this system could have
    assert (names[0] == names[1]) is (one == other)
    for name in names:
        assert "%" not in name
        assert all(part not in ("", ".", "..") for part in name.split("/")) or name == ""


@pytest.mark.parametrize(
    "keys",
    [("case 7.svs", "case~207.svs"), ("x//y", "x/~2Fy", "x/y"), ("a/./b", "a/~2E/b"), ("/x", "x", "x/")],
)
def test_keys_that_looked_alike_are_different_blobs(keys: tuple[str, ...]) -> None:
    assert len({blob_name(key) for key in keys}) == len(keys)
