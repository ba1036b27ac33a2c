"""What happens in a job, told as it happens: to who listens, and into a file for people."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from aignostics_async import JobError
from aignostics_async.bulk.database._journal import (
    EventType,
    JobEvent,
    Journal,
    Tail,
)


def test_events_are_told_and_kept(tmp_path: Path) -> None:
    heard: list[JobEvent] = []
    path = tmp_path / "events.jsonl"
    journal = Journal(path, heard.append)
    journal.emit(EventType.STARTED)
    journal.emit(EventType.QUARANTINED, reference="Fall 7 – Jürgen\n\u2028\ud800", text="why")
    journal.close()
    assert [event.type for event in heard] == [EventType.STARTED, EventType.QUARANTINED]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = path.read_bytes().decode("ascii").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"what": "started", "at": heard[0].at},
        {"what": "set_aside", "reference": heard[1].reference, "text": "why", "at": heard[1].at},
    ]


def test_a_journal_goes_on_where_it_was(tmp_path: Path) -> None:
    for what in (EventType.STARTED, EventType.STOPPED):
        journal = Journal(tmp_path / "events.jsonl")
        journal.emit(what)
        journal.close()
    assert [event["what"] for event in Tail(tmp_path / "events.jsonl").read()] == ["started", "stopped"]


def test_lines_that_are_none_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    good = [JobEvent(type=EventType.UPLOADED, reference=str(number)).to_json() for number in range(5)]
    bad = ["", "{", "null", "3", '"text"', '[["x"]]', "[" * 5000, '{"what": "upl']
    path.write_bytes("\n".join([*bad, *good[:3], *bad, *good[3:]]).encode() + b"\n\xff\xfe{")
    assert [event["reference"] for event in Tail(path).read()] == list("01234")
    assert [event["reference"] for event in Tail(path, 2).read()] == ["3", "4"]
    assert Tail(tmp_path / "none.jsonl").read() == []


def test_only_the_end_of_a_long_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(5000):
            file.write(JobEvent(type=EventType.UPLOADED, reference=f"{number}").to_json() + "\n")
    assert [event["reference"] for event in Tail(path, 3).read()] == ["4997", "4998", "4999"]


def test_a_tail_gives_what_comes_and_waits_for_the_end_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    tail = Tail(path)
    assert tail.read() == []
    journal = Journal(path)
    journal.emit(EventType.STARTED)
    assert [event["what"] for event in tail.read()] == ["started"]
    assert tail.read() == []
    line = JobEvent(type=EventType.FINISHED).to_json() + "\n"
    for part, told in ((line[:9], []), (line[9:], ["finished"])):
        with path.open("a", encoding="utf-8") as file:
            file.write(part)
        assert [event["what"] for event in tail.read()] == told
    journal.close()


def test_a_file_that_cannot_be_written_any_more_stops_nothing() -> None:
    """/dev/full is a disk without room."""
    heard: list[JobEvent] = []
    journal = Journal(Path("/dev/full"), heard.append)
    for _ in range(3):
        journal.emit(EventType.UPLOADED, reference="a")
    journal.close()
    assert len(heard) == 3


def test_a_place_where_no_file_can_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").mkdir()
    with pytest.raises(JobError, match="can't be written"):
        Journal(tmp_path / "events.jsonl")
