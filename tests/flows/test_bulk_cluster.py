"""Bulk stages on a Dask cluster of real processes: the same promises as on one machine."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import unquote

import anyio
import pytest
from anyio import to_thread
from attrs import evolve
from bulk_command import QUICK, UPLOADS, Command, events
from dask_clusters import DaskCluster, certificates, dask_cluster, wait_until
from leak_detector import SECRETS
from running_jobs import RATE, SETTINGS, JobHarness, on_first

from aignostics_async import AwsKey, ClusterLost, JobStopped, Limits, TransferEvent, Transfers
from aignostics_async.bulk import (
    BulkJob,
    DaskEngine,
    EventType,
    FindingKind,
    JobStatus,
    Sources,
    run_preflight,
)
from aignostics_async.cli._failures import exit_status
from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slide

pytestmark = pytest.mark.process

ALTERED = Path(__file__).parents[1] / "helpers/altered_worker.py"


@pytest.fixture
async def harness(
    emulator: Emulator, tmp_path: Path, tiny_slide: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[JobHarness]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    emulator.reset(clock_rate=RATE, url_lifetime=10**6)
    async with emulator.client(SETTINGS) as client:
        yield JobHarness(emulator=emulator, client=client, folder=tmp_path, slide=tiny_slide)


@pytest.fixture
def cluster(harness: JobHarness, tmp_path: Path) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path / "cluster", harness.emulator.environment) as cluster:
        yield cluster


async def test_a_cluster_does_what_one_machine_does(harness: JobHarness, cluster: DaskCluster) -> None:
    names = ("a", "b", "c", "d", "e")
    await harness.make(*names, chunk_size=2)

    summary = await harness.run(engine=DaskEngine(cluster.address))

    assert summary.status is JobStatus.DONE
    assert not harness.told(EventType.ENGINE), "all of it was done by the workers"
    assert harness.puts() == dict.fromkeys(map(harness.reference, names), 1)
    harness.assert_each_has_one_run(*names)
    await harness.assert_outputs_are_the_platform_s(*names)


@pytest.mark.slow
async def test_a_job_goes_on_with_another_engine_in_its_middle(
    harness: JobHarness, cluster: DaskCluster
) -> None:
    names = tuple("abcdefgh")
    await harness.make(*names, chunk_size=2)
    two_at_once = evolve(SETTINGS, limits=Limits(transfers=2))
    async with harness.emulator.client(two_at_once) as client:
        await evolve(harness, client=client).run(on_first(EventType.UPLOADED, BulkJob.drain))
    uploaded = harness.puts()
    assert 0 < len(uploaded) < len(names)

    with pytest.raises(JobStopped, match="the scheduler of the cluster is gone") as stopped:
        lose = on_first(EventType.UPLOADED, lambda _job: cluster.scheduler.kill())
        await harness.run(lose, engine=DaskEngine(cluster.address))
    assert isinstance(stopped.value.cause, ClusterLost)
    assert exit_status(stopped.value) == 75

    assert (await harness.run()).status is JobStatus.DONE
    sent = harness.puts()
    assert set(sent) == set(map(harness.reference, names))
    assert all(sent[reference] == 1 for reference in uploaded), "nothing that was finished is repeated"
    harness.assert_each_has_one_run(*names)
    await harness.assert_outputs_are_the_platform_s(*names)


@pytest.mark.slow
async def test_a_slide_that_kills_workers_is_quarantined_and_no_neighbour(
    harness: JobHarness, tmp_path: Path
) -> None:
    names = ("a", "b", "poison", "c", "d")
    await harness.make(*names, chunk_size=2)
    one_death = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
    environment = {**harness.emulator.environment, **one_death}
    preload = ("--preload", str(ALTERED))
    with dask_cluster(tmp_path / "cluster", environment, *preload, workers=3) as cluster:
        summary = await harness.run(engine=DaskEngine(cluster.address))
        deaths = [worker.poll() for worker in cluster.workers]
    assert harness.states() == {**dict.fromkeys("abcd", "DONE"), "poison": "SET_ASIDE"}
    assert summary.status is JobStatus.SOME_FAILED
    assert deaths.count(9) == 2, "one with its neighbours, and one alone"
    assert "worked on it alone died" in (harness.told(EventType.QUARANTINED)[0].text or "")
    harness.assert_each_has_one_run(*"abcd")


@pytest.mark.slow
async def test_what_workers_can_t_do_stays_with_the_coordinator(harness: JobHarness, tmp_path: Path) -> None:
    await harness.make("a", "b")
    environment = dict(harness.emulator.environment)
    del environment["AIGNOSTICS_ACCESS_TOKEN"]
    environment |= {**harness.emulator.login_environment, "AIGNOSTICS_REFRESH_TOKEN": "not-to-be-sent"}
    with dask_cluster(tmp_path / "cluster", environment, workers=1) as cluster:
        summary = await harness.run(engine=DaskEngine(cluster.address))
    assert summary.status is JobStatus.DONE
    told = [event.text or "" for event in harness.told(EventType.ENGINE)]
    assert ["uploads stay" in told[0], "downloads stay" in told[1]] == [True, True]
    assert all("a refresh token, which two processes must not share" in text for text in told)


@pytest.mark.slow
async def test_a_preflight_names_what_workers_do_not_see(harness: JobHarness, tmp_path: Path) -> None:
    harness.copy("a", "unseen")
    places = [str(harness.path(name)) for name in ("a", "unseen")]
    preload = ("--preload", str(ALTERED))
    with dask_cluster(tmp_path / "cluster", harness.emulator.environment, *preload, workers=1) as cluster:
        engine = DaskEngine(cluster.address)
        report = await run_preflight(harness.plan(), Sources(places=places), harness.client, engine=engine)
        assert report.engine == "dask: 1 worker with 4 threads"
        unseen = [each for each in report.warnings if each.kind is FindingKind.CLUSTER]
        assert [each.slide for each in unseen] == [str(harness.path("unseen"))]
        assert report.ready == 2, "this machine reads what the workers do not see"

        await harness.make("a", "unseen")
        assert (await harness.run(engine=engine)).status is JobStatus.DONE


@pytest.mark.slow
async def test_a_cluster_of_this_machine_is_started_protected(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in harness.emulator.environment.items():
        monkeypatch.setenv(name, value)
    await harness.make("a", "b")
    summary = await harness.run(engine=DaskEngine(local_workers=1))
    assert summary.status is JobStatus.DONE
    assert not harness.told(EventType.ENGINE)


@pytest.mark.slow
async def test_no_page_and_no_log_of_a_cluster_names_anything(
    harness: JobHarness, cluster: DaskCluster
) -> None:
    names = ("a", "b", "gone")
    await harness.make(*names)
    harness.path("gone").write_bytes(b"something else")  # so that errors travel, too
    harness.emulator.set_faults({"method": "PUT", "path": "/storage/objects/.*", "delay_s": 3.0})
    shown: list[tuple[str, str]] = []

    async def look() -> None:
        while True:
            shown.extend(await to_thread.run_sync(lambda: list(cluster.pages())))
            await anyio.sleep(0.5)

    async with anyio.create_task_group() as group:
        group.start_soon(look)
        await harness.run(engine=DaskEngine(cluster.address))
        group.cancel_scope.cancel()

    from distributed import Client

    told = [*map(harness.reference, names), *map(str, map(harness.path, names)), *harness.runs()]
    secrets = [harness.emulator.access_token, *told]
    assert any("-upload-" in text for _, text in shown), "a task was on the pages"
    assert found_in(shown, cluster, secrets) == []

    async with Client(cluster.address, asynchronous=True, set_as_default=False) as dask:
        await dask.submit(int, told[0], key=f"planted {told[1]}").exception()
        assert found_in(list(cluster.pages()), cluster, secrets) == told[:2], "the search finds what is there"


def found_in(shown: list[tuple[str, str]], cluster: DaskCluster, secrets: list[str]) -> list[str]:
    """Return those of some texts that are on a page or in a log, and every signed URL or token there."""
    texts = [cluster.logs, *(f"{url} {unquote(text)}" for url, text in shown)]
    named = [secret for secret in secrets if any(secret in text for text in texts)]
    return [*named, *(found[0] for text in texts for found in SECRETS.finditer(text))]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are a Unix thing")
def test_the_command_line_drains_on_a_cluster_with_tls(
    emulator: Emulator, tmp_path: Path, slide_file: Path
) -> None:
    bulk = Command(emulator, tmp_path)
    bulk.slides(slide_file, 3)
    tls = certificates(tmp_path)
    theirs = ("--protocol", "tls", *told_tls(tls, "--tls-ca-file"))
    with dask_cluster(tmp_path / "cluster", bulk.environment, tls=theirs, workers=1) as cluster:
        refused = bulk("plan", *bulk.begin()[1:-2], "--scheduler", cluster.address)
        assert refused.returncode == 2
        assert "needs certificates" in refused.stderr
        emulator.set_faults({"method": "PUT", "path": UPLOADS, "delay_s": 2.0})
        place = ("--scheduler-file", str(cluster.file), *told_tls(tls, "--tls-ca"))
        with bulk.started("run", *bulk.begin(), *place) as process:
            name = f"/{tmp_path.name}-"
            wait_until(lambda: any(name in each["path"] for each in emulator.requests()), cluster.scheduler)
            process.send_signal(signal.SIGTERM)
            told, said = process.communicate(timeout=100)
        assert process.returncode == 75, said
        happened = events(told)
        assert happened[0]["outlook"]["engine"] == "dask: 1 worker with 4 threads"
        assert happened[-1]["states"] == {"STORED": 3}
    assert bulk("resume", bulk.job, *QUICK).returncode == 0
    assert len(bulk.runs()) == 2


def told_tls(tls: dict[str, Path], ca: str) -> list[str]:
    """Return the options for certificates; the first one differs from program to program."""
    return [ca, str(tls["ca"]), "--tls-cert", str(tls["cert"]), "--tls-key", str(tls["key"])]


@pytest.mark.slow
async def test_the_bandwidth_is_the_whole_job_s_and_progress_is_told(
    harness: JobHarness, cluster: DaskCluster
) -> None:
    await harness.make("a", "b", "c")
    size = harness.path("a").stat().st_size
    rate = size / 8  # slow enough that another worker comes meanwhile
    told: list[TransferEvent] = []

    def rates() -> list[float | None]:
        from aignostics_async._internals import transfer_engine
        from aignostics_async.bulk.cluster._worker_tools import open_tools

        return [transfer_engine(tools.client).bandwidth.rate for tools in open_tools()]

    async def until_one_has(share: float) -> None:
        from distributed import Client

        async with Client(cluster.address, asynchronous=True, set_as_default=False) as dask:
            while [share] not in (await dask.run(rates)).values():  # noqa: ASYNC110 - no event tells it
                await anyio.sleep(0.1)

    async with (
        harness.emulator.client(evolve(SETTINGS, transfers=Transfers(bandwidth=rate))) as client,
        harness.opened() as job,
        anyio.create_task_group() as group,
    ):
        engine = DaskEngine(cluster.address)
        group.start_soon(partial(job.run, client, engine=engine, progress=told.append))
        await until_one_has(rate / 2)
        cluster.start_worker()
        await until_one_has(rate / 3)
    part = [each for each in told if each.kind == "advanced" and each.direction == "upload"]
    assert any(0 < each.done < size for each in part)
    assert {each.reference for each in part} <= set(map(harness.reference, "abc"))
    done = [each for each in told if each.kind == "finished" and each.direction == "upload"]
    assert sorted((each.reference, each.name, each.done) for each in done) == [
        (harness.reference(name), harness.path(name).name, size) for name in "abc"
    ]


@pytest.mark.slow
async def test_a_cluster_that_adapts_starts_workers_for_the_job(
    harness: JobHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import LocalCluster

    for name, value in harness.emulator.environment.items():
        monkeypatch.setenv(name, value)
    await harness.make("a", "b", "c")
    place = {"host": "127.0.0.1", "dashboard_address": None, "asynchronous": True}
    async with LocalCluster(n_workers=0, threads_per_worker=2, **place) as cluster:
        cluster.adapt(minimum=0, maximum=1, interval="100ms", wait_count=1)
        summary = await harness.run(engine=DaskEngine(cluster))
    assert summary.status is JobStatus.DONE
    assert [event.text for event in harness.told(EventType.WAITING)][:1] == ["the cluster has no workers yet"]
    assert not harness.told(EventType.ENGINE)


@pytest.mark.slow
async def test_workers_upload_in_parts_to_a_bucket_elsewhere(
    harness: JobHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = harness.emulator.s3()
    key = bucket.key
    assert isinstance(key, AwsKey)
    keys = {"AWS_ACCESS_KEY_ID": key.name, "AWS_SECRET_ACCESS_KEY": key.secret, "AWS_REGION": key.region}
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    slide = write_slide(tmp_path / "large.tiff", width=2600, height=1400)
    parts = evolve(SETTINGS, transfers=Transfers(part_size=5 * 1024**2))
    with dask_cluster(tmp_path / "cluster", {**harness.emulator.environment, **keys}, workers=1) as cluster:
        async with harness.emulator.client(parts) as client:
            large = evolve(harness, slide=slide, client=client)
            await large.make("a", store="s3://bucket/lab")
            assert large.path("a").stat().st_size > 5 * 1024**2
            store = client.store("s3://bucket/lab", endpoint=bucket.endpoint)
            engine = DaskEngine(cluster.address, store_endpoint=bucket.endpoint)
            assert (await large.run(store=store, engine=engine)).status is JobStatus.DONE
    assert not large.told(EventType.ENGINE)
    sent = [each["path"] for each in harness.emulator.requests() if each["method"] == "PUT"]
    assert len([path for path in sent if "a.tiff" in path]) > 1, "in parts"
