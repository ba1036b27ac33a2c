"""What can't be undone: `runs cancel`, `cancel-matching` and `delete-results`."""

from __future__ import annotations

from collections.abc import Sequence

from ... import Conflict, RunDetails, RunStatus
from .._confirm import Yes, confirm
from .._options import (
    Json,
    RunId,
    SelectedMetadata,
    as_time,
    client,
    run_metadata,
)
from .._output import (
    count,
    err,
    jsonable,
    out,
    print_json,
)
from .._rehearsal import DryRun, cancellation_of_run, rehearsed
from ._list import row


async def cancel(run_id: RunId, /, *, dry_run: DryRun = False, as_json: Json = False) -> int:
    """Cancel a run: its pending items are not processed and cost nothing.

    Cancelling a cancelled run succeeds. Ends with 1 if the run ended otherwise before.

    Example: `aignostics-async runs cancel 6f2c1d0a-... --dry-run`
    """
    async with client() as session:
        run = session.run(run_id)
        if dry_run:
            details = await run.details()
            rehearsed(cancellation_of_run(details), {"run": jsonable(details)}, as_json=as_json)
            return 0
        try:
            await run.cancel()
        except Conflict:
            # The reply to an earlier attempt may be lost, or somebody else was faster.
            if (await run.details()).status != RunStatus.CANCELED_USER:
                raise
        details = await run.details()
    if as_json:
        print_json(jsonable(details))
    else:
        out(f"{details.run_id} is {details.status}")
    return 0


async def cancel_matching(
    *,
    application: str | None = None,
    version: str | None = None,
    reference: str | None = None,
    metadata: SelectedMetadata = (),
    since: str | None = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Cancel all of your runs that match, after showing them; their pending items cost nothing.

    A run must match every filter that is given, and not be over. Nothing is cancelled without --yes or your
    answer.

    Example: `aignostics-async runs cancel-matching --version he-tme:v1.0.0 --since 2026-11-29T18:00+01:00`

    Parameters
    ----------
    application
        Runs of this application.
    version
        Runs of this application version, such as he-tme:v1.0.0.
    reference
        Runs with an item of this reference.
    since
        Runs that were submitted at this time or later, such as 2026-11-29T18:00+01:00.
    """
    matching: list[str] = []

    def look(runs: Sequence[RunDetails]) -> bool:
        for run in runs:
            err("  ".join(map(str, row(run))))
        matching.extend(run.run_id for run in runs)
        if dry_run:
            return False
        confirm(f"{count(len(runs), 'run')} will be cancelled", yes=yes)
        return True

    async with client() as session:
        cancelled = await session.runs.cancel_matching(
            look,
            application_id=application,
            application_version=version,
            reference=reference,
            metadata=run_metadata(metadata),
            since=as_time(since),
        )
    if dry_run:
        words = f"{count(len(matching), 'run')} would be cancelled"
        rehearsed(words, {"cancelled": matching}, as_json=as_json)
    elif as_json:
        print_json({"cancelled": list(cancelled)})
    else:
        out(f"{count(len(cancelled), 'run')} cancelled")


async def delete_results(
    run_id: RunId, /, *, dry_run: DryRun = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Delete all output artifacts of a run permanently.

    Example: `aignostics-async runs delete-results 6f2c1d0a-... --dry-run`
    """
    if dry_run:
        async with client() as session:
            items = [item async for item in session.run(run_id).results()]
        files = sum(artifact.is_available for item in items for artifact in item.output_artifacts)
        words = f"{count(files, 'output')} of {count(len(items), 'item')} would be deleted permanently"
        rehearsed(words, {"run_id": run_id, "items": len(items), "outputs": files}, as_json=as_json)
        return
    confirm(f"this permanently deletes all results of {run_id}", yes=yes)
    async with client() as session:
        await session.run(run_id).delete_results()
    if as_json:
        print_json({"run_id": run_id, "results_deleted": True})
    else:
        out(f"the results of {run_id} are deleted")
