"""The places of a job's slides, and which files there are taken."""

from __future__ import annotations

import codecs
import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import converters, field, frozen
from attrs.validators import optional

from ...._core._arguments import as_path
from ....errors import ConfigurationError, JobDatabaseError, UsageError
from ....slides._resolution import is_plausible
from .._findings import Finding, FindingKind
from ._selection_rules import SelectionRule

_SAVE_AGAIN = "save the list again, in UTF-8"
_REFERENCE = re.compile(r"relpath|stem|pseudonyms|column:.+")
_OF_ALL = ("reference_from", "mpp", "include_label", "metadata")


def _texts(values: Iterable[Any]) -> tuple[str, ...]:
    if isinstance(values, str | Path) or not isinstance(values, Iterable):
        raise ConfigurationError(f"places takes several paths; put the one in a list: [{str(values)!r}]")
    return tuple(_text(value) for value in values)


def _optional(check: Callable[[Any], bool], words: str) -> Callable[[object, Any, Any], None]:
    return optional(_checked(check, words))


def _checked(check: Callable[[Any], bool], words: str) -> Callable[[object, Any, Any], None]:
    def validate(_sources: object, attribute: Any, value: Any) -> None:
        if not check(value):
            raise ConfigurationError(f"{attribute.name} is {words}, not {value!r}")

    return validate


def _text(place: Any) -> str:
    try:
        return os.fsdecode(place)  # as it was written: a slash at the end of a pattern means folders
    except TypeError:
        raise ConfigurationError(f"a place is a path, not {type(place).__name__}") from None


def _path(path: Any) -> Path:
    try:
        return as_path(path, "a list or manifest")
    except UsageError as error:
        raise ConfigurationError(str(error)) from None


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_resolution(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and is_plausible(value)


def _are_rules(value: Any) -> bool:
    return isinstance(value, Sequence) and all(isinstance(each, SelectionRule) for each in value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(each, str) for each in (*value, *value.values()))


@frozen(kw_only=True)
class Sources:
    """The slides of a job: folders, files and patterns, a list of files, or a manifest.

        Sources(places=["slides/"], limit=100)
        Sources(manifest="slides.csv", reference_from="column:case")

    Set `places`, `files_from` or both, or `manifest` alone. Paths are relative to the current folder of the
    process that reads them; those in a manifest to its folder. `rules` and `limit` choose among the slides;
    by default all are taken. `reference_from` says where references come from: by default the paths below the
    searched folder, or a manifest's `reference`. `mpp`, in µm per pixel and None by default, is for files
    without one. `include_label` is False, and `metadata` empty by default.

    Creating it does no I/O. Raises ConfigurationError for another combination, or a value of another type or
    out of range.
    """

    places: tuple[str, ...] = field(default=(), converter=_texts)
    """Folders, files, and patterns of them such as `slides/**/*.svs`; empty by default."""
    files_from: Path | None = field(default=None, converter=converters.optional(_path))
    """A UTF-8 file with one path per line, or with a zero byte after each; `-` is standard input. UTF-16 with
    a byte order mark is read too.

    None by default.
    """
    manifest: Path | None = field(default=None, converter=converters.optional(_path))
    """A CSV file with a line per slide; None by default.

    Its column `path` is required; `reference`, `mpp`, `mpp_x`, `mpp_y`, `mpp_source` and `include_label` are
    optional, and every other column is metadata: `custom_metadata.case` of the item, others of the file.
    `mpp_source` is `file` or `given`, the resolution to use if the file's own and that of the line or of
    `mpp` differ; `include_label` is `yes` or `no`. An empty cell says nothing.
    """
    rules: Sequence[SelectionRule] = field(
        default=(), validator=_checked(_are_rules, "a list of SelectionRule(...)")
    )
    """Which files are taken, also of those that are named; by default all slides are."""
    limit: int | None = field(default=None, validator=_optional(_is_count, "a whole number, at least 1"))
    """The maximum number of slides; None, the default, for no limit."""
    reference_from: str | None = field(
        default=None,
        validator=_optional(
            lambda value: isinstance(value, str) and bool(_REFERENCE.fullmatch(value)),
            "relpath, stem, pseudonyms, or column:NAME",
        ),
    )
    """Where references come from: `relpath`, `stem`, `pseudonyms` or `column:NAME`; None by default.

    `relpath` is the path below the searched folder, which for a list is the current one and for a manifest
    its own; for a file in `places` it is the name. `stem` is the file name without suffix, and `column:NAME`
    a column of the manifest. With `pseudonyms` references are random, the same for a slide whenever it is
    sent again, and `pseudonyms.csv` in the user's state folder tells which slide each stands for. None uses
    the manifest's column `reference` if it is filled, else `relpath`.
    """
    mpp: float | None = field(
        default=None, validator=_optional(_is_resolution, "a resolution in µm per pixel, such as 0.25")
    )
    """The resolution of slides whose files and manifest lines have none, from 0.05 to 5 µm per pixel; None by
    default.

    A file whose own differs by more than 2 % is a fault, which `mpp_source` in a manifest settles for each
    slide.
    """
    include_label: bool = field(
        default=False, validator=_checked(lambda value: isinstance(value, bool), "True or False")
    )
    """Whether the label and overview images of DICOM series are sent too; False by default.

    A manifest's column `include_label` takes precedence.
    """
    metadata: Mapping[str, str] = field(
        factory=dict, validator=_checked(_are_texts, "a mapping from column names to texts")
    )
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
        """The column of the manifest that `reference_from` names, such as `case` for `column:case`; None
        without one.
        """
        kind, _, column = (self.reference_from or "").partition(":")
        return column if kind == "column" else None


def as_kept(sources: Sources) -> str:
    """Return what is said of all slides as JSON, which is kept with the job."""
    return json.dumps({name: getattr(sources, name) for name in _OF_ALL}, default=dict)


def from_kept(text: str, manifest: Path) -> Sources:
    """Return the sources of a manifest with what `as_kept` returned; raises JobDatabaseError."""
    try:
        return Sources(manifest=manifest, **json.loads(text))
    except (ValueError, TypeError, RecursionError, ConfigurationError) as error:
        raise JobDatabaseError(
            f"what the job says of all slides can't be read ({error}); restore a copy of it"
        ) from None


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
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = content.decode("utf-16", "replace").encode()
    if 3 * content.count(0) > len(content):  # then a zero is no end of a path, but half of a letter
        yield Finding(FindingKind.SOURCE, "it is not written in UTF-8", _SAVE_AGAIN, name)
        return
    if b"\0" not in content and b"\n" not in content:  # as programs of old Macs end lines
        content = content.replace(b"\r", b"\n")
    separator = b"\0" if b"\0" in content else b"\n"
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(separator), start=1):
        place = f"{name}, line {number}"
        try:
            text = (line.removesuffix(b"\r") if separator == b"\n" else line).decode()
        except UnicodeDecodeError:
            yield Finding(FindingKind.SOURCE, "it is not written in UTF-8", _SAVE_AGAIN, place)
            continue
        if text.strip():
            yield ListedPath(text, place)
