"""What a service tells its pages, as server-sent events: bounded, durable, to each user what is his."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator
from contextlib import suppress
from itertools import takewhile
from typing import Any, Self

import msgspec
from anyio import to_thread

from .._core._arguments import as_path
from .._core._atomic_file import atomic_file
from .._core._logging import get_logger
from .._core._state_folder import make_private_folder
from ..errors import UsageError

_RECONNECT = 2000  # milliseconds
_MAX_DIGITS = 18
_OWNERS_PER_GROUP = 10  # a run may have its next event long after it was dropped
# The ids that a killed process may have given after it saved for the last time are never given again: a
# page that has one would take what is new for what it has seen.
_ID_GAP = 1_000_000
_log = get_logger("aignostics_async")

Event = dict[str, Any]


class _Place(msgspec.Struct):
    """What every event in the file has."""

    id: int
    kind: str
    group: str
    subject: str


class _Saved(msgspec.Struct):
    """The content of the file."""

    events: list[dict[str, Any]]
    next_id: int
    cursor: str | None
    owners: dict[str, str]


class EventFeed:
    """The newest events that a service sends to its pages, in order, kept in a file.

        async with EventFeed("data/feed.json") as feed:
            feed.publish("item", run_id, "case-7", status="RUNNING")
            async for text in feed.stream(last_event_id, user):
                await send(text)

    An event is a dict with an increasing `id`, its `kind`, its `group` (such as a run id), its `subject` in
    the group (such as the reference of an item), and further JSON values. It replaces the earlier event of
    the same kind, group and subject. So a page that connects late, or again, gets the current state of
    everything that has changed, no listener has a queue, and only the `max_groups` (200) groups with the
    newest events are kept. The empty group is visible to all users and is always kept.

    Creating a feed raises UsageError for a `path` that is none, a `max_groups` below 1, or a time that is not
    positive. Entering it reads what an earlier process saved in `path`; a file that is damaged or can't be
    read counts as none. Raises UsageError for a feed that is entered already. Changes are saved every
    `save_interval` (5) seconds and at the end of the block, events and cursor together: a process that
    continues at `cursor` after a kill publishes again what was lost. A file that can't be written is logged
    as a warning and tried again. A listener without an event for `heartbeat` (15) seconds gets a comment,
    because proxies close silent connections. Use a feed in one event loop, and its file in one process; a
    feed that was left can be entered again, also in another loop.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        max_groups: int = 200,
        heartbeat: float = 15.0,
        save_interval: float = 5.0,
    ) -> None:
        if max_groups < 1 or not (heartbeat > 0 and save_interval > 0):
            raise UsageError(
                "max_groups is at least 1, and heartbeat and save_interval are more than 0 seconds"
            )
        self._path = as_path(path, "path")
        self._max_groups, self._heartbeat, self._save_interval = max_groups, heartbeat, save_interval
        self._events: dict[str, Event] = {}  # by kind, group and subject, in the order of their ids
        self._keys: dict[str, set[str]] = {}  # of the events of each group, that with the newest event last
        self._owners: dict[str, str] = {}
        self._cursor: str | None = None
        self._next_id = 1
        self._changed = asyncio.Event()
        self._is_closed = False
        self._is_saved = True
        self._is_left = asyncio.Event()
        self._saver: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._saver is not None and not self._saver.done():
            raise UsageError("this feed is entered already; share it")
        await to_thread.run_sync(self._load)
        self._changed, self._is_left, self._is_closed = asyncio.Event(), asyncio.Event(), False
        self._saver = asyncio.create_task(self._save_regularly())
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        self.close()
        self._is_left.set()
        if self._saver is not None:
            await asyncio.wait([self._saver])
            self._saver.result()

    @property
    def cursor(self) -> str | None:
        """The cursor at which watching continues after a restart; None in a new feed.

            feed.cursor = change.cursor

        Set it when a change has been published. It is saved with the events.
        """
        return self._cursor

    @cursor.setter
    def cursor(self, cursor: str | None) -> None:
        self._is_saved = self._is_saved and cursor == self._cursor
        self._cursor = cursor

    def publish(self, kind: str, group: str = "", subject: str = "", **facts: Any) -> None:
        """Publish an event, unless it is equal to the latest of its kind, group and subject.

            feed.publish("item", change.run_id, change.reference or "", status=change.new.name)

        `facts` are JSON values, with other names than `id`; what is done to them later changes no event.
        `group` and `subject` are empty by default. The event is sent to the users who can see the group: see
        `is_visible`. Raises TypeError for a kind, group or subject that is no text, and TypeError or
        ValueError for facts that are not JSON; then nothing is published.
        """
        if not all(isinstance(each, str) for each in (kind, group, subject)):
            raise TypeError("kind, group and subject of an event are texts")
        event = {"kind": kind, "group": group, "subject": subject, **_as_json(facts)}
        key = json.dumps([kind, group, subject])
        if (before := self._events.get(key)) is None or _text_of(event) != _text_of(before):
            self._add(key, event)

    def set_owner(self, group: str, user: str | None) -> None:
        """Make a group visible to a user, who gets its events, the earlier ones included.

            feed.set_owner(run_id, "ada")

        A group has one owner, the last one that was set. The latest owners are kept, ten for each group of
        `max_groups` (2,000 by default), also for groups without events. Does nothing if `user` is None, for a
        service without sign-in.
        """
        if user is None or self._owners.get(group) == user:
            return
        self._owners.pop(group, None)  # the latest is the last one
        self._owners[group], self._is_saved = user, False
        if len(self._owners) > _OWNERS_PER_GROUP * self._max_groups:
            del self._owners[next(iter(self._owners))]
        # With new ids, because the listeners of this user have passed the old ones.
        for key in sorted(self._keys.get(group, ()), key=lambda key: int(self._events[key]["id"])):
            self._add(key, self._events[key])

    def is_visible(self, group: str, user: str | None) -> bool:
        """Return whether a user can see a group: one of their own, or the empty one.

            feed.is_visible(run_id, "ada")

        None, for a service without sign-in, can see all groups.
        """
        return user is None or not group or self._owners.get(group) == user

    def events(self, after: int = 0, user: str | None = None) -> list[Event]:
        """Return the events with an id above `after` that a user can see, the oldest first.

            feed.events(user="ada")

        Each is a dict with `id`, `kind`, `group`, `subject` and the facts that were published. `after` is 0
        by default, for all events; an id that was never used means all, too, because the file was lost.
        """
        after = after if after < self._next_id else 0
        newer = list(takewhile(lambda event: event["id"] > after, reversed(self._events.values())))
        return [dict(event) for event in reversed(newer) if self.is_visible(event["group"], user)]

    async def stream(self, last_event_id: str = "", user: str | None = None) -> AsyncGenerator[str, None]:
        """Yield server-sent events as text until the feed is closed, and a comment while there are none.

            StreamingResponse(feed.stream(last_event_id, user), media_type="text/event-stream")

        The data of an event is its dict as JSON. The first text tells the page to reconnect after 2 s.
        `last_event_id` is the header `Last-Event-ID` of a page that connects again; any text but an id, such
        as the empty default, means that it has seen nothing. `user` gets the events that `is_visible` allows;
        None, the default, gets all.
        """
        after = int(last_event_id[:_MAX_DIGITS]) if last_event_id.isdecimal() else 0
        yield f"retry: {_RECONNECT}\n\n"
        while not self._is_closed:
            changed = self._changed
            for event in self.events(after, user):
                after = event["id"]
                yield f"id: {after}\ndata: {json.dumps(event)}\n\n"
            try:
                async with asyncio.timeout(self._heartbeat):
                    await changed.wait()
            except TimeoutError:
                yield ": alive\n\n"

    def close(self) -> None:
        """End all streams, so that a server that shuts down does not wait for its pages.

            feed.close()

        `publish` still works, and the feed is saved at the end of its block.
        """
        self._is_closed = True
        self._changed.set()

    def _add(self, key: str, event: Event) -> None:
        self._events.pop(key, None)
        self._events[key] = {**event, "id": self._next_id}
        self._next_id += 1
        self._put_last(event["group"], key)
        self._forget_oldest()
        self._is_saved = False
        self._changed.set()
        self._changed = asyncio.Event()

    def _put_last(self, group: str, key: str) -> None:
        keys = self._keys.pop(group, set())
        keys.add(key)
        self._keys[group] = keys

    def _forget_oldest(self) -> None:
        named = [group for group in self._keys if group]
        for group in named[: -self._max_groups]:
            for key in self._keys.pop(group):
                del self._events[key]

    async def _save_regularly(self) -> None:
        # Nothing else saves, and nothing cancels it: a write goes on in its thread, and could replace a later
        # one.
        is_last = False
        while not is_last:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._save_interval):
                    await self._is_left.wait()
            is_last = self._is_left.is_set()
            await self._save()

    async def _save(self) -> None:
        if self._is_saved:
            return
        kept = {
            "events": list(self._events.values()),
            "next_id": self._next_id,
            "cursor": self._cursor,
            "owners": dict(self._owners),
        }
        self._is_saved = True
        try:
            await to_thread.run_sync(self._write, kept)
        except OSError as error:
            self._is_saved = False
            _log.warning("the events of the service were not saved (%s); trying again", error)

    def _write(self, kept: dict[str, Any]) -> None:
        make_private_folder(self._path.parent)
        with atomic_file(self._path) as file:
            file.write(json.dumps(kept).encode())

    def _load(self) -> None:
        try:
            saved = msgspec.convert(json.loads(self._path.read_bytes()), _Saved)
            places = [msgspec.convert(event, _Place) for event in saved.events]
        except (OSError, ValueError, RecursionError):
            return
        ids = [place.id for place in places]
        if [0, *ids, saved.next_id] != sorted({0, *ids, saved.next_id}):
            return
        self._next_id, self._cursor, self._owners = saved.next_id + _ID_GAP, saved.cursor, saved.owners
        self._events, self._keys = {}, {}
        for event, place in zip(saved.events, places, strict=True):
            key = json.dumps([place.kind, place.group, place.subject])
            self._events[key] = event
            self._put_last(place.group, key)


def _as_json(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts as they are read back; raises TypeError or ValueError, where somebody sees it."""
    try:
        copied: dict[str, Any] = json.loads(json.dumps(facts, allow_nan=False))
    except RecursionError:
        raise ValueError("the facts of an event are nested too deeply") from None
    return copied


def _text_of(event: Event) -> str:
    """Return an event without its id as text, since 1 and True are equal in Python and not in JSON."""
    return json.dumps({**event, "id": None}, sort_keys=True)
