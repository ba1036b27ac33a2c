"""What the service shows of the platform and of its submissions, as events of its feed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from aignostics_async import Change, Client
from aignostics_async.services import EventFeed, Submission


class PlatformWatcher:
    """Two watchers that share their requests: one for changes, one for results. A supervisor runs them.

    Each begins with a request of its own, because a watcher says nothing while there is no change.
    """

    def __init__(self, client: Client, feed: EventFeed, data: Path, since: datetime) -> None:
        self._client, self._feed, self._data, self._since = client, feed, data, since

    async def show_changes(self, succeeded: Callable[[], None]) -> None:
        """Publish every status of all runs, also of those that somebody else has created."""
        await self._client.applications.list(page_size=5).first()
        succeeded()
        cursor = self._feed.cursor
        async for change in self._client.watch_all(since=None if cursor else self._since, cursor=cursor):
            succeeded()
            self._publish(change)
            self._feed.cursor = change.cursor

    async def show_pictures(self, succeeded: Callable[[], None]) -> None:
        """Download the files of each item as soon as it succeeds; those that are there are not read again."""
        await self._client.applications.list(page_size=5).first()
        succeeded()
        watcher = self._client.watch_all(since=self._since)
        async with self._client.download_as_completed(watcher, self._data) as items:
            async for done in items:
                succeeded()
                for file in done.files:
                    if file.error is None and file.path.suffix == ".png":
                        url = f"/pictures/{file.path.relative_to(self._data).as_posix()}"
                        self._feed.publish("picture", done.change.run_id, done.item.reference, url=url)

    def _publish(self, change: Change) -> None:
        status = change.new.name
        if change.reference is not None:
            self._feed.publish("item", change.run_id, change.reference, status=status)
            return
        version = change.details.application_version_id
        triggered = change.details.triggered_at.isoformat(timespec="seconds")
        self._feed.publish("run", change.run_id, status=status, version=version, triggered_at=triggered)


def show_submission(feed: EventFeed, submission: Submission) -> None:
    """Publish how a submission stands, to its owner, who from then on sees its run, too."""
    for group in filter(None, (submission.id, submission.run_id)):
        feed.set_owner(group, submission.owner)
    feed.publish(
        "submission",
        submission.id,
        status=submission.status,
        slides=len(submission.references),
        run_id=submission.run_id,
        detail=submission.problem,
        sent=submission.sent,
        size=submission.size,
    )
