"""The files that a slide consists of: one, a DICOM series, or an index file with what it names."""

from __future__ import annotations

import configparser
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from ...errors import NotASlide, SlideError
from ..formats._bounded import read_bounded
from ..formats._detection import FileContent, Format, identify
from ..formats._dicom import DicomHeader, collect_series
from ..formats._mirax import check_mirax
from ._grouping import series_beside

_HAMAMATSU_MEMBER = re.compile(r"imagefile(\(.*\))?|mapfile|optimisationfile|macroimage", re.IGNORECASE)
_MAX_INDEX = 16 * 1024 * 1024
_COPY_ALL = "copy the index file together with all files that belong to it"


@frozen
class Members:
    """What a slide consists of."""

    content: FileContent
    files: tuple[Path, ...]
    """What is sent: the file itself first, or the files of a DICOM series sorted by path."""
    headers: tuple[DicomHeader, ...] = ()
    """Of a DICOM series, one for each file."""
    copies: tuple[Path, ...] = ()
    """Files that are byte for byte another one of its DICOM series."""
    at_home: tuple[Path, ...] = ()
    """DICOM pictures of the label and the whole glass, which are not sent."""

    @property
    def is_packed(self) -> bool:
        """Whether the files are sent as one zip."""
        return self.content.format in (Format.DICOM, Format.MIRAX, Format.VMS, Format.VMU)


def find_members(path: Path, files: tuple[Path, ...] = (), *, include_label: bool = False) -> Members:
    """Return the files of the slide that `path` is a file of, by its content.

    `files` names the files of a DICOM series that are known already; without them it is looked for in the
    folder of `path`. Raises SlideError for what is no slide, and where a file of it is missing or damaged.
    """
    content = FileContent(Format.DICOM) if files else identify(path)
    if content.format is Format.DICOM:
        series = collect_series(files or series_beside(path), include_label=include_label)
        return Members(content, series.files, series.headers, series.copies, series.at_home)
    if content.format in _INDEXES:
        members = Members(content, (path, *_existing(path, _INDEXES[content.format](path))))
        if content.format is Format.MIRAX:
            _check_mirax(path)
        return members
    if content.format is Format.AFI:
        raise NotASlide(
            "it lists fluorescence channels of one scan (Aperio AFI), which OpenSlide can't read together",
            path=str(path),
            remedy="export it as one OME-TIFF, or name the channels that you want one by one",
        )
    if not content.format.is_slide:
        raise NotASlide(content.problem, path=str(path), remedy=content.remedy)
    return Members(content, (path,))


def claimed_files(path: Path, content: FileContent) -> tuple[Path, ...]:
    """Return the files that an index file names, whether they are there or not, without itself."""
    try:
        return tuple(_CLAIMS[content.format](path)) if content.format in _CLAIMS else ()
    except SlideError:
        return ()


def mirax_folder(path: Path) -> Path:
    """Return the folder that belongs to a MIRAX file."""
    return path.with_suffix("")


def _mirax(path: Path) -> Iterator[Path]:
    """Give the files of a MIRAX slide that its index names; others in its folder are not the slide's."""
    folder = mirax_folder(path)
    index = folder / "Slidedat.ini"
    if path.suffix != ".mrxs":
        raise SlideError(
            f"OpenSlide does not read {path.suffix} in capitals",
            path=str(path),
            remedy=f"rename it to {path.stem}.mrxs",
        )
    if not folder.is_dir():
        other = next((each.name for each in path.parent.iterdir() if _is_same(each, folder)), None)
        remedy = f"copy {path.name} together with the folder {folder.name}"
        if other:
            is_accent = unicodedata.normalize("NFC", other) == unicodedata.normalize("NFC", folder.name)
            why = " (its accents are stored in another way)" if is_accent else ""
            remedy = f"rename the folder {other} to {folder.name}{why}"
        raise SlideError(
            f"its folder {folder.name} is not beside it, and holds all of its pixels",
            path=str(path),
            remedy=remedy,
        )
    values = _ini(path, index)
    yield index
    hierarchy = values["HIERARCHICAL"] if values.has_section("HIERARCHICAL") else {}
    data = values["DATAFILE"] if values.has_section("DATAFILE") else {}
    yield folder / hierarchy.get("INDEXFILE", "Index.dat")
    for name, value in data.items():
        if re.fullmatch(r"file_\d+", name.lower()):
            yield folder / value


def _is_same(path: Path, folder: Path) -> bool:
    """Whether a path differs from a folder in capitals alone, or in how its accents are stored."""
    one, other = (unicodedata.normalize("NFC", each.name).casefold() for each in (path, folder))
    return one == other and path.is_dir()


def _check_mirax(path: Path) -> None:
    folder = mirax_folder(path)
    values = _ini(path, folder / "Slidedat.ini")
    if not all(map(values.has_section, ("GENERAL", "HIERARCHICAL", "DATAFILE"))):
        raise SlideError("Slidedat.ini lacks a section", path=str(path), remedy=_COPY_ALL)
    hierarchy, data = values["HIERARCHICAL"], values["DATAFILE"]
    try:
        names = [hierarchy[f"HIER_{number}_NAME"].lower() for number in range(int(hierarchy["HIER_COUNT"]))]
        counts = [int(hierarchy[f"HIER_{number}_COUNT"]) for number in range(len(names))]
        zoom = names.index("slide zoom level")
        levels = range(sum(counts[:zoom]), sum(counts[: zoom + 1]))
        files = [folder / data[f"FILE_{number}"] for number in range(int(data["FILE_COUNT"]))]
    except (KeyError, ValueError):
        raise SlideError("Slidedat.ini is damaged", path=str(path), remedy=_COPY_ALL) from None
    index = folder / hierarchy.get("INDEXFILE", "Index.dat")
    check_mirax(path, index, files, values["GENERAL"], levels)


def _hamamatsu(path: Path) -> Iterator[Path]:
    """Give the files that a VMS or VMU file names."""
    values = _ini(path, path)
    for section in values.sections():
        for name, value in values[section].items():
            if value and _HAMAMATSU_MEMBER.fullmatch(name):
                yield path.parent / value.replace("\\", "/")


def _afi(path: Path) -> Iterator[Path]:
    """Give the files that an AFI file lists."""
    text = read_bounded(path, _MAX_INDEX).decode("utf-8", "replace")
    for name in re.findall(r"<path>([^<]+)</path>", text, re.IGNORECASE):
        yield path.parent / name.strip().replace("\\", "/").rpartition("/")[2]


_INDEXES = {Format.MIRAX: _mirax, Format.VMS: _hamamatsu, Format.VMU: _hamamatsu}
_CLAIMS = {**_INDEXES, Format.AFI: _afi}


def _ini(path: Path, index: Path) -> configparser.ConfigParser:
    values = configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    try:
        text = read_bounded(index, _MAX_INDEX).decode("utf-8-sig", "replace")
        values.read_string(text)
    except FileNotFoundError:
        raise SlideError(f"{index.name} is missing", path=str(path), remedy=_COPY_ALL) from None
    except OSError as error:
        problem = f"{index.name} can't be read ({error.strerror})"
        raise SlideError(problem, path=str(path), remedy=_COPY_ALL) from None
    except configparser.Error:
        text = "\0"
    if "\0" in text:
        raise SlideError(f"{index.name} is damaged", path=str(path), remedy=_COPY_ALL)
    return values


def _state(member: Path, folder: Path) -> str:
    """Return why a member can't be taken, or nothing; one outside of the folder is not looked at."""
    if not member.resolve(strict=False).is_relative_to(folder.resolve()):
        return "outside of its folder"
    if not member.is_file():
        return "missing"
    return "" if member.stat().st_size else "empty"


def _existing(path: Path, members: Iterator[Path]) -> Iterator[Path]:
    """Give members, each once; raises SlideError for one that is missing or leads out of the folder."""
    seen = set[Path]()
    for member in members:
        if state := _state(member, path.parent):
            problem = f"{member.name}, which belongs to it, is {state}"
            raise SlideError(problem, path=str(path), remedy=_COPY_ALL)
        if member not in seen:
            seen.add(member)
            yield member
