"""What a job moved by when: kept whole, divided evenly, and drawn."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, strategies as st

from aignostics_async.bulk.database._samples import (
    Sample,
    Series,
    Stage,
    add_samples,
    read_series,
)
from aignostics_async.bulk.database._schema import MIGRATIONS
from aignostics_async.bulk.report.html._throughput_plot import _DAY, _STEPS, nice, plot

MOMENTS = st.floats(min_value=1.7e9, max_value=2.0e9)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(database()) as connection:
        yield connection


def database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for migration in MIGRATIONS:
        connection.executescript(migration)
    return connection


def test_samples_are_taken_in_as_of_now(
    connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1000.0)
    samples = [Sample(Stage.UPLOAD, 2, 500), Sample(Stage.PROBE, 0, 0), Sample(Stage.DOWNLOAD, 0, 7)]
    add_samples(samples)(connection.execute)
    assert connection.execute("SELECT * FROM samples").fetchall() == [
        (1000.0, "UPLOAD", 2, 500),
        (1000.0, "DOWNLOAD", 0, 7),
    ]
    upload, download = read_series(connection.execute)
    assert (upload.items[0], sum(upload.items), upload.bytes[0]) == (2, 2, 500)
    assert (download.stage, sum(download.bytes)) == (Stage.DOWNLOAD, 7)


def test_no_samples_no_series(connection: sqlite3.Connection) -> None:
    assert read_series(connection.execute) == ()
    assert plot([]) == ""


@given(
    st.lists(
        st.tuples(MOMENTS, st.sampled_from(Stage), st.integers(0, 99), st.integers(0, 10**12)), max_size=40
    )
)
def test_nothing_is_left_out_and_nothing_counts_twice(rows: list[tuple[float, Stage, int, int]]) -> None:
    connection = database()
    connection.executemany("INSERT INTO samples VALUES (?, ?, ?, ?)", rows)
    series = read_series(connection.execute, 10)
    for stage in Stage:
        own = [row for row in rows if row[1] == stage]
        told = [each for each in series if each.stage is stage]
        assert len(told) == int(any(row[2] or row[3] for row in own))
        assert sum(sum(each.items) for each in told) == sum(row[2] for row in own)
        assert sum(sum(each.bytes) for each in told) == sum(row[3] for row in own)
    assert {len(each.items) for each in series} | {len(each.bytes) for each in series} <= {10}
    connection.close()


def test_each_stretch_of_time_has_its_own(connection: sqlite3.Connection) -> None:
    for second in range(101):
        connection.execute("INSERT INTO samples VALUES (?, 'UPLOAD', 1, ?)", (5000.0 + second, second))
    (series,) = read_series(connection.execute, 10)
    assert (series.begins, series.width) == (5000.0, 10.0)
    assert series.items == (10,) * 9 + (11,)
    assert series.bytes == (*(sum(range(10 * n, 10 * n + 10)) for n in range(9)), sum(range(90, 101)))


# The plot

SVG = "{http://www.w3.org/2000/svg}"


def drawn(*series: Series) -> tuple[ET.Element, ET.Element]:
    """Return the plot as XML trees: the wide one, and that of a phone."""
    document = plot(series).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    wide, narrow = ET.fromstring(f"<div>{document}</div>")
    return wide, narrow


def texts(tree: ET.Element, kind: str) -> list[str]:
    return [each.text or "" for each in tree.iter(f"{SVG}text") if each.get("class") == kind]


def test_a_plot_is_as_high_as_what_was_moved() -> None:
    sizes = (0, 50_000_000, 100_000_000, 0)
    tree, _ = drawn(Series(Stage.UPLOAD, 1_795_500_000.0, 10.0, (0, 1, 1, 0), sizes))
    assert texts(tree, "name") == ["Upload, MB/s"]
    assert texts(tree, "end")[:3] == ["2 slides, 150 MB; 7.5 MB/s while it worked", "10", "0"]
    (area,) = (each.get("d") for each in tree.iter(f"{SVG}path") if each.get("class") == "area")
    bottom, *levels = (float(y) for y in re.findall(r"(?:V|M56 )([\d.]+)", area or ""))
    assert [(bottom - y) / 64 for y in levels] == pytest.approx([0, 0.5, 1, 0, 0])


def test_stages_without_bytes_are_told_in_slides() -> None:
    tree, _ = drawn(Series(Stage.ANALYSIS, 1_795_500_000.0, 60.0, (2, 0, 4), (0, 0, 0)))
    assert texts(tree, "name") == ["Slides analysed, per hour"]
    assert texts(tree, "end")[:2] == ["6 slides; 180 per hour while it worked", "250"]


@given(
    MOMENTS,
    st.floats(min_value=0.01, max_value=1e6),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**15)), min_size=1, max_size=30),
)
def test_any_series_is_drawn_inside_its_frame(
    begins: float, width: float, moved: list[tuple[int, int]]
) -> None:
    items, sizes = tuple(each[0] for each in moved), tuple(each[1] for each in moved)
    for tree in drawn(*(Series(stage, begins, width, items, sizes) for stage in Stage)):
        assert_inside(tree)


def assert_inside(tree: ET.Element) -> None:
    _, _, right, bottom = (float(each) for each in (tree.get("viewBox") or "").split())
    assert len(texts(tree, "time")) <= 9
    for path in tree.iter(f"{SVG}path"):
        places = re.findall(r"([MHV])(-?[\d.]+)(?: (-?[\d.]+))?", path.get("d") or "")
        for kind, first, second in places:
            across, down = (first, second) if kind == "M" else (first, "") if kind == "H" else ("", first)
            assert 0 <= float(across or 0) <= right
            assert 0 <= float(down or 0) <= bottom


@given(st.floats(min_value=1e-9, max_value=1e18))
def test_a_scale_is_round_and_near(number: float) -> None:
    assert number <= nice(number) <= 1.34 * number


def test_ticks_are_at_the_same_times_of_each_day() -> None:
    assert [step for step in _STEPS if step < _DAY and _DAY % step] == []


def test_hours_of_a_day_are_ticked() -> None:
    tree, _ = drawn(Series(Stage.PROBE, 1_795_499_000.0, 225.0, (1,) * 240, (0,) * 240))
    assert texts(tree, "time") == [
        "24 Nov, 06:00",
        "08:00",
        "10:00",
        "12:00",
        "14:00",
        "16:00",
        "18:00",
        "20:00",
    ]
