"""The places of a job's slides, and which files there are taken."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import field, frozen

from ....errors import ConfigurationError
from ....slides._resolution import is_plausible
from .._findings import Finding, FindingKind
from ._selection_rules import SelectionRule

_REFERENCE = re.compile(r"relpath|stem|pseudonyms|column:.+")


def _texts(values: Iterable[Any]) -> tuple[str, ...]:
    if isinstance(values, str | Path):
        raise ConfigurationError(f"places takes several paths; put the one in a list: [{str(values)!r}]")
    return tuple(str(value) for value in values)


def _optional(check: Callable[[Any], bool], words: str) -> Callable[[object, Any, Any], None]:
    def validate(_sources: object, attribute: Any, value: Any) -> None:
        if value is not None and not check(value):
            raise ConfigurationError(f"{attribute.name} is {words}, not {value!r}")

    return validate


def _path(value: Any) -> Path | None:
    return None if value is None else Path(value)


@frozen(kw_only=True)
class Sources:
    """The slides of a job: folders, files and patterns, a list of files, or a manifest.

        Sources(places=["slides/"], limit=100)
        Sources(manifest="slides.csv", reference_from="column:case")

    Set `places`, `files_from` or both, or `manifest` alone. Creating it does no I/O. Raises
    ConfigurationError for another combination or a value out of range.
    """

    places: tuple[str, ...] = field(default=(), converter=_texts)
    """Folders, files, and patterns of them such as `slides/**/*.svs`; empty by default."""
    files_from: Path | None = field(default=None, converter=_path)
    """A UTF-8 file with one path per line, or with a zero byte after each; `-` is standard input.

    None by default.
    """
    manifest: Path | None = field(default=None, converter=_path)
    """A CSV file with a line per slide; None by default.

    Its column `path` is required; `reference`, `mpp`, `mpp_x`, `mpp_y`, `mpp_source` and `include_label` are
    optional, and every other column is metadata: `custom_metadata.case` of the item, others of the file.
    """
    rules: Sequence[SelectionRule] = ()
    """Which of the files found are taken; by default all slides are."""
    limit: int | None = field(default=None, validator=_optional(lambda value: value >= 1, "at least 1"))
    """The maximum number of slides; None, the default, for no limit."""
    reference_from: str | None = field(
        default=None,
        validator=_optional(
            lambda value: bool(_REFERENCE.fullmatch(value)), "relpath, stem, pseudonyms, or column:NAME"
        ),
    )
    """Where references come from: `relpath`, `stem`, `pseudonyms` or `column:NAME`; None by default.

    `relpath` is the path below the searched folder, `stem` the file name without suffix, and `column:NAME` a
    column of the manifest. With `pseudonyms` references are random, the same for a slide whenever it is sent
    again, and `pseudonyms.csv` in the user's state folder tells which slide each stands for. None uses the
    manifest's column `reference` if it is filled, else the path.
    """
    mpp: float | None = field(
        default=None, validator=_optional(is_plausible, "a resolution in µm per pixel, such as 0.25")
    )
    """The resolution in µm per pixel of slides whose files and manifest lines have none; None by default.

    A file with a different resolution is a fault, which `mpp_source` in a manifest settles for each slide.
    """
    include_label: bool = False
    """Whether the label and overview images of DICOM series are sent too; False by default.

    A manifest's column `include_label` takes precedence.
    """
    metadata: Mapping[str, str] = field(factory=dict)
    """Metadata of all slides, as texts by column name; empty by default.

    Cells of a manifest take precedence.
    """

    def __attrs_post_init__(self) -> None:
        if self.manifest is not None and (self.places or self.files_from):
            raise ConfigurationError("a manifest names all slides by itself; give it, or places, not both")
        if not (self.places or self.files_from or self.manifest):
            raise ConfigurationError("there are no slides; give folders, files, a list of them or a manifest")
        if self.column is not None and self.manifest is None:
            raise ConfigurationError(f"reference_from is {self.reference_from}, which needs a manifest")

    @property
    def column(self) -> str | None:
        """The column of the manifest that `reference_from` names, or None.

        For `reference_from="column:case"` it is `"case"`.
        """
        kind, _, column = (self.reference_from or "").partition(":")
        return column if kind == "column" else None


@frozen
class ListedPath:
    """A path in a list, and its line, for findings."""

    path: str
    place: str


def read_list(path: Path) -> Iterator[ListedPath | Finding]:
    """Yield the paths of a list; blocks. `-` is standard input. Faults are yielded, not raised."""
    name = "standard input" if str(path) == "-" else path.name
    try:
        content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        yield Finding(FindingKind.SOURCE, f"the list can't be read ({error.strerror})", "", str(path))
        return
    separator = b"\0" if b"\0" in content else b"\n"
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(separator), start=1):
        place = f"{name}, line {number}"
        try:
            text = (line.removesuffix(b"\r") if separator == b"\n" else line).decode()
        except UnicodeDecodeError:
            yield Finding(
                FindingKind.SOURCE, "it is not written in UTF-8", "save the list again, in UTF-8", place
            )
            continue
        if text.strip():
            yield ListedPath(text, place)
