"""Creating watchers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from .._identifiers import as_aware, as_path_part
from ..errors import UsageError
from ._cursor import Cursor
from ._scope import Scope
from ._transitions import ObservedState
from ._watcher import Watcher
from ._watcher_state import Subscription

if TYPE_CHECKING:
    from ..models import RunDetails
    from ._shared_poller import Poller


def watch_run(poller: Poller, run_id: str, *, is_new: bool, cursor: str | None) -> Watcher:
    """Watch one run. An error of the run is raised by itself, not in a group."""
    before = _decode(cursor)
    subscription = Subscription({run_id: before.runs.get(run_id, ObservedState())}, is_single=True)
    return _open(poller, subscription, new={run_id} if is_new else ())


def watch_runs(
    poller: Poller, run_ids: Iterable[str], *, new: Collection[str], cursor: str | None
) -> Watcher:
    """Watch the given runs, and those of the cursor."""
    unknown = {run_id: ObservedState() for run_id in run_ids}
    return _open(poller, Subscription({**unknown, **_decode(cursor).runs}), new=new)


def watch_scope(
    poller: Poller, *, application: str | None, since: datetime | None, cursor: str | None
) -> Watcher:
    """Watch every run in scope, including runs created later."""
    if application is not None and ":" in as_path_part(application, "application id"):
        raise UsageError(f"{application!r} is a version; pass the application id, the part before the colon")
    before = _decode(cursor)
    scope = Scope(application, as_aware(since, "since"))
    return _open(poller, Subscription(before.runs, scope=scope, seen_before=before.seen_before))


async def wait_for(poller: Poller, run_id: str, *, is_new: bool) -> RunDetails:
    """Return the details of a run once it is final, however it ended."""
    subscription = Subscription({run_id: ObservedState()}, is_single=True, wants_items=False)
    async for change in _open(poller, subscription, new={run_id} if is_new else ()):
        details = change.details
    return details


def _decode(cursor: str | None) -> Cursor:
    return Cursor() if cursor is None else Cursor.decode(cursor)


def _open(poller: Poller, subscription: Subscription, *, new: Collection[str] = ()) -> Watcher:
    poller.add(subscription, new=new)
    return Watcher(poller, subscription)
