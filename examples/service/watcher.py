"""Follows the platform for the service: publishes changes and downloads pictures, also after an outage."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from feed import PLATFORM, Event, Feed

from aignostics_async import (
    AignosticsError,
    APIStatusError,
    Change,
    Client,
    CompletedItem,
    InvalidSubmission,
    SlideError,
    SubmissionUnknown,
)

MAX_WAIT = 60.0  # seconds between two tries
_log = logging.getLogger("service")


class PlatformWatcher:
    """Two watchers that share their requests: one for changes, one for results."""

    def __init__(self, feed: Feed, data: Path, since: datetime, on_failure: Callable[[], None]) -> None:
        self._feed, self._data, self._since, self._on_failure = feed, data, since, on_failure
        self._troubles: dict[str, str] = {}
        self.has_failed = False
        self.is_ready = False
        """Whether the platform has answered since the start."""

    @property
    def trouble(self) -> str:
        """Why the feed is behind the platform, or an empty text."""
        return "; ".join(filter(None, self._troubles.values()))

    def _set_trouble(self, name: str, trouble: str) -> None:
        """Remember why the feed is behind, and tell the pages."""
        if trouble != self._troubles.get(name, ""):
            self._troubles[name] = trouble
            self._feed.publish("platform", PLATFORM, trouble=self.trouble)

    async def run(self, client: Client) -> None:
        """Watch until cancelled, or until something failed for good."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_up("changes", lambda: self._show_changes(client)))
                group.create_task(self._keep_up("results", lambda: self._show_pictures(client)))
        except* Exception as failures:  # noqa: BLE001 - a service that sees nothing is of no use
            error = failures.exceptions[0]
            _log.error("watching has failed", exc_info=error)
            self.has_failed = True
            self._set_trouble("failure", explain(error))
            self._on_failure()

    async def _keep_up(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Repeat work that failed transiently, with a growing wait; raise any other error."""
        wait = 1.0
        while True:
            started = asyncio.get_running_loop().time()
            try:
                await work()
            except AignosticsError as error:
                if not error.is_transient:
                    raise
                self._set_trouble(name, explain(error))
                if asyncio.get_running_loop().time() - started > MAX_WAIT:
                    wait = 1.0  # it had worked for a while
                _log.warning("watching %s: trying again in %.0f s: %s", name, wait, error)
            await asyncio.sleep(wait)
            wait = min(2 * wait, MAX_WAIT)

    async def _show_changes(self, client: Client) -> None:
        """Publish every status of all runs, also of those that somebody else has created."""
        await client.applications.list(page_size=5).first()
        self.is_ready = True
        self._set_trouble("changes", "")
        cursor = self._feed.cursor
        since = None if cursor else self._since
        async for change in client.watch_all(since=since, cursor=cursor):
            self._set_trouble("changes", "")
            self._publish(change)
            self._feed.cursor = change.cursor

    def _publish(self, change: Change) -> None:
        if change.reference is not None:
            self._feed.publish("item", change.run_id, change.reference, status=change.new.name)
            return
        details = change.details
        triggered = details.triggered_at.isoformat(timespec="seconds")
        self._feed.publish(
            "run",
            change.run_id,
            status=change.new.name,
            version=details.application_version_id,
            triggered_at=triggered,
        )

    async def _show_pictures(self, client: Client) -> None:
        """Download the files of each item as soon as it succeeds; those that are there are not read again."""
        await client.applications.list(page_size=5).first()
        self._set_trouble("results", "")
        async with client.download_as_completed(client.watch_all(since=self._since), self._data) as items:
            async for done in items:
                self._set_trouble("results", "")
                for event in pictures_of(done, self._data):
                    self._feed.publish("picture", done.change.run_id, done.item.reference, **event)


def pictures_of(done: CompletedItem, data: Path) -> list[Event]:
    files = [file.path.relative_to(data) for file in done.files if file.error is None]
    return [{"url": f"/pictures/{path.as_posix()}"} for path in files if path.suffix == ".png"]


def explain(error: BaseException) -> str:
    """Return an error for users of the page: what is wrong, without paths of this machine."""
    match error:
        case SlideError():
            return f"{Path(error.path).name}: {error.problem}"
        case InvalidSubmission():
            return "\n".join(f"{fault}" for fault in error.faults)
        case SubmissionUnknown():
            return "whether the run was created is unknown; it appears here within minutes if it was"
        case APIStatusError():
            return f"the platform answered {error.status}; {error.advice}"
        case _:
            return f"{type(error).__name__}; the service's log has more"
