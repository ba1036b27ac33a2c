"""Cursors round-trip, also those of earlier commits, and other text is rejected."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, strategies as st

from aignostics_async import ItemStatus, RunStatus, UsageError
from aignostics_async.watch._cursor import Cursor
from aignostics_async.watch._transitions import ObservedState, item_key

ITEMS = st.dictionaries(st.text().map(item_key), st.sampled_from([*ItemStatus, ItemStatus("NEW")]))
OBSERVED = st.builds(ObservedState, st.none() | st.sampled_from([*RunStatus, RunStatus("new")]), ITEMS)
RUN = uuid.UUID(int=1)
TIMES = st.none() | st.integers(0, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(st.dictionaries(st.uuids().map(str), OBSERVED), TIMES)
def test_a_cursor_round_trips(runs: dict[str, ObservedState], seen_before: datetime | None) -> None:
    text = Cursor(runs, seen_before).encode()
    assert text.isascii()
    assert not set(text) & set(" \n/+")
    again = Cursor.decode(text)
    assert {run_id: (observed.status, observed.items) for run_id, observed in again.runs.items()} == {
        run_id: (observed.status, observed.items) for run_id, observed in runs.items()
    }
    assert again.seen_before == seen_before


def test_its_size_grows_with_the_runs_that_are_not_final() -> None:
    items = {item_key(f"item-{number}"): ItemStatus.PENDING for number in range(20)}
    one = len(Cursor({str(uuid.uuid4()): ObservedState(RunStatus.RUNNING, items)}).encode())
    many = len(
        Cursor({str(uuid.uuid4()): ObservedState(RunStatus.RUNNING, items) for _ in range(100)}).encode()
    )
    assert one < 350
    assert many < 100 * one


def damaged(*content: object) -> str:
    return "w1." + base64.urlsafe_b64encode(msgspec.msgpack.encode(content)).decode()


@pytest.mark.parametrize(
    "text",
    [
        *("", "w2.AAAA", "w1.", "w1.!", "w1.AAAA", 7, None),
        damaged(),
        damaged("soon"),
        damaged(None, [b"short", None, [], b"", b""]),
        damaged(None, [RUN.bytes, None, [], b"12345678", b"\x00"]),
        damaged(None, [RUN.bytes, None, ["PENDING"], b"12345678", b""]),
        damaged(None, [RUN.bytes, 7, [], b"", b""]),
        damaged(1e300),
    ],
)
def test_other_text_is_rejected(text: str) -> None:
    with pytest.raises(UsageError, match="cursor"):
        Cursor.decode(text)


def test_the_first_format_is_still_read() -> None:
    """A cursor that commit b4a4e73 wrote; users keep such texts for as long as they like."""
    text = (
        "w1.k8tB2lXNaWtzHZXEEG-WGf-LhtARtC0AwE_JZP-nUlVOTklOR5OnUEVORElOR6lQT0xJU0hJTkepU1VDQ0VFREVExBjk65"
        "1arbWodDiYuZ6GRJ1L1Lsinz51TGrEAwACAZXEEAAAAAAAAAAAAAAAAAAAAAHAkMQAxAA="
    )
    cursor = Cursor.decode(text)
    assert cursor.seen_before == datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
    assert list(cursor.runs) == ["6f9619ff-8b86-d011-b42d-00c04fc964ff", str(uuid.UUID(int=1))]
    running, unknown = cursor.runs.values()
    assert running.status == RunStatus.RUNNING
    assert running.items == {
        item_key("item-1"): ItemStatus.PENDING,
        item_key("item-2"): ItemStatus.SUCCEEDED,
        item_key("item-3"): ItemStatus("POLISHING"),
    }
    assert (unknown.status, unknown.items) == (None, {})
    assert cursor.encode() == text
