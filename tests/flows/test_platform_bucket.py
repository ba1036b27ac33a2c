"""`store="platform"`: the organization's own bucket, whose keys come from the platform and show nowhere."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import requests
from command_line import run_here
from running_jobs import RATE, SETTINGS, JobHarness, all_bytes, on_first, without_results

from aignostics_async import (
    GCS,
    Client,
    ConfigurationError,
    Item,
    JobStopped,
    NotInContract,
    PlatformBucket,
    Slide,
    Uploads,
    UrlRefused,
    put_once,
)
from aignostics_async.bulk import EventType, JobStatus, Sources, create_job, run_preflight, write_report
from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide
from aignostics_async.storage._protocol import Deleting

KEYS = re.compile(rb"emulator-secret-[\w-]+|GOOG1E[0-9A-F]{16}")
VERSION = "he-tme:v1.1.0"


@pytest.fixture(autouse=True)
def contract_of_the_bucket(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    emulator.reset(contract="1.8")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator.environment["STORAGE_EMULATOR_HOST"])


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[Client]:
    async with emulator.client() as client:
        yield client


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "slide.svs"
    path.write_bytes(b"slide")
    return path


def asked_for_keys(emulator: Emulator) -> int:
    return sum(asked["operation"] == "get_me" for asked in emulator.requests())


def puts(emulator: Emulator) -> int:
    return sum(asked["method"] == "PUT" for asked in emulator.requests())


@pytest.mark.parametrize("store", ["platform", PlatformBucket()])
async def test_what_goes_up_comes_down_and_is_deleted(
    client: Client, emulator: Emulator, file: Path, store: Any
) -> None:
    emulator.set_faults()
    opened = client.store(store)
    assert emulator.requests() == []
    stored = await opened.put("a b/ü.svs", file)
    assert (stored.uri, stored.verified) == ("platform/a b/ü.svs", True)
    url = await opened.presign_get(stored.uri, 30 * 24 * 3600)
    assert "X-Goog-Expires=604800" in url
    assert requests.get(url, timeout=30).content == b"slide"
    assert (await put_once(opened, "a b/ü.svs", file)).uri == stored.uri
    assert (puts(emulator), asked_for_keys(emulator)) == (1, 1)
    assert isinstance(opened, Deleting)
    await opened.delete("a b/ü.svs")
    assert await opened.stat("a b/ü.svs") is None
    with pytest.raises(UrlRefused, match="deletes objects in this bucket after 30 days; upload"):
        await opened.presign_get(stored.uri, 600)
    with pytest.raises(ConfigurationError, match="is not in"):
        await opened.presign_get("s3://bucket/a", 600)


@pytest.mark.parametrize("scheme", ["http://", ""])
async def test_google_s_variable_names_a_store_elsewhere(
    client: Client, emulator: Emulator, file: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    host = emulator.environment["STORAGE_EMULATOR_HOST"].removeprefix("http://")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", scheme + host)
    key = emulator.gcs(hmac=True).hmac
    stored = await client.store(GCS(bucket="any", hmac=key)).put("a", file)
    assert stored.uri == "gs://any/a"
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://user:password@host")
    with pytest.raises(ConfigurationError, match="STORAGE_EMULATOR_HOST"):
        client.store(GCS(bucket="any", hmac=key))


async def test_keys_that_are_refused_are_renewed(client: Client, emulator: Emulator, file: Path) -> None:
    store = client.store("platform")
    stored = await store.put("a", file)
    for rotation in range(1, 3):
        emulator.rotate_bucket_key()
        emulator.set_faults()
        if rotation == 1:  # whichever request comes first
            await store.put("b", file)
        url = await store.presign_get(stored.uri, 600)
        assert requests.get(url, timeout=30).content == b"slide"
        assert asked_for_keys(emulator) == 1


async def test_a_key_that_stays_refused_is_asked_for_once(
    client: Client, emulator: Emulator, file: Path
) -> None:
    store = client.store("platform")
    await store.put("a", file)
    emulator.set_faults({"path": ".*/gcs/.*", "status": 403})
    with pytest.raises(UrlRefused):
        await store.put("b", file)
    assert asked_for_keys(emulator) == 1


async def test_without_a_bucket_another_store_is_advised(client: Client, emulator: Emulator) -> None:
    organization = {
        "id": "lab",
        "aignostics_bucket_hmac_access_key_id": "",
        "aignostics_bucket_hmac_secret_access_key": "",
        "aignostics_bucket_name": "",
        "aignostics_bucket_protocol": "gs",
        "aignostics_logfire_token": "",
        "aignostics_sentry_dsn": "",
    }
    body = {"user": {"id": "me"}, "organization": organization}
    emulator.set_faults({"operation": "get_me", "status": 200, "body": body})
    with pytest.raises(ConfigurationError, match="no bucket that this release can use; give another"):
        await client.store("platform").stat("a")
    organization |= {"aignostics_bucket_protocol": "s3", "aignostics_bucket_name": "PLANTED"}
    with pytest.raises(ConfigurationError):
        await client.store("platform").stat("a")


async def test_the_reference_has_no_such_bucket(emulator: Emulator) -> None:
    async with emulator.client(contract="1.0") as client:
        with pytest.raises(NotInContract, match="bucket of the organization"):
            await client.store("platform").stat("a")


async def test_slides_are_submitted_without_a_cloud_account(
    client: Client, emulator: Emulator, slide: Slide, tmp_path: Path
) -> None:
    items, uploads = [Item("case-7", slide=slide)], Uploads(job="study")
    run = await client.runs.submit(VERSION, items, store="platform", uploads=uploads)
    (await run.download(tmp_path)).raise_for_failures()
    emulator.set_faults()
    await client.runs.submit(VERSION, items, store=emulator.platform_bucket(), uploads=uploads)
    assert puts(emulator) == 0


def test_the_command_submits_to_it(emulator: Emulator, slide: Slide, tmp_path: Path) -> None:
    words: list[str | Path] = ["submit", VERSION, slide.path, "--store", "platform"]
    words += ["--download", tmp_path / "out"]
    done = run_here([*words, "--poll-interval", "0.05"], {**emulator.environment, "HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert not KEYS.search((done.stdout + done.stderr).encode())


def test_a_plan_says_when_its_objects_end(emulator: Emulator, slide: Slide, tmp_path: Path) -> None:
    environment = {**emulator.environment, "XDG_STATE_HOME": str(tmp_path), "COLUMNS": "200"}
    done = run_here(["bulk", "plan", VERSION, slide.path, "--store", "platform"], environment)
    assert done.returncode == 0, done.stderr
    assert "the store deletes each object 30 days after its upload" in done.stdout
    assert not KEYS.search((done.stdout + done.stderr).encode())


@pytest.fixture
async def harness(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[JobHarness]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    emulator.reset(contract="1.8", clock_rate=RATE, url_lifetime=10**6)
    slide = write_slide(tmp_path / "tiny.tiff", width=300, height=260)
    async with emulator.client(SETTINGS) as client:
        yield JobHarness(emulator=emulator, client=client, folder=tmp_path, slide=slide)


async def test_a_job_outlives_its_keys_and_shows_none(harness: JobHarness) -> None:
    """Rotated after the first upload and before the end: nothing fails, and nothing has a key."""
    names = ("a", "b", "c", "d")
    places = list(map(str, harness.copy(*names)))
    plan = harness.plan(chunk_size=1, store="platform")
    report = await create_job(
        harness.job, plan, Sources(places=places, reference_from="stem"), harness.client
    )
    assert report.is_clear, report.to_json()
    assert "deletes each object 30 days after" in report.to_json()
    summary = await harness.run(
        on_first(EventType.UPLOADED, lambda _job: harness.emulator.rotate_bucket_key())
    )
    assert summary.status is JobStatus.DONE, summary.plain()
    harness.assert_each_has_one_run(*names)
    await harness.assert_outputs_are_the_platform_s(*names)
    await write_report(harness.job, *(harness.folder / f"report.{form}" for form in ("html", "csv", "json")))
    harness.emulator.rotate_bucket_key()
    async with harness.opened() as job:
        assert await job.clean(harness.client) == 4
    shutil.rmtree(harness.folder / "results", ignore_errors=True)
    finds = [path for path, content in all_bytes(harness.folder) if KEYS.search(content)]
    assert finds == []
    assert not KEYS.search(json.dumps([event.as_dict() for event in harness.events]).encode())


async def test_what_the_bucket_has_deleted_is_uploaded_again(harness: JobHarness) -> None:
    """A job that was paused after its uploads for so long that their objects have ended."""
    await harness.make("a", "b", "c", store="platform")
    await harness.run(on_first(EventType.UPLOADED, lambda job: job.drain(), count=3))
    assert set(harness.states().values()) == {"STORED"}
    await delete(harness, "b")
    summary = await harness.run()
    assert harness.states() == {"a": "DONE", "b": "SET_ASIDE", "c": "DONE"}
    assert summary.status is JobStatus.SOME_FAILED
    assert {event.text for event in harness.told(EventType.QUARANTINED)} == {
        "the store has deleted its object"
    }
    async with harness.opened() as job:
        assert await job.retry() == 1
    assert (await harness.run()).status is JobStatus.DONE
    harness.assert_each_has_one_run("a", "b", "c")


async def test_what_the_bucket_has_deleted_is_not_asked_to_be_analysed(harness: JobHarness) -> None:
    """Its chunk was sealed long ago, and the request for its run never reached the platform."""
    await harness.make("a", "b", store="platform")
    harness.emulator.set_faults({"operation": "create_run", "answer": "quota_exceeded"})
    with pytest.raises(JobStopped):
        await harness.run()
    assert harness.rows("SELECT state FROM intents") == [("SEALED",)]
    await delete(harness, "b")
    harness.emulator.set_faults()
    assert (await harness.run()).status is JobStatus.SOME_FAILED
    assert harness.states() == {"a": "DONE", "b": "SET_ASIDE"}
    assert harness.posts() == 1
    async with harness.opened() as job:
        assert await job.retry() == 1
    assert (await harness.run()).status is JobStatus.DONE
    harness.assert_each_has_one_run("a", "b")


async def test_a_retry_uploads_what_the_bucket_has_deleted(harness: JobHarness) -> None:
    await harness.make("a", "b", store="platform")
    harness.emulator.set_faults(without_results("b"))
    assert (await harness.run()).status is JobStatus.SOME_FAILED
    await delete(harness, "b")
    harness.emulator.set_faults()
    async with harness.opened() as job:
        assert await job.retry(failed=True) == 1
    assert (await harness.run()).status is JobStatus.DONE


async def delete(harness: JobHarness, name: str) -> None:
    """Let a month pass, after which the bucket has deleted the object of a slide."""
    ((key,),) = harness.rows("SELECT key FROM items WHERE reference = ?", harness.reference(name))
    await harness.client.store("platform").delete(key)  # type: ignore[attr-defined]
    harness.write("UPDATE items SET changed_at = changed_at - 31 * 86400")


async def test_a_plan_says_what_the_bucket_refuses(harness: JobHarness, tmp_path: Path) -> None:
    places = list(map(str, harness.copy("a")))
    harness.emulator.set_faults({"path": ".*/gcs/.*", "status": 403})
    report = await run_preflight(harness.plan(store="platform"), Sources(places=places), harness.client)
    assert [fault for fault in report.faults if "the store can't" in fault.problem]
    assert not KEYS.search(report.to_json().encode())
