"""Where a job's slides are, and which of the files there count."""

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

_REFERENCE = re.compile(r"relpath|stem|column:.+")


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

    Raises ConfigurationError for a combination or value that can't be used.
    """

    places: tuple[str, ...] = field(default=(), converter=_texts)
    """Folders, files, and patterns of them such as `slides/**/*.svs`."""
    files_from: Path | None = field(default=None, converter=_path)
    """A file with one path per line, or with a zero byte behind each; `-` is standard input."""
    manifest: Path | None = field(default=None, converter=_path)
    """A CSV file with a column `path`, and maybe `reference`, `mpp`, `mpp_source`; it names all slides."""
    rules: Sequence[SelectionRule] = ()
    """What to take and what to leave out of all that is found there."""
    limit: int | None = field(default=None, validator=_optional(lambda value: value >= 1, "at least 1"))
    """How many slides at most."""
    reference_from: str | None = field(
        default=None,
        validator=_optional(lambda value: bool(_REFERENCE.fullmatch(value)), "relpath, stem, or column:NAME"),
    )
    """Where references come from: the path below its place, the file's name without suffix, or a column of
    the manifest. None takes the manifest's column `reference` where it says something, else the path."""
    mpp: float | None = field(
        default=None, validator=_optional(is_plausible, "a resolution in µm per pixel, such as 0.25")
    )
    """The resolution of slides whose files have none, where the manifest does not say one.

    A file that says another one is a fault, which a manifest settles for each slide."""
    metadata: Mapping[str, str] = field(factory=dict)
    """Metadata of all slides, as it would stand in a manifest; a manifest's own cells win."""

    def __attrs_post_init__(self) -> None:
        if self.manifest is not None and (self.places or self.files_from):
            raise ConfigurationError("a manifest names all slides by itself; give it, or places, not both")
        if not (self.places or self.files_from or self.manifest):
            raise ConfigurationError("there are no slides; give folders, files, a list of them or a manifest")
        if self.column is not None and self.manifest is None:
            raise ConfigurationError(f"reference_from is {self.reference_from}, which needs a manifest")

    @property
    def column(self) -> str | None:
        """The column of the manifest that `reference_from` names, or None."""
        kind, _, column = (self.reference_from or "").partition(":")
        return column if kind == "column" else None


@frozen
class ListedPath:
    """A path as a list names it, and the place where."""

    path: str
    place: str


def read_list(path: Path) -> Iterator[ListedPath | Finding]:
    """Give the paths of a list, blocking; `-` is standard input. What is wrong is told, not raised."""
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
