"""Spans, ranges and the record beside a partial file: what can be told without a network."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, strategies as st

from aignostics_async import Crc32c, checksum_bytes
from aignostics_async.transfer._cancel_token import CancelToken
from aignostics_async.transfer._ranges import (
    Span,
    combined,
    parse_content_range,
    range_header,
    split,
    strong_etag,
)
from aignostics_async.transfer.files import _partial_file
from aignostics_async.transfer.files._partial_file import PartialFile, part_path, record_path
from aignostics_async.transfer.files._resume_record import Record, read_record

BODY = random.Random("plan").randbytes(10_000)


def span_of(start: int, end: int, there: int) -> Span:
    return Span(start, end, checksum_bytes(BODY[start : start + there]))


@given(st.data())
def test_halves_cover_the_file_and_combine_to_its_checksum(data: st.DataObject) -> None:
    """However often it is split and whoever fetches what first."""
    spans = [Span(0, len(BODY))]
    least = data.draw(st.integers(1, 3000))
    for _ in range(data.draw(st.integers(0, 60))):
        if data.draw(st.booleans()):
            if (half := split(spans, least)) is not None:
                assert half.end is not None
                assert half.end - half.start >= least
                spans.append(half)
        else:
            span = spans[data.draw(st.integers(0, len(spans) - 1))]
            assert span.end is not None
            count = data.draw(st.integers(0, span.end - span.position))
            span.grow(memoryview(BODY)[span.position : span.position + count])
    assert combined(spans, len(BODY)) is None or all(span.is_complete for span in spans)
    for span in spans:
        span.grow(memoryview(BODY)[span.position : span.end])
    assert combined(spans, len(BODY)) == checksum_bytes(BODY)


def test_the_span_that_lacks_most_is_split() -> None:
    spans = [span_of(0, 4000, 1000), span_of(4000, 10_000, 1000)]
    assert split(spans, 2501) is None
    half = split(spans, 2500)
    assert half is not None
    assert [(each.start, each.end) for each in (*spans, half)] == [(0, 4000), (4000, 7500), (7500, 10_000)]


def test_the_record_is_written_once_a_second_and_when_it_has_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(_partial_file, "time", SimpleNamespace(monotonic=lambda: now))
    part = PartialFile(tmp_path / "file", None, "name")
    part.open(CancelToken())
    record = record_path(tmp_path / "file")

    def is_written(**how: bool) -> bool:
        part.save(**how)
        there = record.exists()
        record.unlink(missing_ok=True)
        return there

    assert not is_written(now=True), "the length is unknown"
    part.total = 5
    assert not is_written(), "it has just begun"
    assert is_written(now=True)
    now = 1001.5
    assert is_written()
    now = 1002.0
    assert not is_written()
    assert is_written(now=True)
    now = 1002.75
    assert not is_written()
    now = 1003.0
    assert is_written()
    part.discard()
    part.close()


@pytest.mark.parametrize("is_known", [True, False])
def test_only_what_can_be_resumed_is_kept(tmp_path: Path, *, is_known: bool) -> None:
    part = PartialFile(tmp_path / "file", "4waSgw==", "name")
    with part.in_use():
        part.open(CancelToken())
        part.write(memoryview(bytes(8 * 1024 * 1024)), part.spans[0])
        if is_known:  # else there is no record of what is there
            part.total = part.spans[0].end = 10 * 1024 * 1024
    part.close()
    assert len(list(tmp_path.iterdir())) == (2 if is_known else 0)


def test_what_a_thread_may_have_opened_is_open(tmp_path: Path) -> None:
    """An open file is closed in a thread: a disk may take its time."""
    part = PartialFile(tmp_path / "file", None, "name")
    told = [part.is_open]
    with part.in_use():
        told.append(part.is_open)
        part.open(CancelToken())
    told.append(part.is_open)
    part.close()
    assert [*told, part.is_open] == [False, True, True, False]


def test_gaps_overlaps_and_wrong_lengths_are_no_file() -> None:
    whole = [span_of(0, 4000, 4000), span_of(4000, 10_000, 6000)]
    assert combined(whole, 10_000) == checksum_bytes(BODY)
    assert combined(whole, 10_001) is None
    assert combined([whole[0], span_of(4001, 10_000, 5999)], 10_000) is None
    assert combined([whole[0], span_of(3999, 10_000, 6001)], 10_000) is None
    assert combined([whole[0], whole[1], whole[1]], 10_000) is None


@pytest.mark.parametrize(
    ("span", "header"),
    [
        (Span(0), {}),
        (Span(0, 10), {"Range": "bytes=0-9"}),
        (Span(5, None, Crc32c(0, 3)), {"Range": "bytes=8-"}),
        (Span(5, 10, Crc32c(0, 3)), {"Range": "bytes=8-9"}),
    ],
)
def test_range_headers(span: Span, header: dict[str, str]) -> None:
    assert range_header(span) == header


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("bytes 1-2/3", (1, 2, 3)),
        (" bytes 0-0/1 ", (0, 0, 1)),
        ("bytes 1-2/*", None),
        ("bytes */3", None),
        ("items 1-2/3", None),
        ("", None),
    ],
)
def test_content_ranges(text: str, told: tuple[int, int, int] | None) -> None:
    assert parse_content_range(text) == told


def test_weak_etags_stand_for_nothing() -> None:
    assert [strong_etag(text) for text in ('"a"', 'W/"a"', None)] == ['"a"', None, None]


def record() -> Record:
    spans = (span_of(0, 4000, 1000), span_of(4000, 10_000, 6000))
    return Record("4waSgw==", 10_000, '"etag"', spans)


def test_a_record_comes_back() -> None:
    back = read_record(record().to_bytes())
    assert back is not None
    assert back.to_bytes() == record().to_bytes()


def test_a_record_with_one_wrong_bit_is_none() -> None:
    content = record().to_bytes()
    for place in range(len(content)):
        for bit in range(8):
            wrong = bytearray(content)
            wrong[place] ^= 1 << bit
            assert read_record(bytes(wrong)) is None


@given(st.binary(max_size=300))
def test_what_is_no_record(content: bytes) -> None:
    assert read_record(content) is None
    assert read_record(record().to_bytes()[: len(content)]) is None


def test_bytes_that_were_not_checked_stay_as_they_are(tmp_path: Path) -> None:
    """A download that ends before it has read them has not made them worthless."""
    for path in (part_path(tmp_path / "file"), record_path(tmp_path / "file")):
        path.write_bytes(b"earlier")
    part = PartialFile(tmp_path / "file", None, "name")
    with part.in_use():
        assert part.open(CancelToken())
    part.close()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"earlier", b"earlier"]
