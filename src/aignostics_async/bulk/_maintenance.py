"""Maintenance operations on a job that no process works on: decide, verify, cancel and clean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from .._core._arguments import awaited
from .._core._crc32c import read_checksum
from ..errors import (
    AignosticsError,
    ConfigurationError,
    Conflict,
    JobError,
    JobRefused,
    JobStateError,
)
from ..errors._api import ABSENCES
from ..storage._protocol import Deleting
from ..submission._marks import new_token
from .database import _commands, _queries, _run_commands
from .database._states import IntentState, ItemState
from .reconciliation._claims import claim_run

if TYPE_CHECKING:
    from .._client import Client
    from .._core._clock import Clock
    from ..storage import Store
    from ._plan import JobPlan
    from .database._database import Database
    from .database._queries import IntentRow
    from .database._writer import Execute
    from .reconciliation._duplicates import Reconciler

_CANCELLED = "the job was cancelled before it was sent"
_WAS_CANCELLED = "it was cancelled"
_REMEDY = "retry, if it is wanted after all; that is free until it is sent"


async def resolve(
    database: Database, client: Client, plan: JobPlan, intent: int, *, run_id: str | None
) -> None:
    """Write down a person's decision about an intent, after checking what can be checked."""
    open_to_decide = await database.read(_queries.intents_in(IntentState.AMBIGUOUS))
    row = next((each for each in open_to_decide if each.number == intent), None)
    if row is None:
        raise JobStateError(f"chunk {intent} has no open decision; 'bulk resolve' lists those that are")
    if run_id is None:
        await database.write(_has_no_run(row))
        return
    run = client.run(run_id)
    run_id = run.id  # as the database has it, however it was written
    if run_id in await database.read(_queries.others_runs(intent)):
        raise JobRefused(
            f"run {run_id} belongs to another chunk, or existed before chunk {intent} was requested"
        )
    try:
        details = await run.details()
    except ABSENCES:
        raise JobRefused(f"there is no run {run_id}, or it belongs to another user") from None
    wanted = {item.reference + row.tag for item in await database.read(_queries.members(intent))}
    found = {item.reference async for item in run.results()}
    if details.application_version_id != plan.application_version or not found <= wanted:
        raise JobRefused(
            f"run {run_id} is not that of chunk {intent}: it has other items, or another version"
        )
    if not await claim_run(client, run_id, new_token()):
        raise JobRefused(f"run {run_id} is about to be cancelled, or was changed meanwhile; look again")
    command = _commands.resolve(intent, IntentState.CREATED, run_id, reason="a person has named its run")
    await database.write(command)


def _has_no_run(intent: IntentRow) -> Callable[[Execute], None]:
    """Return the command after which an intent may be sent, or its items are quarantined."""

    def command(execute: Execute) -> None:
        reason = "a person was sure that it has no run"
        _commands.resolve(intent.number, IntentState.SEALED, reason=reason)(execute)
        if _commands.is_cancelled(intent.reason):
            members = _queries.members(intent.number)(execute)
            _commands.dissolve(intent.number, _CANCELLED)(execute)
            numbers = [each.number for each in members]
            quarantine = {"fault": _CANCELLED, "remedy": _REMEDY}
            _commands.move_items(numbers, ItemState.QUARANTINED, **quarantine)(execute)

    return command


async def resolve_duplicate(database: Database, client: Client | None, run_id: str) -> None:
    """Cancel a second run, or leave it, and write that down."""
    if run_id not in await database.read(_queries.duplicates()):
        raise JobStateError(
            f"run {run_id} is no second run of a chunk of this job; 'bulk resolve' lists those that are"
        )
    done = "it was left to run" if client is None else await _end_run(client, run_id)
    await database.write(_run_commands.resolve_duplicate(run_id, done))


async def _end_run(client: Client, run_id: str) -> str:
    """Cancel a run, and return the outcome in words."""
    try:
        is_cancelled = await client.run(run_id).cancel()
    except Conflict:
        is_cancelled = False
    except ABSENCES:
        return "it was not there any more"
    return _WAS_CANCELLED if is_cancelled else "it was over already"


async def adopt(reconciler: Reconciler, clock: Clock, *, patience: float) -> list[str]:
    """Adopt runs that the database does not know, until no replica can hide one; return their ids.

    Raises JobError for a run that can't be read, or not be read whole for `patience` seconds.
    """
    adopted: list[str] = []
    until: float | None = None
    while True:
        result = await reconciler.adopt(is_copy=True)
        adopted += result.adopted
        if not result.is_open:
            return adopted
        until = until or clock.uptime() + patience
        if result.unread or clock.uptime() >= until:
            run_id = result.unsettled[0]
            raise JobError(f"run {run_id} may be of this job and can't be read whole; try again later")
        await clock.sleep(reconciler.replica_lag)


async def verify(database: Database, results: Path) -> list[Path]:
    """Read all outputs again, and let files that are gone or changed be downloaded again."""
    bad: dict[int, list[tuple[str, Path]]] = {}
    for item, artifact_id, path, size, crc32c in await database.read(_queries.files(results)):
        if not await to_thread.run_sync(_is_whole, path, size, crc32c):
            bad.setdefault(item, []).append((artifact_id, path))
    for item, files in bad.items():
        await database.write(_run_commands.miss_files(item, [artifact_id for artifact_id, _ in files]))
    return [path for files in bad.values() for _, path in files]


def _is_whole(path: Path, size: int, crc32c: str | None) -> bool:
    try:
        found = read_checksum(path)
    except OSError:
        return False
    return found.length == size and crc32c in (None, found.wire)


async def cancel(database: Database, client: Client) -> int:
    """Quarantine what was not sent, and cancel the runs that are under way.

    A run that can't be cancelled does not affect the others; its error is raised at the end.
    """
    # First, since it needs no network: from now on nothing is sent.
    await database.write(_commands.cancel(_CANCELLED, _REMEDY))
    cancelled, failure = 0, None
    for run in await database.read(_queries.runs_under_way()):
        try:
            cancelled += await _end_run(client, run.run_id) == _WAS_CANCELLED
        except AignosticsError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return cancelled


async def clean(database: Database, store: Store, *, dry_run: bool) -> int:
    """Delete the objects of items that are done; failed items may still need theirs."""
    if not isinstance(store, Deleting):
        raise ConfigurationError("this store can't delete; remove the objects under the job's prefix by hand")
    rows = await database.read(_queries.objects_of(ItemState.DONE))
    for number, key in () if dry_run else rows:
        await awaited(store.delete(key), "`delete` of a store")
        await database.write(_commands.set_item(number, uri=None))
    return len(rows)
