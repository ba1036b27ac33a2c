"""What the service knows, as server-sent events: the newest event of everything, in order, on disk."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

HEARTBEAT = 15.0  # seconds; proxies close connections that are silent for longer
MAX_RUNS = 200

PLATFORM = "platform"  # the group of what concerns everybody

Event = dict[str, Any]


class Feed:
    """The events of the latest runs and submissions.

    An event replaces the earlier one of the same kind and subject, so memory is bounded by the number of runs
    and items, and a client that reconnects gets everything that it missed. No listener has a queue: each
    continues after the last event that it sent.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._events: dict[str, Event] = {}  # by kind and subject, in the order of their ids
        self._changed = asyncio.Event()
        self._is_closed = False
        self._next_id = 1
        self._owners: dict[str, str] = {}  # of runs and submissions
        self.cursor: str | None = None
        """Where watching goes on after a restart."""

    def load(self) -> None:
        """Read what an earlier process saved; a damaged file counts as none."""
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            self._events = {_key(event): event for event in kept["events"]}
            self._next_id, self.cursor, self._owners = kept["next_id"], kept["cursor"], kept["owners"]
        except (OSError, ValueError, KeyError, TypeError):
            return

    def save(self) -> None:
        """Write everything to disk, atomically."""
        events = list(self._events.values())
        kept = {"events": events, "next_id": self._next_id, "cursor": self.cursor, "owners": self._owners}
        part = self._path.with_suffix(".part")
        part.write_text(json.dumps(kept), encoding="utf-8")
        part.replace(self._path)

    def publish(self, kind: str, group: str, subject: str = "", **facts: Any) -> None:
        """Publish an event; `group` is a run or a submission, `subject` an item of it."""
        event = {"id": self._next_id, "kind": kind, "group": group, "subject": subject, **facts}
        self._next_id += 1
        self._events.pop(_key(event), None)
        self._events[_key(event)] = event
        self._forget_oldest()
        self._changed.set()
        self._changed = asyncio.Event()

    def give(self, group: str, user: str) -> None:
        """Let a run or submission be this user's; what was told of it is told again."""
        self._owners[group] = user
        for event in [each for each in self._events.values() if each["group"] == group]:
            facts = {name: value for name, value in event.items() if name != "id"}
            self.publish(**facts)

    def is_visible(self, group: str, user: str | None) -> bool:
        """Whether a user may see a group; None, where nobody signs in, sees all."""
        return user is None or group == PLATFORM or self._owners.get(group) == user

    def owner(self, group: str) -> str:
        """Return whose a group is."""
        return self._owners.get(group, "")

    def events(self, after: int = 0, user: str | None = None) -> list[Event]:
        """Return a user's events with a higher id. An id that was never given means all: state was lost."""
        if after >= self._next_id:
            after = 0
        newer = [event for event in self._events.values() if event["id"] > after]
        return [event for event in newer if self.is_visible(event["group"], user)]

    async def stream(self, after: int, user: str | None = None) -> AsyncIterator[str]:
        """Give server-sent events until the service stops, and a heartbeat while nothing happens."""
        yield "retry: 2000\n\n"
        while not self._is_closed:
            changed = self._changed
            for event in self.events(after, user):
                after = event["id"]
                yield f"id: {after}\ndata: {json.dumps(event)}\n\n"
            try:
                await asyncio.wait_for(changed.wait(), HEARTBEAT)
            except TimeoutError:
                yield ": alive\n\n"

    def close(self) -> None:
        """End all streams."""
        self._is_closed = True
        self._changed.set()

    def _forget_oldest(self) -> None:
        groups = list(dict.fromkeys(event["group"] for event in reversed(self._events.values())))
        if len(groups) > MAX_RUNS:
            oldest = set(groups[MAX_RUNS:])
            self._events = {key: each for key, each in self._events.items() if each["group"] not in oldest}
            self._owners = {group: user for group, user in self._owners.items() if group not in oldest}


def _key(event: Event) -> str:
    return json.dumps([event["kind"], event["group"], event["subject"]])
