"""Wrong use comes back as one clear error of our tree."""

# Wrong types are what this file is about.
# mypy: disable-error-code="arg-type, list-item"

from __future__ import annotations

import asyncio
import inspect
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from math import inf, nan
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from leak_detector import variables_of
from own_stores import Losing
from support import signed_in

from aignostics_async import (
    GCS,
    S3,
    AignosticsError,
    Azure,
    Client,
    ConfigurationError,
    FileStore,
    InputArtifact,
    Item,
    PlatformBucket,
    Presigned,
    ProgressLines,
    Settings,
    Slide,
    Store,
    Timeouts,
    TransferError,
    UsageError,
    Watcher,
    checksum_file,
    find_slides,
)
from aignostics_async._core._uncancellable import run_in_daemon_thread, run_uncancellable
from aignostics_async.bulk import (
    BulkJob,
    JobPlan,
    SelectionRule,
    Sources,
    create_job,
    inspect_slides,
    run_preflight,
)
from aignostics_async.emulator import EmulatorOptions
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.slides._packing import one_file
from aignostics_async.submission import _slide_uploads

ROOT = "https://host.example.com"


@pytest.mark.parametrize(
    "make",
    [
        lambda: Item(7),
        lambda: Item("a", slide=7),
        lambda: Item("a", slide=cast("Any", {7: "a.svs"})),
        lambda: Item("a", artifacts=3),
        lambda: Item("a", artifacts=["x"]),
        lambda: InputArtifact("slide", None, {}),
        lambda: InputArtifact("slide", "https://h", None),
        lambda: Slide(None),
        lambda: Slide("a", mpp=[0.25, 0.25]),
        lambda: Slide("a", mpp=(0.25,)),
        lambda: Slide("a", mpp="0.25"),
        lambda: Slide("a", mpp=True),
        lambda: Slide("a", mpp=(0.25, True)),
        lambda: find_slides(["lab"]),
        lambda: Slide("a", files="a.dcm"),
        lambda: Slide("a", files=5),
        lambda: Slide("a", metadata=3),
        lambda: Slide("a", include_label="false"),
        lambda: Client(None, "x"),
        lambda: Client(ROOT, None),
        lambda: Client(ROOT, "x", settings={}),
        lambda: Settings(timeouts=5),
        lambda: ProgressLines(every="10"),
        lambda: Settings(user_agent="Klinik Zürich"),
        lambda: Settings(user_agent="a\nb"),
        lambda: Client("host.example.com", "x"),
        lambda: Client("localhost:8000", "x"),
        lambda: Client(f"{ROOT}/api/v1", "x"),
        lambda: Client(ROOT, "x").store(None),
        lambda: Client(ROOT, "x").run("latest"),
        lambda: Client(ROOT, "x").runs.list(application_version="he-tme"),
        lambda: Client(ROOT, "x").runs.list(application_id=""),
        lambda: Client(ROOT, "x").runs.list(application_id=5),
        lambda: Client(ROOT, "x").runs.list(reference=" "),
        lambda: Client(ROOT, "x").runs.list(organization=""),
        lambda: Client(ROOT, "x").runs.list(sort=5),
        lambda: Client(ROOT, "x").applications.versions(""),
        lambda: Client(ROOT, "x").applications.versions("he-tme", version=""),
        lambda: Client(ROOT, "x").applications.versions("he-tme", version="he-tme:v1.0.0"),
        lambda: Client(ROOT, "x").applications.versions("he-tme", sort=["version", 5]),
        lambda: Client(ROOT, "x").run(str(uuid.UUID(int=1))).results(statuses=[5]),
        lambda: Client(ROOT, "x").run(str(uuid.UUID(int=1))).results(statuses=["FAILED"]),
        lambda: Client(ROOT, "x").run(str(uuid.UUID(int=1))).results(references=[5]),
        lambda: S3(bucket=5),
        lambda: S3(bucket="slides", prefix=5),
        lambda: S3(bucket="slides", region=5),
        lambda: S3(bucket="slides", region=""),
        lambda: S3(bucket="slides", endpoint=" "),
        lambda: GCS(bucket="slides", endpoint=""),
        lambda: PlatformBucket(endpoint=""),
        lambda: Azure(container="slides", account=""),
        lambda: Azure(container="slides", key=""),
        lambda: S3(bucket="slides", key="secret"),
        lambda: S3(bucket="slides", checksums="never"),
        lambda: S3(bucket="slides", verify="readback"),
        lambda: GCS(bucket="", verify="read-back"),
        lambda: GCS(bucket="slides", verify="readback"),
        lambda: Azure(container="slides", prefix=5),
        lambda: Azure(container="slides", verify="readback"),
        lambda: PlatformBucket(verify="readback"),
        lambda: Presigned(put_url="https://host/put", get_url=str),
        lambda: Presigned(put_url=str, get_url=str, verify="readback"),
        lambda: Client(ROOT, "x").store(f"{ROOT}/objects", verify="readback"),
        lambda: Client(ROOT, "x").store("s3://slides", verify="readback"),
        lambda: Client(ROOT, "x").store("platform", checksums="never"),
        lambda: Client(ROOT, "x").with_options(timeouts=0),
        lambda: SelectionRule(5, counts=True),
        lambda: EmulatorOptions(data=Path(), speed="fast"),
        lambda: EmulatorOptions(data=Path(), speed=True),
        lambda: EmulatorOptions(data=Path(), token_lifetime=True),
        lambda: EmulatorOptions(data=Path(), remote_inputs="false"),
        lambda: EmulatorOptions(data=Path(), failed_items_threshold=0.5),
        lambda: EmulatorOptions(data=Path(), allowed_hosts="emulator.lab"),
    ],
)
def test_wrong_values_are_refused_where_they_are_given(make: Callable[[], Any]) -> None:
    with pytest.raises((UsageError, ConfigurationError)):
        make()


def test_settings_of_another_type_are_refused_beside_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIGNOSTICS_ENVIRONMENT", "production")
    monkeypatch.setenv("AIGNOSTICS_ACCESS_TOKEN", "x")
    with pytest.raises(ConfigurationError, match="settings takes"):
        Client.from_env(settings={})


@pytest.mark.parametrize("rest", ["?region=eu-central-1", "#part"])
def test_nothing_of_a_store_s_address_is_dropped(monkeypatch: pytest.MonkeyPatch, rest: str) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "x")
    assert isinstance(Client(ROOT, "x").store("s3://slides/lab-7"), Store)
    with pytest.raises(ConfigurationError, match="is no address"):
        Client(ROOT, "x").store(f"s3://slides/lab-7{rest}")


@pytest.mark.parametrize(
    ("watch", "words"),
    [
        (lambda client: client.watch(str(uuid.UUID(int=1))), "put the one in a list"),
        (lambda client: client.watch(client.run(str(uuid.UUID(int=1)))), "put the one in a list"),
        (lambda client: client.watch(["latest"]), "a run id is a UUID"),
        (lambda client: client.watch_all(since="2026-01-01"), "aware"),
        (lambda client: client.watch_all(since=datetime(2026, 1, 1)), "aware"),  # noqa: DTZ001
        (lambda client: client.watch_all(application="he-tme:v1.0.0"), "is a version"),
        (lambda client: client.watch_all(application=""), "no application id"),
        (lambda client: client.watch_all(cursor="yesterday"), "cursor"),
    ],
)
async def test_wrong_ways_to_watch(
    emulator: Emulator, watch: Callable[[Client], Watcher], words: str
) -> None:
    async with emulator.client() as client:
        with pytest.raises(UsageError, match=words):
            watch(client)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.call("list_runs"),
        lambda client: client.run(str(uuid.UUID(int=1))).set_metadata({}, read={}),
        lambda client: client.run(str(uuid.UUID(int=1))).set_item_metadata("a", {}, read={}),
        lambda client: client.runs.cancel_matching(None, reference="a"),
        lambda client: client.runs.cancel_matching(len, application_id=""),
        lambda client: client.runs.find(references=["a"], submission=""),
        lambda client: client.run(str(uuid.UUID(int=1))).artifact_url(str(uuid.UUID(int=2)), ""),
        lambda client: client.runs.submit("he-tme:v1.0.0", [], store="platform", uploads=cast("Any", {})),
        lambda client: client.runs.submit("he-tme:v1.0.0", [], store="platform", uploads=cast("Any", "x")),
    ],
)
async def test_wrong_values_are_refused_before_a_request(
    emulator: Emulator, call: Callable[[Client], Awaitable[object]]
) -> None:
    async with emulator.client() as client:
        with pytest.raises(UsageError, match=r"takes |is no (operation|artifact)|is a (function|text)"):
            await call(client)
    assert emulator.requests() == []


def test_a_path_is_as_good_as_a_slide() -> None:
    assert Item("a", slide="a.svs").slide == Slide("a.svs")
    assert Item("a", slide={"he": Path("a.svs")}).slide == {"he": Slide("a.svs")}


@pytest.mark.parametrize("version", [None, 3, "he-tme", ""])
async def test_wrong_versions(emulator: Emulator, version: Any) -> None:
    async with emulator.client() as client:
        with pytest.raises(UsageError, match="is no version id"):
            await client.runs.create(version, [])
        with pytest.raises(UsageError, match="put the one in a list"):
            await client.runs.create("he-tme:v1.0.0", Item("a"))
        for part in ("", "..", ".", "\udcff"):
            with pytest.raises(UsageError, match="is no application id"):
                [found async for found in client.applications.versions(part)]
    assert emulator.requests() == []


async def test_a_key_that_cant_be_encoded_is_told(emulator: Emulator) -> None:
    async with emulator.client() as client:
        with pytest.raises(UsageError, match="text that can be encoded"):
            await client.store(emulator.store_url).presign_get("signed:\udcff", 60)


@pytest.mark.parametrize(
    "secret", ["https://user:PLANTED@host", "https://:PLANTED@host", "http://:PLANTED@h"]
)
def test_a_password_in_the_root_is_refused_and_not_shown(
    secret: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv("AIGNOSTICS_API_ROOT", secret)
    monkeypatch.setenv("AIGNOSTICS_ACCESS_TOKEN", "x")
    with pytest.raises(ConfigurationError) as caught:
        Client(secret, "x")
    assert "PLANTED" not in str(caught.value)
    with pytest.raises(ConfigurationError) as caught:
        Client.from_env()
    assert "PLANTED" not in str(caught.value)
    assert "PLANTED" not in caplog.text


@pytest.mark.parametrize(
    ("settings", "variables", "words"),
    [
        (Settings(proxy=""), {}, "proxy"),
        (Settings(proxy="socks5://127.0.0.1:9"), {}, "http://host:port"),
        (Settings(), {"ALL_PROXY": "socks5h://127.0.0.1:9"}, "http://host:port"),
        (Settings(), {"HTTPS_PROXY": "garbage://x"}, "proxy"),
        (Settings(), {"SSL_CERT_FILE": "/nope.pem"}, "SSL_CERT_FILE"),
    ],
)
async def test_settings_that_cant_be_used_are_told_on_entering(
    settings: Settings, variables: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=words):
        async with Client(ROOT, "x", settings=settings):
            pass


async def test_this_machine_is_not_reached_through_a_proxy(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy would see the token in clear text."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readline())
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        proxy = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy)
        monkeypatch.delenv("NO_PROXY", raising=False)
        source = signed_in(emulator)
        async with Client(emulator.api_root, source, settings=IMPATIENT) as client:
            assert [application async for application in client.applications.list()]
            await client.store(emulator.store_url).put("a", Path(__file__))
            assert await client.store(emulator.store_url).stat("a")
    assert seen == []


async def test_files_that_cant_be_read_are_typed(emulator: Emulator, tmp_path: Path) -> None:
    async with emulator.client() as client:
        store = client.store(emulator.store_url)
        for source in (tmp_path, tmp_path / "none", tmp_path / ("x" * 300)):
            with pytest.raises(TransferError, match="it can't be read"):
                await store.put("a", source)


async def test_a_progress_callback_that_fails_is_the_caller_s_own_error(
    emulator: Emulator, slide: Slide, tmp_path: Path
) -> None:
    def fail(_event: object) -> None:
        raise ZeroDivisionError

    async with emulator.client() as client:
        with pytest.raises(ZeroDivisionError):
            await client.runs.submit(
                "he-tme:v1.0.0", [Item("a", slide=slide)], store=emulator.store_url, progress=fail
            )
        run = await client.runs.submit("he-tme:v1.0.0", [Item("a", slide=slide)], store=emulator.store_url)
        with pytest.raises(ZeroDivisionError):
            await run.download(tmp_path, progress=fail)


async def test_a_slide_that_goes_away_before_its_upload(
    emulator: Emulator, slide: Slide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "gone.tiff"
    source.write_bytes(slide.path.read_bytes())

    def delete_first(*arguments: Any, **options: Any) -> Any:
        source.unlink()
        return one_file(*arguments, **options)

    monkeypatch.setattr(_slide_uploads, "one_file", delete_first)
    async with emulator.client() as client:
        with pytest.raises(TransferError, match="can't be read"):
            await client.runs.submit("he-tme:v1.0.0", [Item("a", slide=source)], store=emulator.store_url)


async def test_a_slide_that_goes_away_after_its_upload(
    emulator: Emulator, slide: Slide, tmp_path: Path
) -> None:
    source = tmp_path / "gone.tiff"
    source.write_bytes(slide.path.read_bytes())
    async with emulator.client() as client:
        with pytest.raises(TransferError, match="can't be read"):
            await client.runs.submit("he-tme:v1.0.0", [Item("a", slide=source)], store=Losing())


def test_one_source_in_two_loops_one_after_the_other(emulator: Emulator) -> None:
    source = signed_in(emulator)

    async def use() -> int:
        async with Client(emulator.api_root, source, settings=IMPATIENT) as client:
            return len([application async for application in client.applications.list()])

    assert [asyncio.run(use()), asyncio.run(use())] == [2, 2]


async def test_a_failure_that_stays_does_not_grow(emulator: Emulator) -> None:
    emulator.set_faults()
    source = signed_in(emulator, "wrong")
    lengths = []
    for _ in range(20):
        with pytest.raises(AignosticsError) as caught:
            await source.get_token()
        lengths.append(len(caught.traceback))
    assert len(set(lengths[1:])) == 1


@pytest.mark.parametrize("timeout", [0, -1])
def test_no_timeout_is_none_or_less(timeout: float) -> None:
    with pytest.raises(ConfigurationError):
        Timeouts(read=timeout)


async def test_a_client_closed_while_a_retry_waits(emulator: Emulator) -> None:
    emulator.set_faults({"path": "/api/v1/runs/.*", "status": 503, "headers": {"Retry-After": "1"}})
    client = emulator.client()
    async with client:
        asked = asyncio.create_task(client.runs.get(str(uuid.uuid4())))
        await asyncio.wait([asked], timeout=0.3)
    with pytest.raises(UsageError, match="was closed"):
        await asked


def test_a_client_is_not_opened_with_a_plain_with() -> None:
    client: Any = Client(ROOT, "token")
    with pytest.raises(UsageError, match=r"async with Client\(...\) as client"), client:
        pass


def test_without_an_event_loop_a_client_says_so() -> None:
    """As under trio: there is no asyncio loop."""
    entering = Client(ROOT, "token").__aenter__()
    with pytest.raises(UsageError, match="no asyncio event loop is running"):
        entering.send(None)


def test_without_an_event_loop_nothing_is_begun_in_a_thread() -> None:
    """What needs no client either: signing in and out, and key rings."""
    with pytest.raises(UsageError, match="no asyncio event loop is running"):
        run_uncancellable(cast("Any", None)).send(None)
    with pytest.raises(UsageError, match="no asyncio event loop is running"):
        run_in_daemon_thread(cast("Any", None)).send(None)


@pytest.mark.parametrize("token", [b"PLANTED-token", ["PLANTED-token"], {"token": "PLANTED-token"}, None])
def test_what_is_no_token_is_refused_and_not_shown(token: Any) -> None:
    with pytest.raises(ConfigurationError, match="a token is a str, or an object with get_token") as caught:
        Client(ROOT, token)
    assert "PLANTED" not in str(caught.value)
    shown = [text for _, text in variables_of(caught.value)]
    assert shown
    assert "PLANTED" not in "".join(shown)


class NoTokens:
    """A token source of a user's own that gives something else."""

    def __init__(self, given: Any) -> None:
        self.given = given

    async def get_token(self, *, rejected: object = None) -> Any:
        return self.given


class Synchronous:
    def get_token(self, *, rejected: object = None) -> Any:
        return "PLANTED-token"


class WithoutRejected:
    async def get_token(self) -> Any: ...


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (NoTokens("PLANTED-token"), "get_token of NoTokens returned str, not a Token"),
        (NoTokens(None), "get_token of NoTokens returned NoneType, not a Token"),
        (Synchronous(), "get_token of Synchronous is not async"),
    ],
)
async def test_a_source_of_ones_own_that_gives_no_token_is_told(source: Any, words: str) -> None:
    async with Client(ROOT, source) as client:
        with pytest.raises(ConfigurationError, match=words) as caught:
            await client.runs.list().first()
    assert "PLANTED" not in "".join(text for _, text in variables_of(caught.value))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            WithoutRejected(),
            r"get_token of WithoutRejected must be `async def get_token\(self, \*, rejected=None\)`$",
        ),
        (NoTokens, "of an object, not a class"),
        (SimpleNamespace(get_token=getattr), "must be `async def get_token"),  # whose signature nobody knows
        (lambda: "token", "wrap a function of your own in CallableToken"),
    ],
)
def test_a_source_that_can_t_be_called_is_refused_at_once(source: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Client(ROOT, source)


@pytest.mark.parametrize("wrong", [42, b"name", "a\0b", "\ud800"], ids=repr)
@pytest.mark.parametrize(
    "call",
    [
        lambda client, path: client.run(str(uuid.uuid4())).download(path),
        lambda client, path: client.download_as_completed([], path),
        lambda client, path: client.applications.download_document("he-tme:v1.0.0", "a.pdf", path),
        lambda client, path: client.store("platform").put("key", path),
        lambda client, path: client.store("platform").put_once("key", path),
        lambda _, path: checksum_file(path),
        lambda _, path: inspect_slides(path),
        lambda _, path: find_slides(path),
        lambda _, path: Slide(path),
        lambda _, path: Slide("a.dcm", files=[path]),
        lambda _, path: BulkJob.open(path),
        lambda _, path: FileStore(path),
    ],
)
async def test_what_is_no_path_is_refused_at_once(
    emulator: Emulator, call: Callable[[Client, Any], Any], wrong: Any
) -> None:
    async with emulator.client() as client:
        before = len(emulator.requests())
        with pytest.raises(UsageError, match="is a path"):
            called = call(client, wrong)
            if inspect.isawaitable(called):
                await called
        assert len(emulator.requests()) == before


@pytest.mark.parametrize("wrong", [42, "print", object()], ids=["int", "str", "object"])
@pytest.mark.parametrize("part", ["plan", "sources", "client", "engine", "progress", "consent"])
async def test_a_part_of_a_job_that_is_of_another_kind_is_refused_before_there_is_a_folder(
    emulator: Emulator, tmp_path: Path, part: str, wrong: Any
) -> None:
    async with emulator.client() as client:
        plan = JobPlan(api_root=emulator.api_root, application_version="he-tme:v1.0.0", store="platform")
        parts: dict[str, Any] = {"plan": plan, "sources": Sources(places=[str(tmp_path)]), "client": client}
        with pytest.raises(UsageError, match=r"takes a|is a function"):
            await create_job(tmp_path / "job", **(parts | {part: wrong}))
    assert not (tmp_path / "job").exists()


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"keep": 5}, UsageError),
        ({"keep": print}, UsageError),
        *(({"seconds_per_slide": each}, UsageError) for each in ("x", None, True, 0, -1, nan, inf)),
        ({"store": 5}, ConfigurationError),
        ({"store": 0}, ConfigurationError),
        ({"store": {}}, ConfigurationError),
        ({"results": 5}, UsageError),
        ({"results": 0}, UsageError),
    ],
    ids=str,
)
async def test_a_preflight_refuses_what_it_can_t_use_before_any_work(
    emulator: Emulator, tmp_path: Path, wrong: dict[str, Any], error: type[Exception]
) -> None:
    emulator.set_faults()
    async with emulator.client() as client:
        plan = JobPlan(api_root=emulator.api_root, application_version="he-tme:v1.0.0", store="platform")
        with pytest.raises(error, match=next(iter(wrong))):
            await run_preflight(plan, Sources(places=[tmp_path]), client, **wrong)
        if "store" in wrong:
            with pytest.raises(error, match="store"):
                await create_job(tmp_path / "job", plan, Sources(places=[tmp_path]), client, **wrong)
            assert not (tmp_path / "job").exists()
    assert emulator.requests() == []
