"""The feed of a service's pages: newest events, to each user his own, in a file, as server-sent events."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from aignostics_async import UsageError
from aignostics_async.services import Event, EventFeed


@pytest.fixture
async def feed(tmp_path: Path) -> AsyncIterator[EventFeed]:
    async with EventFeed(tmp_path / "data" / "feed.json") as opened:
        yield opened


def facts(events: list[Event]) -> list[tuple[str, str, Any]]:
    return [(event["group"], event["subject"], event.get("status")) for event in events]


def data_of(message: str) -> Event:
    event: Event = json.loads(message.partition("data: ")[2])
    return event


async def test_an_event_replaces_the_one_before_it(feed: EventFeed) -> None:
    feed.publish("item", "r", "a", status=1)
    feed.publish("item", "r", "b", status=1)
    feed.publish("item", "r", "a", status=2)
    feed.publish("picture", "r", "a", status=9)
    assert facts(feed.events()) == [("r", "b", 1), ("r", "a", 2), ("r", "a", 9)]
    assert [event["id"] for event in feed.events()] == [2, 3, 4]
    feed.publish("item", "r", "b", status=1)
    assert [event["id"] for event in feed.events(2)] == [3, 4], "it told nothing new"


@pytest.mark.parametrize("fact", [object(), float("nan"), {"a": b"bytes"}])
async def test_what_is_not_json_is_refused_at_once(feed: EventFeed, fact: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        feed.publish("run", "r", status=fact)
    assert feed.events() == []


async def test_a_subject_that_is_no_text_is_refused_before_it_spoils_the_file(tmp_path: Path) -> None:
    nobody: Any = None
    async with EventFeed(tmp_path / "feed.json") as feed:
        feed.publish("item", "r", "a")
        with pytest.raises(TypeError, match="are texts"):
            feed.publish("item", "r", nobody)
    async with EventFeed(tmp_path / "feed.json") as feed:
        assert facts(feed.events()) == [("r", "a", None)]


@pytest.mark.parametrize("path", [None, 5, "a\0b"])
def test_a_path_that_is_none_is_refused(path: Any) -> None:
    with pytest.raises(UsageError, match="path is a path"):
        EventFeed(path)


@pytest.mark.parametrize("option", [{"max_groups": 0}, {"heartbeat": 0}, {"save_interval": -1}])
def test_an_option_that_can_t_work_is_refused(tmp_path: Path, option: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="more than 0"):
        EventFeed(tmp_path / "feed.json", **option)


async def test_a_feed_is_entered_once_at_a_time(feed: EventFeed) -> None:
    with pytest.raises(UsageError, match="entered already"):
        async with feed:
            raise AssertionError


async def test_a_listener_gets_what_it_has_not_seen(feed: EventFeed) -> None:
    for number in range(5):
        feed.publish("item", "r", str(number))
    assert [event["id"] for event in feed.events(3)] == [4, 5]
    assert feed.events(5) == []
    assert len(feed.events(6)) == 5, "that id was never given"


async def test_each_user_gets_his_groups_and_the_empty_one(feed: EventFeed) -> None:
    feed.set_owner("a", "ada")
    feed.set_owner("b", "ben")
    for group in ("a", "b", "nobody's", ""):
        feed.publish("run", group)
    assert [event["group"] for event in feed.events(user="ada")] == ["a", ""]
    assert [event["group"] for event in feed.events(user="ben")] == ["b", ""]
    assert len(feed.events()) == 4, "nobody signs in"
    feed.set_owner("b", None)
    assert not feed.is_visible("b", "ada")


async def test_an_owner_hears_what_was_told_before_he_was_known(feed: EventFeed) -> None:
    feed.publish("run", "r", status=1)
    feed.publish("item", "r", "a", status=2)
    feed.publish("run", "other")
    stream = feed.stream("3", "ada")
    assert (await anext(stream)).startswith("retry: ")
    feed.set_owner("r", "ada")
    told = [data_of(await anext(stream)) for _ in range(2)]
    assert facts(told) == [("r", "", 1), ("r", "a", 2)]
    feed.set_owner("r", "ada")
    assert len(feed.events(told[-1]["id"])) == 0, "that is known"
    await stream.aclose()


async def test_memory_is_bounded_by_groups_and_the_empty_one_stays(tmp_path: Path) -> None:
    async with EventFeed(tmp_path / "feed.json", max_groups=3) as feed:
        feed.publish("platform", trouble="none")
        for number in range(50):
            feed.publish("run", f"r{number}")
            feed.publish("item", f"r{number}", "a")
            feed.publish("run", "r0", status=number)
            feed.set_owner(f"r{number}", "ada")
        assert {event["group"] for event in feed.events()} == {"", "r0", "r48", "r49"}
        assert len(feed._owners) == 30


async def test_events_owners_and_cursor_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "feed.json"
    async with EventFeed(path) as feed:
        assert feed.cursor is None
        feed.publish("run", "r", status="RUNNING")
        feed.set_owner("r", "ada")
        feed.cursor = "w1.abc"
    before = feed.events()
    async with EventFeed(path) as feed:
        assert (feed.events(), feed.cursor) == (before, "w1.abc")
        assert feed.is_visible("r", "ada")
        assert not feed.is_visible("r", "ben")
        feed.publish("run", "r", status="COMPLETED")
        assert [event["status"] for event in feed.events()] == ["COMPLETED"]


async def test_no_id_is_given_twice_after_a_kill(tmp_path: Path) -> None:
    """Else a page would not be told what it takes for seen."""
    path = tmp_path / "feed.json"
    async with EventFeed(path) as feed:
        feed.publish("run", "r", status=1)
        await feed._save()
        saved = path.read_bytes()
        for status in range(2, 100):
            feed.publish("run", "r", status=status)
        seen = feed.events()[-1]["id"]
    path.write_bytes(saved)
    async with EventFeed(path) as feed:
        feed.publish("run", "new")
        assert facts(feed.events(seen)) == [("new", "", None)]


def saved(**changes: object) -> bytes:
    """Return the content of a file with one event, and something else in it."""
    event = {"kind": "run", "group": "r", "subject": "", "id": 4}
    return json.dumps({"events": [event], "next_id": 5, "cursor": None, "owners": {}, **changes}).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 100_000,
        saved(events=[{}]),
        saved(events=[{"kind": "run", "group": "r", "subject": ""}]),
        saved(events=[{"kind": "run", "group": ["r"], "subject": "", "id": 4}]),
        saved(next_id=4),
        saved(cursor=5),
        saved(owners={"r": 5}),
    ],
)
async def test_a_damaged_file_counts_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "feed.json"
    path.write_bytes(content)
    async with EventFeed(path) as feed:
        assert feed.events() == []
        feed.publish("run", "r")
    async with EventFeed(path) as feed:
        assert len(feed.events()) == 1


async def test_a_fact_that_changes_later_is_published_again(feed: EventFeed) -> None:
    files = [1]
    feed.publish("run", "r", files=files)
    files.append(2)
    feed.events()[0]["files"] = "mine"
    assert [event["files"] for event in feed.events()] == [[1]]
    feed.publish("run", "r", files=files)
    assert [(event["id"], event["files"]) for event in feed.events()] == [(2, [1, 2])]
    feed.publish("run", "r", files=True)
    feed.publish("run", "r", files=1)
    assert feed.events()[0]["files"] is not True, "they are equal in Python alone"


async def test_the_owner_that_was_set_last_is_kept(tmp_path: Path) -> None:
    async with EventFeed(tmp_path / "feed.json", max_groups=1) as feed:
        for number in range(10):
            feed.set_owner(str(number), "ada")
        feed.set_owner("0", "bob")
        feed.set_owner("10", "ada")
        assert [feed.is_visible(group, "bob") for group in ("0", "1")] == [True, False]


async def test_the_last_of_two_writes_is_the_newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write goes on in its thread although its task was cancelled."""
    path, write = tmp_path / "feed.json", EventFeed._write
    is_writing, may_end = threading.Event(), threading.Event()

    def write_slowly(feed: EventFeed, kept: dict[str, Any]) -> None:
        if not is_writing.is_set():
            is_writing.set()
            may_end.wait()
        write(feed, kept)

    monkeypatch.setattr(EventFeed, "_write", write_slowly)
    async with EventFeed(path, save_interval=0.001) as feed:
        feed.publish("run", "r", status=1)
        await asyncio.to_thread(is_writing.wait)
        feed.publish("run", "r", status=2)
        asyncio.get_running_loop().call_soon(may_end.set)
    assert facts(json.loads(path.read_bytes())["events"]) == [("r", "", 2)]


async def test_a_feed_that_was_left_can_be_entered_again(tmp_path: Path) -> None:
    feed = EventFeed(tmp_path / "feed.json")
    for status in (1, 2):
        async with feed:
            feed.publish("run", "r", status=status)
            stream = feed.stream()
            await anext(stream)
            assert data_of(await anext(stream))["status"] == status
            await stream.aclose()


async def test_it_is_saved_while_it_runs_and_a_full_disk_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    written = asyncio.Queue[dict[str, Any]]()
    loop, is_full = asyncio.get_running_loop(), True

    def write(_feed: EventFeed, kept: dict[str, Any]) -> None:
        nonlocal is_full
        if is_full:
            is_full = False
            raise OSError(28, "No space left on device")
        loop.call_soon_threadsafe(written.put_nowait, kept)

    monkeypatch.setattr(EventFeed, "_write", write)
    with caplog.at_level(logging.WARNING, "aignostics_async"):
        async with EventFeed(tmp_path / "feed.json", save_interval=0.001) as feed:
            feed.publish("run", "r")
            kept = await written.get()
    assert facts(kept["events"]) == [("r", "", None)]
    assert "No space left" in caplog.text
    assert written.empty(), "nothing had changed since"


async def test_a_stream_is_server_sent_events_and_ends_when_the_feed_closes(feed: EventFeed) -> None:
    feed.publish("item", "r", "a\nb", status="é")
    stream = feed.stream()
    assert await anext(stream) == "retry: 2000\n\n"
    head, data, *rest = (await anext(stream)).split("\n")
    assert (head, data[:6], rest) == ("id: 1", "data: ", ["", ""])
    assert json.loads(data[6:])["subject"] == "a\nb"
    waiting = asyncio.create_task(anext(stream, None))
    feed.publish("item", "r", "c")
    assert "c" in str(await waiting)
    waiting = asyncio.create_task(anext(stream, None))
    await asyncio.sleep(0)
    feed.close()
    assert await waiting is None
    assert [message async for message in feed.stream()] == ["retry: 2000\n\n"]


async def test_a_listener_that_hears_nothing_gets_a_heartbeat(tmp_path: Path) -> None:
    async with EventFeed(tmp_path / "feed.json", heartbeat=0.001) as feed:
        stream = feed.stream()
        assert [await anext(stream) for _ in range(3)] == ["retry: 2000\n\n", ": alive\n\n", ": alive\n\n"]


@pytest.mark.parametrize(
    ("last_event_id", "expected"),
    [("", 2), ("1", 1), ("2", 0), ("-1", 2), ("x", 2), ("9" * 5000, 2), ("1.5", 2), ("²", 2), ("\u0661", 1)],
)
async def test_any_last_event_id_is_taken(feed: EventFeed, last_event_id: str, expected: int) -> None:
    feed.publish("run", "a")
    feed.publish("run", "b")
    stream = feed.stream(last_event_id)
    await anext(stream)
    told = [await anext(stream) for _ in range(expected)]
    assert len(told) == expected
    feed.publish("run", "c")
    assert data_of(await anext(stream))["group"] == "c", "and nothing else before it"
    await stream.aclose()
