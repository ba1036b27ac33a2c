"""`slides inspect` and `slides manifest`: what slides are, and a manifest that survives a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import run_here
from slide_files import make_old, picture, write_dicom, write_tiff

from aignostics_async.bulk.preflight._manifest_draft import _harmless, metadata_fields
from aignostics_async.emulator.process import Emulator

VERSION = "he-tme:v1.1.0"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("platform")) as emulator:
        yield emulator


def command(*arguments: str | Path, emulator: Emulator | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **(emulator.environment if emulator else {}), "COLUMNS": "300"}
    done = run_here(arguments, environment)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def lab(folder: Path) -> Path:
    """Make a folder of slides, of which one lacks a resolution."""
    folder.mkdir()
    make_old(write_tiff(folder / "a.tiff", mpp=0.25, side=512, extra=[(picture(300, 200), "label")]))
    make_old(write_tiff(folder / "none.tiff", mpp=None, side=512))
    make_old(*write_dicom(folder / "12-03", name="IM{}"))
    (folder / "notes.txt").write_text("x")
    return folder


@pytest.mark.process
def test_inspect_shows_what_slides_are_without_signing_in(tmp_path: Path) -> None:
    folder = lab(tmp_path / "lab")
    done = command("slides", "inspect", folder, "--json", "--thumbnails", tmp_path / "pictures")
    assert done.returncode == 6
    told = json.loads(done.stdout)
    a, none, dicom = told["slides"]
    assert (dicom["format"], dicom["width"], len(dicom["files"])) == ("DICOM", 512, 2)
    assert (a["format"], a["mpp_x"], a["identifying"]) == ("TIFF", 0.25, ["label"])
    assert [warning["problem"] for warning in a["warnings"]] == ["it holds a picture of its label"]
    assert [fault["problem"] for fault in none["faults"]] == ["the file has no resolution"]
    assert [(Path(each["path"]).name, each["reason"]) for each in told["left_out"]] == [
        ("notes.txt", "format")
    ]
    pictures = sorted((tmp_path / "pictures").iterdir())
    assert [path.read_bytes()[:3] for path in pictures] == [b"\xff\xd8\xff"] * 2
    shown = command("slides", "inspect", folder / "a.tiff", "--identifying", "label=refuse")
    assert shown.returncode == 6
    assert "512 x 512" in shown.stdout
    assert "fault" in shown.stdout
    assert command("slides", "inspect", folder / "a.tiff").returncode == 0
    assert command("slides", "inspect").returncode == 2
    assert command("slides", "inspect", folder / "gone.svs").returncode == 6


def through_excel(content: bytes, *, is_german: bool) -> bytes:
    """Return a CSV file as a spreadsheet saves it that a person has opened and filled in."""
    delimiter = ";" if is_german else ","
    text = content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    head = rows[0]
    for row in rows[1:]:
        told = dict(zip(head, row, strict=True))
        if Path(told["path"]).name == "none.tiff":
            row[head.index("mpp")] = "0,5" if is_german else "0.5"
        row[head.index("staining_method")] = "H&E"
        row[head.index("specimen.tissue")] = "LUNG"
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return file.getvalue().encode("utf-8-sig")


@pytest.mark.parametrize("is_german", [pytest.param(False, marks=pytest.mark.slow), True])
def test_a_manifest_goes_through_a_spreadsheet_and_back(
    emulator: Emulator, tmp_path: Path, is_german: bool
) -> None:
    folder, path = lab(tmp_path / "lab"), tmp_path / "slides.csv"
    done = command(
        "slides", "manifest", folder, "--application-version", VERSION, "--output", path,
        *(["--semicolons"] if is_german else []), emulator=emulator,
    )  # fmt: skip
    assert done.returncode == 6, done.stderr
    assert "none.tiff: the file has no resolution" in done.stderr
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfpath")
    assert b"\r\n" in content
    path.write_bytes(through_excel(content, is_german=is_german))
    plan = command(
        "bulk",
        "plan",
        VERSION,
        "--manifest",
        path,
        "--store",
        emulator.store_url,
        "--json",
        emulator=emulator,
    )
    told = json.loads(plan.stdout)
    assert (plan.returncode, told["slides"]["ready"]) == (0, 3), told["faults"]
    fields = (tmp_path / "slides.fields.csv").read_text("utf-8-sig")
    assert "H&E | IHC" in fields
    assert "specimen.tissue" in fields
    assert ("at least 0.05, at most 5" in fields) or ("at least 0.05" in fields)


def test_a_field_of_each_kind_is_a_column() -> None:
    schema = {
        "properties": {
            "mpp": {"anyOf": [{"type": "number", "minimum": 0.05, "maximum": 0.55}, {"type": "null"}]},
            "specimen": {"$ref": "#/$defs/specimen"},
            "tree": {"$ref": "#/$defs/tree"},
            "checksum_base64_crc32c": {"type": "string"},
        },
        "required": ["specimen"],
        "$defs": {
            "specimen": {"properties": {"tissue": {"enum": ["LUNG", "SKIN"]}}, "required": ["tissue"]},
            "tree": {"properties": {"child": {"$ref": "#/$defs/tree"}}},
        },
    }
    fields = {each.column: each for each in metadata_fields(schema)}
    assert list(fields) == ["mpp", "specimen.tissue", "tree.child"]
    assert (fields["mpp"].type, fields["mpp"].limits) == ("number", "at least 0.05, at most 0.55")
    assert (fields["specimen.tissue"].is_required, fields["specimen.tissue"].allowed) == (
        True,
        ("LUNG", "SKIN"),
    )


@pytest.mark.parametrize(
    "text", ["=1+1", "+a", "-a.svs", "@b", "0012", "1/2", "12-03", "1E5", "TRUE", "3-Mar"]
)
def test_what_a_spreadsheet_would_change_is_written_so_that_it_does_not(text: str) -> None:
    assert _harmless(text) == f"./{text}"


@pytest.mark.parametrize("text", ["a.svs", "case 7", "/lab/12-03", "marker", "lung/a.svs", "S26-1-A"])
def test_what_a_spreadsheet_keeps_is_written_as_it_is(text: str) -> None:
    assert _harmless(text) == text
