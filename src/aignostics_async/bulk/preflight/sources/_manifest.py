"""Manifests: a table of slides in CSV, as spreadsheets write it.

    path,reference,mpp,stain
    lung/a.svs,case-7,0.25,H&E

`path` is required, and names a file, or a folder with the files of one slide. `reference`, `mpp`, `mpp_x`,
`mpp_y`, `mpp_source` and `include_label` are known. Every other column is metadata: `specimen.tissue` is the
field `tissue` of the object `specimen`, and `custom_metadata.case` the field `case` of what the platform
keeps with the item. An empty cell counts as missing. `mpp_source`, `file` or `given`,
says which resolution is right if the file and the manifest differ; `include_label`, `yes` or `no`, whether
the pictures of the label in a DICOM series are sent. `‹U+200B›` stands for a character that does not show.
"""

from __future__ import annotations

import codecs
import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from attrs import evolve, field, frozen

from ...._core._display_text import from_visible
from ....slides._resolution import MAX_MPP, MIN_MPP, is_plausible
from .._findings import Finding, FindingKind
from ._slide_entry import NO_CELLS, SlideEntry

_KNOWN = ("path", "reference", "mpp", "mpp_x", "mpp_y", "mpp_source", "include_label")
_ANSWERS = {
    **dict.fromkeys(("yes", "true", "1", "ja", "wahr", "oui", "vrai"), True),
    **dict.fromkeys(("no", "false", "0", "nein", "falsch", "non", "faux"), False),
}
_DELIMITERS = (",", ";", "\t")
_SAVE_AGAIN = "save it again as CSV in UTF-8"
_QUOTES = "is a quotation mark missing in it, or too many? Else save it again as CSV"
_NAME_IT = "is a delimiter in a path? Put it in quotes; does a program number its lines? Name that column"
_SCAN = "give µm per pixel, such as 0.25 for a scan at 40 times"


@frozen(kw_only=True)
class ManifestRow:
    """The slide of one line of a manifest."""

    line: int
    path: str
    reference: str
    """Empty if the cell is."""
    mpp: tuple[float, float] | None = None
    mpp_source: Literal["file", "given"] | None = None
    include_label: bool | None = None
    cells: Mapping[str, str] = field(default=NO_CELLS)

    def applied_to(self, entry: SlideEntry) -> SlideEntry:
        """Return an entry with what is said in this line; an empty cell says nothing."""
        return evolve(
            entry,
            mpp=self.mpp or entry.mpp,
            mpp_source=self.mpp_source or entry.mpp_source,
            include_label=entry.include_label if self.include_label is None else self.include_label,
            cells={**entry.cells, **self.cells} if self.cells else entry.cells,
        )


@frozen
class Manifest:
    """The rows of a manifest that can be used, and a finding for each that can't."""

    rows: tuple[ManifestRow, ...]
    faults: tuple[Finding, ...]
    columns: frozenset[str] = frozenset()
    """The names of its columns, those with empty cells included."""


def read_manifest(path: Path, column: str | None = None, *, is_correction: bool = False) -> Manifest:
    """Read a manifest; blocks.

    `column` names that of the references, which a correction may lack. Faults are returned, not raised.
    """
    try:
        return parse_manifest(path.read_bytes(), path.name, column, is_correction=is_correction)
    except OSError as error:
        return _unusable(str(path), f"the manifest can't be read ({error.strerror})")


def parse_manifest(
    content: bytes, name: str, column: str | None = None, *, is_correction: bool = False
) -> Manifest:
    """Return the content of a manifest; `name` stands for the file in findings."""
    try:
        text = _decoded(content)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return _unusable(f"{name}, line {line}", "it is not written in UTF-8", _SAVE_AGAIN)
    if "\0" in text:
        return _unusable(name, "it is no text", _SAVE_AGAIN)
    return _Reader(name, column, is_correction=is_correction).read(text)


class _Reader:
    """Reads one manifest, and collects its faults."""

    def __init__(self, name: str, column: str | None, *, is_correction: bool) -> None:
        self._name = name
        self._reference = column or "reference"
        self._needs_reference = column is not None and not is_correction
        self._faults: list[Finding] = []

    def read(self, text: str) -> Manifest:
        rows: list[ManifestRow] = []
        columns: list[str] = []
        for line, cells in self._lines(text):
            if not columns:
                columns = self._columns(cells)
                if not columns:
                    break
            elif any(cell.strip() for cell in cells):
                rows += self._row(line, columns, [from_visible(cell.strip()) for cell in cells])
        if not columns and not self._faults:
            self._columns([])
        if columns and not rows and not self._faults:
            self._fault(None, "it has no rows", "give a line for each slide")
        return Manifest(tuple(rows), tuple(self._faults), frozenset(columns))

    def _lines(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Give the cells of each row, with the line where it begins: a cell may contain line breaks."""
        delimiter, skipped, text = _delimiter(text)
        written = list(io.StringIO(text, newline=""))
        lines = csv.reader(written, delimiter=delimiter, strict=True)
        while True:
            before = lines.line_num
            try:
                cells = next(lines, None)
            except csv.Error as error:  # of a quotation mark that is not closed, and of all lines behind it
                for number in range(before, lines.line_num):
                    if written[number].strip():
                        self._fault(number + 1 + skipped, f"it can't be read as CSV ({error})", _QUOTES)
                continue
            if cells is None:
                return
            yield before + 1 + skipped, cells

    def _columns(self, header: Sequence[str]) -> list[str]:
        """Return the names of the columns; empty if the header can't be used."""
        columns = [_known(name.strip()) for name in header]
        before = len(self._faults)
        needed = ["path"] + ([self._reference] if self._needs_reference else [])
        for name in needed:
            if name not in columns:
                there = ", ".join(filter(None, columns)) or "nothing"
                self._fault(
                    None,
                    f"it has no column {name}",
                    f"its first line must name the columns; it names {there}",
                )
        for name in sorted({name for name in columns if name and columns.count(name) > 1}):
            self._fault(None, f"it has several columns {name}", "keep one")
        if "mpp" in columns and ("mpp_x" in columns or "mpp_y" in columns):
            self._fault(None, "it has a column mpp, and mpp_x or mpp_y too", "keep mpp, or the two others")
        elif ("mpp_x" in columns) != ("mpp_y" in columns):
            self._fault(None, "it has only one of the columns mpp_x and mpp_y", "give both, or mpp")
        return columns if len(self._faults) == before else []

    def _row(self, line: int, columns: Sequence[str], cells: Sequence[str]) -> Iterator[ManifestRow]:
        """Yield the row of a line, unless the line has a fault."""
        before = len(self._faults)
        surplus = [cell for cell in cells[len(columns) :] if cell]
        nameless = [cell for name, cell in zip(columns, cells, strict=False) if cell and not name]
        if surplus or nameless:
            self._fault(line, "it has a cell that no column is for", _NAME_IT)
        told = {name: cell for name, cell in zip(columns, cells, strict=False) if name and cell}
        if "path" not in told:
            self._fault(line, "it names no path", "give the path of the slide, or remove the line")
        if self._needs_reference and self._reference not in told:
            self._fault(line, f"it has no {self._reference}, which references come from", "fill the cell")
        mpp, mpp_source = self._resolution(line, told), self._source(line, told)
        include_label = self._answer(line, told)
        if len(self._faults) == before:
            metadata = {name: cell for name, cell in told.items() if name not in (*_KNOWN, self._reference)}
            yield ManifestRow(
                line=line,
                path=told["path"],
                reference=told.get(self._reference, ""),
                mpp=mpp,
                mpp_source=mpp_source,
                include_label=include_label,
                cells=metadata or NO_CELLS,
            )

    def _resolution(self, line: int, told: Mapping[str, str]) -> tuple[float, float] | None:
        if "mpp" in told:
            mpp = self._number(line, "mpp", told["mpp"])
            return mpp, mpp
        if "mpp_x" in told and "mpp_y" in told:
            return self._number(line, "mpp_x", told["mpp_x"]), self._number(line, "mpp_y", told["mpp_y"])
        if "mpp_x" in told or "mpp_y" in told:
            self._fault(line, "it has only one of mpp_x and mpp_y", "fill both cells")
        return None

    def _source(self, line: int, told: Mapping[str, str]) -> Literal["file", "given"] | None:
        source = told.get("mpp_source", "").lower()
        if source == "file":
            return "file"
        if source == "given":
            return "given"
        if source:
            self._fault(line, f"its mpp_source is {source!r}", "write file or given, or leave the cell empty")
        return None

    def _answer(self, line: int, told: Mapping[str, str]) -> bool | None:
        text = told.get("include_label", "").lower()
        if text and text not in _ANSWERS:
            self._fault(line, f"its include_label is {text!r}", "write yes or no, or leave the cell empty")
        return _ANSWERS.get(text)

    def _number(self, line: int, column: str, text: str) -> float:
        try:
            value = float(text.replace(",", "."))  # spreadsheets of many countries write a decimal comma
        except ValueError:
            value = math.nan
        if not is_plausible(value):
            problem = f"its {column} is {text!r}, not a resolution from {MIN_MPP} to {MAX_MPP:g}"
            self._fault(line, problem, _SCAN)
        return value

    def _fault(self, line: int | None, problem: str, remedy: str) -> None:
        place = self._name if line is None else f"{self._name}, line {line}"
        self._faults.append(Finding(FindingKind.SOURCE, problem, remedy, place))


def _known(name: str) -> str:
    return name.lower() if name.lower() in _KNOWN else name


def _delimiter(text: str) -> tuple[str, int, str]:
    """Return the delimiter, the number of lines before the columns, and the text without these lines."""
    told, skipped = "", 0
    if "\n" not in text:  # as programs of old Macs end lines
        text = text.replace("\r", "\n")
    while text:
        first, _, rest = text.partition("\n")
        if first.strip().strip('"').lower().startswith("sep="):
            told = first.strip().strip('"')[4:5] or ","
        elif first.strip():
            break
        skipped, text = skipped + 1, rest
    return told or max(_DELIMITERS, key=text.partition("\n")[0].count), skipped, text


def _decoded(content: bytes) -> str:
    """Decode a file that a spreadsheet may have written: UTF-8, or UTF-16 with a byte order mark."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    return content.decode("utf-8-sig")


def _unusable(place: str, problem: str, remedy: str = "") -> Manifest:
    return Manifest((), (Finding(FindingKind.SOURCE, problem, remedy, place),))
