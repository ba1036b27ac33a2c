"""Manifests: what spreadsheets write, and every fault with its line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from aignostics_async._core._display_text import visible
from aignostics_async.bulk import ManifestDraft
from aignostics_async.bulk.preflight.sources._manifest import (
    Manifest,
    ManifestRow,
    parse_manifest,
    read_manifest,
)
from aignostics_async.bulk.preflight.sources._sources import ListedPath, read_list

GOOD = "path,reference,mpp,stain\nlung/a.svs,case-7,0.25,H&E\n"
ROW = ManifestRow(line=2, path="lung/a.svs", reference="case-7", mpp=(0.25, 0.25), cells={"stain": "H&E"})


def parse(text: str | bytes, column: str | None = None) -> Manifest:
    return parse_manifest(text.encode() if isinstance(text, str) else text, "in.csv", column)


def faults(text: str | bytes, column: str | None = None) -> list[str]:
    return [str(fault) for fault in parse(text, column).faults]


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode(),
        GOOD.encode("utf-8-sig"),
        GOOD.encode("utf-16"),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace(",", ";").encode(),
        GOOD.replace(",", "\t").encode("utf-16"),
        GOOD.replace(",", ";").replace("0.25", "0,25").encode(),
        b"sep=|\r\n" + GOOD.replace(",", "|").encode(),
        GOOD.replace("path,", "Path,").replace(",mpp", ", MPP ").encode(),
        GOOD.rstrip("\n").encode(),
        GOOD.encode() + b"\n,,,\n  \n",
        GOOD.replace("lung/a.svs", '" lung/a.svs"').encode(),
    ],
    ids=[
        "plain", "mark", "utf-16", "windows", "semicolons", "tabs", "decimal commas", "told separator",
        "capitals", "no end of line", "empty lines", "quotes",
    ],
)  # fmt: skip
def test_what_spreadsheets_write_is_read(content: bytes) -> None:
    manifest = parse(content)
    (row,) = manifest.rows
    assert manifest.faults == ()
    assert (row.path, row.reference, row.mpp, row.cells) == (ROW.path, ROW.reference, ROW.mpp, ROW.cells)


@pytest.mark.parametrize("before", ["", "sep=;\r", "\r"])
def test_lines_may_end_as_old_macs_end_them(before: str) -> None:
    """And many commas in cells are no delimiters."""
    text = f'{before}path;reference;mpp;stain\rlung/a.svs;case-7;0,25;"H, E, a, b, c, d, e"\r'
    (row,) = parse(text).rows
    assert (row.path, row.mpp, row.cells["stain"]) == ("lung/a.svs", (0.25, 0.25), "H, E, a, b, c, d, e")


def test_a_list_may_end_its_lines_so_too(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"a.svs\rb.svs\r")
    assert [each.path for each in read_list(tmp_path / "list") if isinstance(each, ListedPath)] == [
        "a.svs",
        "b.svs",
    ]


def test_lines_are_counted_as_an_editor_shows_them() -> None:
    text = 'path,note\na.svs,"two\nlines"\n\nb.svs,\nc.svs,x\n'
    assert [(row.line, row.path) for row in parse(text).rows] == [(2, "a.svs"), (5, "b.svs"), (6, "c.svs")]
    assert [row.line for row in parse("sep=,\n" + text).rows] == [3, 6, 7]


def test_two_resolutions_and_columns_of_metadata() -> None:
    (row,) = parse("mpp_x,mpp_y,path,specimen.tissue,empty\n0.25,0.26,a.svs,LUNG,\n").rows
    assert row.mpp == (0.25, 0.26)
    assert row.cells == {"specimen.tissue": "LUNG"}
    assert row.reference == ""


def test_references_from_a_column() -> None:
    (row,) = parse("path,case,stain\na.svs,4711,H&E\n", "case").rows
    assert (row.reference, row.cells) == ("4711", {"stain": "H&E"})
    assert faults("path,case\na.svs,\n", "case") == [
        "in.csv, line 2: it has no case, which references come from; fill the cell"
    ]
    assert "it has no column case" in faults("path,reference\na.svs,1\n", "case")[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\n\npath\n", "in.csv: it has no rows"),
        ("", "in.csv: it has no column path; its first line must name the columns; it names nothing"),
        ("\n\n", "it has no column path"),
        (
            "file,reference\na.svs,1\n",
            "it has no column path; its first line must name the columns; it names file",
        ),
        ("path\n", "in.csv: it has no rows"),
        ("path,path\na,b\n", "it has several columns path"),
        ("path,mpp,mpp_x\n", "it has a column mpp, and mpp_x or mpp_y too"),
        ("path,mpp_x\n", "it has only one of the columns mpp_x and mpp_y"),
        ("path,mpp_x,mpp_y\na.svs,0.25,\n", "in.csv, line 2: it has only one of mpp_x and mpp_y"),
        ("path,mpp\na.svs,250\n", "in.csv, line 2: its mpp is '250', not a resolution from 0.05 to 5"),
        ("path,mpp\na.svs,0\n", "its mpp is '0'"),
        ("path,mpp\na.svs,-0.25\n", "its mpp is '-0.25'"),
        ("path,mpp\na.svs,nan\n", "its mpp is 'nan'"),
        ("path,mpp\na.svs,40x\n", "its mpp is '40x'"),
        ("path,reference\n,case-7\n", "in.csv, line 2: it names no path"),
        ("path,reference\na,b.svs,1\n", "in.csv, line 2: it has a cell that no column is for"),
        ("path,,stain\na.svs,lost,H&E\n", "it has a cell that no column is for"),
        ('path,stain\na.svs,"H&E\n', "in.csv, line 2: it can't be read as CSV (unexpected end of data)"),
        ('path,stain\na.svs,"H"E\n', "it can't be read as CSV"),
        ("path\n" + "x" * 200_000 + "\n", "in.csv, line 2: it can't be read as CSV (field larger"),
        (
            b"path\na.svs\ncaf\xe9.svs\n",
            "in.csv, line 3: it is not written in UTF-8; save it again as CSV in UTF-8",
        ),
        (b"path\na\0b.svs\n", "in.csv: it is no text"),
        (b"PK\x03\x04\x14\0\0\0workbook", "in.csv: it is no text"),
    ],
)
def test_every_broken_kind_is_told_with_its_line(text: str | bytes, told: str) -> None:
    found = faults(text)
    assert len(found) == 1, found
    assert told in found[0], found


def test_all_faults_come_at_once_and_good_rows_stay() -> None:
    manifest = parse("path,mpp\na.svs,0.25\n,1\nb.svs,300\nc.svs,0.5,surplus\nd.svs,0.5\n")
    assert [row.path for row in manifest.rows] == ["a.svs", "d.svs"]
    assert [str(fault).partition(":")[0] for fault in manifest.faults] == [
        "in.csv, line 3", "in.csv, line 4", "in.csv, line 5",
    ]  # fmt: skip


def test_several_faults_of_one_line_are_all_told() -> None:
    assert len(faults("path,mpp\n,300,surplus\n")) == 3


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        (fault,) = read_manifest(path).faults
        assert str(fault).startswith(f"{path}: the manifest can't be read (")


CELL = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).map(str.strip).filter(bool)


@given(
    st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=8),
    st.sampled_from(",;\t"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_whatever_a_table_holds_is_read_back(
    rows: list[tuple[str, str, str]], delimiter: str, encoding: str
) -> None:
    table = io.StringIO()
    writer = csv.writer(table, delimiter=delimiter)
    writer.writerows([("path", "reference", "note"), *rows])
    manifest = parse(table.getvalue().encode(encoding))
    assert manifest.faults == ()
    assert [(row.path, row.reference, row.cells["note"]) for row in manifest.rows] == rows


@given(st.one_of(st.binary(max_size=300), st.text(',;"\n\r\tpath=sep0.5', max_size=100).map(str.encode)))
def test_nothing_breaks_the_reader(content: bytes) -> None:
    manifest = parse(content)
    assert manifest.rows or manifest.faults


def test_a_line_says_whether_the_label_goes_along() -> None:
    rows = parse("path;include_label\na.dcm;ja\nb.dcm;NO\nc.dcm;\n").rows
    assert [row.include_label for row in rows] == [True, False, None]
    assert "its include_label is 'perhaps'" in faults("path,include_label\na.dcm,perhaps\n")[0]


def test_a_name_that_a_draft_writes_visibly_is_found() -> None:
    """No control character of a name stands in a file that people open, and none is lost."""
    name = "case\x1b[2J\u202e\r\n\udcff.svs"
    draft = ManifestDraft(({"path": name, "reference": name},), (), ())
    written = draft.slides_csv()
    assert visible(written.replace("\r\n", "")) == written.replace("\r\n", "")
    (row,) = parse(written).rows
    assert (row.path, row.reference) == (name, name)


@pytest.mark.parametrize(
    ("text", "paths", "lines"),
    [
        ('path,stain\na.svs,"H"E\nb.svs,HE\n', ["b.svs"], [2]),
        ('path,stain\na.svs,HE\nb.svs,"HE\n\nc.svs,HE\nd.svs,HE\n', ["a.svs"], [3, 5, 6]),
        ('\n"sep=;"\n\npath;stain\na.svs;HE\nb.svs;"H"E\n', ["a.svs"], [6]),
    ],
)
def test_a_quotation_mark_too_many_loses_no_line(text: str, paths: list[str], lines: list[int]) -> None:
    manifest = parse(text)
    assert [row.path for row in manifest.rows] == paths
    assert [fault.slide for fault in manifest.faults] == [f"in.csv, line {line}" for line in lines]
