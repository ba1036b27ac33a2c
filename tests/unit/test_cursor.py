"""Cursors: what goes in comes out, and nothing else is taken for one."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, strategies as st

from aignostics_async import ItemStatus, RunStatus, UsageError
from aignostics_async.watch._cursor import Cursor
from aignostics_async.watch._transitions import Known, mark

ITEMS = st.dictionaries(st.text().map(mark), st.sampled_from([*ItemStatus, ItemStatus("NEW")]))
KNOWN = st.builds(Known, st.none() | st.sampled_from([*RunStatus, RunStatus("new")]), ITEMS)
RUN = uuid.UUID(int=1)
TIMES = st.none() | st.integers(0, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(st.dictionaries(st.uuids().map(str), KNOWN), TIMES)
def test_what_goes_in_comes_out(runs: dict[str, Known], mark: datetime | None) -> None:
    text = Cursor(runs, mark).encode()
    assert text.isascii()
    assert not set(text) & set(" \n/+")
    again = Cursor.decode(text)
    assert {run_id: (known.status, known.items) for run_id, known in again.runs.items()} == {
        run_id: (known.status, known.items) for run_id, known in runs.items()
    }
    assert again.mark == mark


def test_its_size_is_that_of_what_is_not_over() -> None:
    items = {mark(f"item-{number}"): ItemStatus.PENDING for number in range(20)}
    one = len(Cursor({str(uuid.uuid4()): Known(RunStatus.RUNNING, items)}).encode())
    many = len(Cursor({str(uuid.uuid4()): Known(RunStatus.RUNNING, items) for _ in range(100)}).encode())
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
def test_what_is_no_cursor_is_told(text: str) -> None:
    with pytest.raises(UsageError, match="cursor"):
        Cursor.decode(text)
