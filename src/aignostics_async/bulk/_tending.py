"""What a person may do to a job between two of its runs: decide, try again, check, cancel, and tidy up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread

from .._crc32c import read_checksum
from .._errors import ConfigurationError, Conflict, JobRefused, JobStateError, NotFound
from ..storage import Deleting
from .record import _orders, _queries, _run_orders
from .record._states import IntentState, ItemState

if TYPE_CHECKING:
    from .._client import Client
    from ..storage import Store
    from ._plan import JobPlan
    from .record._database import Database
    from .record._writer import Execute

_CANCELLED = "the job was cancelled before it was sent"
_REMEDY = "retry, if it is wanted after all; that is free until it is sent"


def retry(*, failed: bool) -> Callable[[Execute], int]:
    """Return the order that lets items go on which were set aside, and with `failed` those that failed."""

    def work(execute: Execute) -> int:
        query = "SELECT number, uri, run_id, item_id FROM items WHERE state = ?"
        rows = execute(query, (ItemState.SET_ASIDE,)).fetchall()
        count = 0
        for number, uri, run_id, item_id in rows:
            if run_id is not None and item_id is None and not failed:
                continue  # its run is gone: a new one is paid
            at_platform = run_id is not None and item_id is not None
            state = ItemState.SUCCEEDED if at_platform else ItemState.STORED if uri else ItemState.FOUND
            columns = {} if at_platform else {"run_id": None, "intent": None, "item_id": None, "status": None}
            if not at_platform:
                execute("UPDATE members SET is_live = 0 WHERE item = ? AND is_live", (number,))
            _orders.move_item(number, state, fault=None, remedy=None, attempts=0, **columns)(execute)
            count += 1
        if failed:
            query = "SELECT number FROM items WHERE state = ?"
            numbers = [row[0] for row in execute(query, (ItemState.FAILED,))]
            for number in numbers:
                execute("UPDATE members SET is_live = 0 WHERE item = ? AND is_live", (number,))
            _orders.move_items(
                numbers,
                ItemState.STORED,
                run_id=None,
                intent=None,
                item_id=None,
                status=None,
                error=None,
                attempts=0,
            )(execute)
            count += len(numbers)
        _run_orders.open_intents()(execute)
        return count

    return work


async def resolve(
    database: Database, client: Client, plan: JobPlan, intent: int, *, run_id: str | None
) -> None:
    """Write down a person's decision about an intent, after what can be checked of it was."""
    open_to_decide = await database.read(_queries.intents_in(IntentState.AMBIGUOUS))
    row = next((each for each in open_to_decide if each.number == intent), None)
    if row is None:
        raise JobStateError(f"chunk {intent} is not open to decide; `status` lists those that are")
    if run_id is None:
        order = _orders.resolve(intent, IntentState.SEALED, reason="a person was sure that it has no run")
        await database.write(order)
        return
    run = client.run(run_id)
    try:
        details = await run.details()
    except NotFound:
        raise JobRefused(f"there is no run {run_id}, or it is somebody else's") from None
    wanted = {item.reference + row.tag for item in await database.read(_queries.members(intent))}
    found = {item.reference async for item in run.results()}
    if details.application_version_id != plan.application_version or not found <= wanted:
        raise JobRefused(
            f"run {run_id} is not that of chunk {intent}: it has other items, or another version"
        )
    order = _orders.resolve(intent, IntentState.CREATED, run_id, reason="a person has named its run")
    await database.write(order)


async def settle_duplicate(database: Database, client: Client | None, run_id: str) -> None:
    """Cancel a second run, or leave it, and write down which."""
    done = "it was left to go on"
    if client is not None:
        try:
            await client.run(run_id).cancel()
            done = "it was cancelled"
        except Conflict:
            done = "it was over already"
    if not await database.write(_run_orders.settle_duplicate(run_id, done)):
        raise JobStateError(f"run {run_id} is not a second one of this job; `status` lists those that are")


async def verify(database: Database) -> list[Path]:
    """Read all outputs again, and let items whose files are gone or changed be brought anew."""
    bad: dict[int, list[tuple[str, Path]]] = {}
    for item, artifact_id, path, size, crc32c in await database.read(_queries.files()):
        if not await to_thread.run_sync(_is_whole, Path(path), size, crc32c):
            bad.setdefault(item, []).append((artifact_id, Path(path)))
    for item, files in bad.items():
        await database.write(_run_orders.miss_files(item, [artifact_id for artifact_id, _ in files]))
    return [path for files in bad.values() for _, path in files]


def _is_whole(path: Path, size: int, crc32c: str | None) -> bool:
    try:
        found = read_checksum(path)
    except OSError:
        return False
    return found.length == size and crc32c in (None, found.wire)


async def cancel(database: Database, client: Client) -> int:
    """Cancel the runs that are under way, and set aside what was not sent."""
    cancelled = 0
    for run in await database.read(_queries.runs_under_way()):
        try:
            await client.run(run.run_id).cancel()
            cancelled += 1
        except Conflict:
            continue  # it is over
    await database.write(_orders.cancel(_CANCELLED, _REMEDY))
    return cancelled


async def clean(database: Database, store: Store) -> int:
    """Delete the objects of items that need them no more."""
    if not isinstance(store, Deleting):
        raise ConfigurationError("this store can't delete; remove the objects under the job's prefix by hand")
    rows = await database.read(_queries.objects_of(ItemState.DONE))
    for number, key in rows:
        await store.delete(key)
        await database.write(_orders.set_item(number, uri=None))
    return len(rows)
