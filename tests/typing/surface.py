"""What the public surface promises to a type checker.

`make types` reads it with mypy and pyright, both strict, and `make types-ty` with ty; nothing runs it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, assert_type

from aignostics_api.api.public import list_runs
from aignostics_api.models import HTTPValidationError, RunReadResponse

from aignostics_async import (
    Application,
    Change,
    Client,
    CompletedItem,
    Crc32c,
    DownloadReport,
    FileOutcome,
    FoundRuns,
    InputArtifact,
    Item,
    ItemResult,
    Page,
    Pager,
    Retries,
    Run,
    RunDetails,
    RunStatus,
    Settings,
    Slide,
    Watcher,
    checksum_bytes,
)
from aignostics_async.bulk import (
    BulkJob,
    JobPlan,
    JobStatus,
    KnownJob,
    PreflightReport,
    Sources,
    Summary,
    create_job,
    list_jobs,
)


async def reading(client: Client) -> None:
    assert_type(client.applications.list(), Pager[Application])
    async for application in client.applications.list():
        assert_type(application, Application)
    async for page in client.runs.list(sort=["-triggered_at"]).pages():
        assert_type(page, Page[RunDetails])
    run = client.run("id")
    assert_type(run, Run)
    assert_type(await run.details(), RunDetails)
    assert_type((await run.wait()).status, RunStatus)
    async for item in run.results():
        assert_type(item, ItemResult)
    assert_type(run.watch(cursor="w1."), Watcher)
    assert_type(client.watch([run, "id"]), Watcher)
    assert_type(client.watch_all(application="h-e-tme"), Watcher)
    async with client.download_as_completed(client.watch_all(), "results") as items:
        async for done in items:
            assert_type(done, CompletedItem)
            assert_type(done.files, tuple[FileOutcome, ...])
    assert_type(client.with_options(retries=Retries(attempts=1)), Client)
    async for change in run.watch():
        assert_type(change, Change)
    assert_type(await run.download("folder"), DownloadReport)
    assert_type(await client.runs.find(references=["a"]), FoundRuns)


async def writing(client: Client) -> None:
    item = Item("a", slide=Slide("a.svs", mpp=0.25))
    assert_type(await client.runs.submit("app:v1.0.0", [item], store="https://store"), Run)
    ready = Item("a", artifacts=[InputArtifact("slide", "https://host/a", {"width": 3})])
    assert_type(await client.runs.create("app:v1.0.0", [ready]), Run)
    assert_type(checksum_bytes(b"") + checksum_bytes(b""), Crc32c)


async def a_bulk_job(client: Client, plan: JobPlan) -> None:
    assert_type(await create_job("job", plan, Sources(places=["slides"]), client), PreflightReport)
    async with BulkJob("job") as job:
        assert_type(job, BulkJob)
        summary = await job.run(client)
        assert_type(summary, Summary)
        assert_type(summary.status, JobStatus)
        assert_type(await job.retry(failed=True), int)
    assert_type(await list_jobs(), tuple[KnownJob, ...])


async def the_door(client: Client) -> None:
    runs = await client.call(list_runs, page_size=10)
    if isinstance(runs, list):
        # The contract gives the 404 no schema, so Any is one of the types; ty narrows it to an intersection.
        assert_type(runs, list[Any] | list[RunReadResponse])  # ty: ignore[type-assertion-failure]
    elif isinstance(runs, HTTPValidationError):
        print(runs.detail)
    await client.call(list_runs, page_sise=10)  # type: ignore[call-arg]  # ty: ignore[unknown-argument]


def settings() -> None:
    Settings(poll_interval=timedelta(seconds=5), retries=Retries(attempts=1))
    Settings(poll_interval="5")  # type: ignore[arg-type]  # ty: ignore[invalid-argument-type]
    Item("a", Slide("a.svs"))  # type: ignore[call-arg]  # ty: ignore[too-many-positional-arguments]
