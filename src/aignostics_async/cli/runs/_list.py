"""`runs list`, `show` and `find`: what the platform knows of runs."""

from __future__ import annotations

from collections.abc import Iterator

from ... import Client, ItemResult, RunDetails
from ...errors import UsageError
from .._applications import find_version, list_versions
from .._failures import SOME_FAILED
from .._options import (
    Json,
    RunId,
    SelectedMetadata,
    Whole,
    client,
    run_metadata,
)
from .._output import (
    human_moment,
    jsonable,
    note,
    out,
    print_json,
    print_table,
    with_code,
)


async def list_runs(
    *,
    application: str | None = None,
    version: str | None = None,
    reference: str | None = None,
    metadata: SelectedMetadata = (),
    organization: str | None = None,
    limit: Whole = 20,
    as_json: Json = False,
) -> None:
    """List your runs, the newest first.

    Ends with 7 if there is no such application or version.

    Example: `aignostics-async runs list --application he-tme --limit 5`

    Parameters
    ----------
    application
        List only runs of this application.
    version
        List only runs of this application version, such as he-tme:v1.0.0.
    reference
        List only runs with an item of this reference. Needs contract 1.8.
    organization
        List all runs of this organization, not only yours; for administrators only.
    limit
        The maximum number of runs.
    """
    if limit < 1:
        raise UsageError(f"--limit must be 1 or more, not {limit}")
    runs: list[RunDetails] = []
    async with client() as session:
        listing = session.runs.list(
            application_id=application,
            application_version=version,
            reference=reference,
            metadata=run_metadata(metadata),
            organization=organization,
        )
        async for run in listing:
            runs.append(run)
            if len(runs) == limit:
                break
        if not runs:
            await _check_filters(session, application, version)
    if as_json:
        print_json([jsonable(run) for run in runs])
    else:
        print_table(("run", "version", "status", "triggered"), [row(run) for run in runs], whole="run")


async def show(run_id: RunId, /, *, as_json: Json = False) -> None:
    """Show a run and its items.

    Ends with 7 if there is no such run.

    Example: `aignostics-async runs show 6f2c1d0a-...`
    """
    async with client() as session:
        run = session.run(run_id)
        details = await run.details()
        items = [item async for item in run.results()]
    if as_json:
        print_json({**jsonable(details), "items": [jsonable(item) for item in items]})
        return
    out(f"{details.run_id}  {details.application_version_id}  {details.status}")
    for line in _facts(details):
        out(line)
    print_table(
        ("reference", "status", "queue place", "outputs", "error"),
        [
            (
                item.reference,
                item.status,
                item.queue_position_organization,
                _outputs(item),
                with_code(item.error, item.error_code),
            )
            for item in items
        ],
    )


async def find(*references: str, version: str | None = None, as_json: Json = False) -> int:
    """Find the runs with exactly these references, for example after an interrupted submission.

    Ends with 3 if there are none, and with 7 if there is no such version.

    Example: `aignostics-async runs find case-7.svs case-8.svs --version he-tme:v1.1.0`

    Parameters
    ----------
    references
        The references of all items of the run. If you know only some, see 'runs list --reference'.
    version
        Search only runs of this application version, which is faster.
    """
    async with client() as session:
        found = await session.runs.find(references=references, application_version=version)
        if not found:
            await _check_filters(session, None, version)
            note("no run has exactly these references; 'runs list --reference' finds runs with one of them")
    if as_json:
        exact, possible = ([jsonable(run) for run in runs] for runs in (found.exact, found.possible))
        print_json({"exact": exact, "possible": possible})
    else:
        rows = [("exact", run) for run in found.exact] + [("possible", run) for run in found.possible]
        print_table(
            ("match", "run", "version", "status", "triggered"),
            [(match, *row(run)) for match, run in rows],
            whole="run",
        )
    return 0 if found else SOME_FAILED


def row(run: RunDetails) -> tuple[object, ...]:
    """Return the cells of a run in a table: its id, version, status, and when it was submitted."""
    return run.run_id, run.application_version_id, run.status, human_moment(run.triggered_at)


async def _check_filters(session: Client, application: str | None, version: str | None) -> None:
    """Raise NotFound if no run was found because of a filter that names nothing."""
    if version is not None:
        await find_version(session, version)
    if application is not None:
        await list_versions(session, application)


def _outputs(item: ItemResult) -> int | str:
    """Return how many result files an item has, or that they are deleted."""
    kept = sum(artifact.is_available for artifact in item.output_artifacts)
    return "results deleted" if item.output_artifacts and not kept else kept


def _facts(run: RunDetails) -> Iterator[str]:
    """Give what the contract tells of a run beside its status, a line each."""
    if run.statistics is not None:
        counts = run.statistics.by_status()
        told = ", ".join(f"{counts[status]} {status}" for status in counts if counts[status])
        yield f"items: {run.statistics.total} ({told})"
    if run.preceding_items_organization is not None:
        yield f"items before it: {run.preceding_items_organization} of the organization"
    for name in ("due_date", "deadline"):
        if (time := getattr(run, name)) is not None:
            yield f"{name.replace('_', ' ')}: {human_moment(time)}"
    if (error := with_code(run.error, run.error_code)) is not None:
        yield f"error: {error}"
