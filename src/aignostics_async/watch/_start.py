"""The ways to begin watching."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from .._identifiers import as_aware, as_path_part
from ..errors import UsageError
from ._cursor import Cursor
from ._transitions import Known
from ._watcher import Scope, Watcher

if TYPE_CHECKING:
    from ..models import RunDetails
    from ._poller import Poller


def watch_run(poller: Poller, run_id: str, *, is_new: bool, cursor: str | None) -> Watcher:
    """Watch one run; what goes wrong with it is raised as it is."""
    before = Cursor() if cursor is None else Cursor.decode(cursor)
    watcher = Watcher(poller, {run_id: before.runs.get(run_id, Known())}, is_single=True)
    poller.watch(watcher, new={run_id} if is_new else ())
    return watcher


def watch_runs(
    poller: Poller, run_ids: Iterable[str], *, new: Collection[str], cursor: str | None
) -> Watcher:
    """Watch the runs that are named, and those that a cursor knows."""
    before = Cursor() if cursor is None else Cursor.decode(cursor)
    watcher = Watcher(poller, {**{run_id: Known() for run_id in run_ids}, **before.runs})
    poller.watch(watcher, new=new)
    return watcher


def watch_scope(
    poller: Poller, *, application: str | None, since: datetime | None, cursor: str | None
) -> Watcher:
    """Watch all runs that are in a scope, and come into it."""
    if application is not None and ":" in as_path_part(application, "application id"):
        raise UsageError(f"{application!r} is a version; give the id of the application, before the colon")
    before = Cursor() if cursor is None else Cursor.decode(cursor)
    scope = Scope(application, as_aware(since, "since"))
    watcher = Watcher(poller, before.runs, scope=scope, floor=before.mark)
    poller.watch(watcher)
    return watcher


async def wait_for(poller: Poller, run_id: str, *, is_new: bool) -> RunDetails:
    """Return the details of a run once it is final, however it ended."""
    watcher = Watcher(poller, {run_id: Known()}, is_single=True, wants_items=False)
    poller.watch(watcher, new={run_id} if is_new else ())
    async for change in watcher:
        details = change.details
    return details
