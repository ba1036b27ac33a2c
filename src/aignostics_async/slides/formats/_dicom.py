"""DICOM whole-slide images: what the header of a file says, and which files are one slide."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from attrs import frozen

from ..._core._display_text import some_of
from ...errors import MissingExtra, NotASlide, SlideError
from .._fingerprints import sampled_digest
from ..privacy._dicom_identifying import dicom_kinds, image_type_of
from ..privacy._identifying import IdentifyingKind
from ._bounded import BoundedFile, WholeFileWanted
from ._detection import Format, identify
from ._dicom_pixels import Pixels

_WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
_DIRECTORY = "1.2.840.10008.1.3.10"
_READ = frozenset({"", _WHOLE_SLIDE, _DIRECTORY})  # kinds that the first bytes do not settle
EXPORT_AS = "export it in JPEG or JPEG 2000 (a transfer syntax of DICOM), or as a pyramidal TIFF"
"""What to do about a transfer syntax that is not read."""
_GIVE_ALL = "copy all files of the series, or give the folder above all of them"
_COPY_AGAIN = "it was not copied or written to its end; copy it again"

# Frames of a big slide may be described by thousands of elements, all of them after this one.
_LAST_ELEMENT = 0x52009229  # SharedFunctionalGroupsSequence


@frozen(kw_only=True)
class DicomHeader:
    """What the header of a DICOM file says."""

    series: str
    """SeriesInstanceUID: files that share it are one slide."""
    instance: str
    """SOPInstanceUID: unique to the file, copies excepted."""
    number: int | None
    """InstanceNumber, which counts the files of a series; None where the file has none."""
    flavour: str
    """The kind of picture in the file, such as VOLUME, LABEL, OVERVIEW or THUMBNAIL."""
    is_resampled: bool
    """Whether it was made smaller from another file of the series."""
    width: int
    """Pixels of the whole picture."""
    height: int
    mpp_x: float | None
    """µm per pixel across."""
    mpp_y: float | None
    frames: int
    expected_frames: int | None
    """Tiles that the picture needs; None where a tile may be left out, or lie in another file."""
    concatenation: str
    """The ConcatenationUID of a picture that is cut into several files; empty for a whole one."""
    part: int
    """Which part of a concatenation it is, from 1."""
    parts: int | None
    """How many parts a concatenation has; None where the file does not say."""
    channels: int
    """Optical paths; more than one is fluorescence."""
    identifying: tuple[IdentifyingKind, ...]
    """What in the header may identify a person."""
    ends_black: bool = False
    """Whether tiles that are not compressed end in zeros, as those do that were not written."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> DicomHeader:
        """Return what `attrs.asdict` and JSON made of a header."""
        return cls(**{**data, "identifying": tuple(map(IdentifyingKind, data["identifying"]))})

    @property
    def rank(self) -> tuple[bool, int, str]:
        """Its place in the series, whatever its file is called: full resolution first."""
        return not self.is_base, -self.width, self.instance

    @property
    def is_base(self) -> bool:
        """Whether it holds the slide at its full resolution."""
        return self.flavour == "VOLUME" and not self.is_resampled

    @property
    def stays_at_home(self) -> bool:
        """Whether it is no picture of the tissue alone, and so is not sent unless somebody asks for it."""
        shows_label = IdentifyingKind.LABEL in self.identifying and self.flavour != "VOLUME"
        return shows_label or self.flavour not in ("VOLUME", "THUMBNAIL")


def read_header(path: Path) -> DicomHeader:
    """Return the header of a DICOM whole-slide image; no pixels are read.

    Raises SlideError for a file that is no DICOM file, or one that is not of a slide.
    """
    content = identify(path)
    if content.format is not Format.DICOM:
        raise SlideError(
            content.problem or f"it is {content.format}, not DICOM", path=str(path), remedy=content.remedy
        )
    if content.kind not in _READ:
        raise _no_slide(content.kind, str(path))
    try:
        status = path.stat()
        return _header(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise SlideError(f"it can't be read ({error.strerror})", path=str(path)) from None


def may_be_dicom(path: Path) -> bool:
    """Whether a file is DICOM by its content. Raises SlideError for another one that is named as DICOM is."""
    content = identify(path)
    if content.format is not Format.DICOM and path.suffix.lower() in (".dcm", ".dicom"):
        raise SlideError(content.problem or f"it is {content.format}", path=str(path), remedy=content.remedy)
    return content.format is Format.DICOM


def may_be_slide(path: Path) -> bool:
    """Whether a file may be a slide in DICOM by its first bytes, which name other kinds of pictures."""
    return may_be_dicom(path) and identify(path).kind in _READ


# Each slide of a folder asks for the headers of all files in it. A file that changes is read again.
@lru_cache(maxsize=65_536)
def _header(path: Path, size: int, _changed: int) -> DicomHeader:
    with path.open("rb") as file:
        return header_of(file, size, str(path))


def header_of(file: IO[bytes], size: int, path: str) -> DicomHeader:
    """Return the header of an open DICOM file of `size` bytes; raises what `read_header` raises."""
    try:
        from pydicom.filereader import read_partial
    except ImportError:
        raise MissingExtra("reading DICOM files", extra="slides") from None
    try:
        header = read_partial(
            cast("BinaryIO", BoundedFile(file)),
            stop_when=lambda tag, _vr, _length: tag > _LAST_ELEMENT,
        )
        kind = str(header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID", ""))
        if kind == _WHOLE_SLIDE:
            begin = file.tell()
            pixels = Pixels(file, size, header, begin)
            if problem := pixels.problem():
                raise SlideError(problem, path=path, remedy=_COPY_AGAIN)
            is_black = pixels.ends_black()
            header.update(pixels.more_elements())
            return _described(header, ends_black=is_black)
        if kind != _DIRECTORY and "SeriesInstanceUID" not in header:
            raise SlideError("its header ends too early", path=path, remedy=_COPY_AGAIN)
    except SlideError:
        raise
    except WholeFileWanted:
        raise SlideError(
            "it is deflated DICOM, which OpenSlide can't read", path=path, remedy=EXPORT_AS
        ) from None
    except Exception as error:  # noqa: BLE001 - damaged bytes fail in many ways
        missing = isinstance(error, AttributeError) and error.name
        reason = f"it lacks {missing}" if missing else error
        raise SlideError(
            f"its DICOM header can't be read ({reason})",
            path=path,
            remedy="copy it again; if it stays so, export it again" if missing else _COPY_AGAIN,
        ) from None
    if kind == _DIRECTORY:
        raise NotASlide("it is the table of contents of a DICOM medium (DICOMDIR)", path=path)
    raise _no_slide(kind, path)


def _no_slide(kind: str, path: str) -> SlideError:
    """Return what a file is that is no slide; one of no known kind may be a damaged slide."""
    try:
        from pydicom.config import IGNORE
        from pydicom.uid import UID
    except ImportError:
        raise MissingExtra("reading DICOM files", extra="slides") from None

    name = UID(kind, validation_mode=IGNORE).name
    if name == kind:
        problem = f"its header names a kind of DICOM that is unknown ({kind or 'none'})"
        return SlideError(problem, path=path, remedy="copy it again, or leave it out")
    return NotASlide(f"it is DICOM, and not a slide ({name})", path=path, remedy="leave it out")


def _identifier(header: Any, name: str) -> str:
    """Return an identifier; raises AttributeError for one that is missing or empty."""
    uid = str(getattr(header, name) or "")
    if not uid:  # files without one would be taken for parts of each other
        raise AttributeError(name=name)
    return uid


def _described(header: Any, *, ends_black: bool) -> DicomHeader:
    image_type = [*image_type_of(header), "", "", "", ""]
    width, height = int(header.TotalPixelMatrixColumns), int(header.TotalPixelMatrixRows)
    mpp_y, mpp_x = _spacing(header)
    return DicomHeader(
        series=_identifier(header, "SeriesInstanceUID"),
        instance=_identifier(header, "SOPInstanceUID"),
        number=_number(header),
        flavour=image_type[2],
        is_resampled=image_type[3] == "RESAMPLED",
        width=width,
        height=height,
        mpp_x=mpp_x,
        mpp_y=mpp_y,
        frames=int(header.get("NumberOfFrames") or 1),
        expected_frames=_expected_frames(header, width, height),
        concatenation=str(header.get("ConcatenationUID") or ""),
        part=int(header.get("InConcatenationNumber") or 1),
        parts=int(header.get("InConcatenationTotalNumber") or 0) or None,
        channels=int(header.get("NumberOfOpticalPaths") or 1),
        identifying=dicom_kinds(header),
        ends_black=ends_black,
    )


def _number(header: Any) -> int | None:
    """Return InstanceNumber, on which nothing depends: one that is damaged is none."""
    try:
        return int(header.InstanceNumber)
    except (AttributeError, TypeError, ValueError):
        return None


def _spacing(header: Any) -> tuple[float | None, float | None]:
    """Return µm per pixel down and across, as the file says."""
    for group in header.get("SharedFunctionalGroupsSequence") or ():
        for measures in group.get("PixelMeasuresSequence") or ():
            spacing = measures.get("PixelSpacing")
            if isinstance(spacing, Sequence) and len(spacing) == 2:  # a single number says too little
                return float(spacing[0]) * 1000, float(spacing[1]) * 1000
    return None, None


def _expected_frames(header: Any, width: int, height: int) -> int | None:
    """Return how many frames the picture needs where all of its tiles are in the file."""
    is_full = header.get("DimensionOrganizationType") == "TILED_FULL"
    if not is_full or header.get("ConcatenationUID") or not header.Rows or not header.Columns:
        return None
    return -(-width // int(header.Columns)) * -(-height // int(header.Rows))


@frozen
class DicomSeries:
    """The files of one slide."""

    files: tuple[Path, ...]
    """What is sent, the largest level first, whatever the files are called."""
    headers: tuple[DicomHeader, ...]
    """Theirs, in the same order."""
    copies: tuple[Path, ...] = ()
    """Files that are byte for byte another one of the series."""
    at_home: tuple[Path, ...] = ()
    """Pictures of the label and the whole glass."""


def collect_series(paths: Collection[Path], *, include_label: bool = False) -> DicomSeries:
    """Return the slide that DICOM files of one series are; raises SlideError where it is not whole.

    Copies count once. Files with one SOPInstanceUID and different bytes are refused.
    """
    instances: dict[str, Path] = {}
    copies: list[Path] = []
    headers = {path: _member(path, sorted(paths)) for path in sorted(paths)}
    for path, header in headers.items():
        first = instances.setdefault(header.instance, path)
        if first is path:
            continue
        if sampled_digest(first) != sampled_digest(path):
            raise SlideError(
                f"{first} is the same instance of its series, with other bytes",
                path=str(path),
                remedy="keep the right one of the two",
            )
        copies.append(path)
    kept = [path for path in instances.values() if include_label or not headers[path].stays_at_home]
    at_home = [path for path in instances.values() if path not in kept]
    if not kept:
        raise _no_base(min(headers), list(headers.values()))
    kept.sort(key=lambda path: headers[path].rank)
    series = DicomSeries(tuple(kept), tuple(headers[path] for path in kept), tuple(copies), tuple(at_home))
    check_headers(min(headers), _names(series.files), series.headers)
    return series


def _names(files: Sequence[Path]) -> list[str]:
    """Return what files are called below the folder that holds all of them."""
    above = os.path.commonpath([file.parent for file in files])
    return [file.relative_to(above).as_posix() for file in files]


def _member(path: Path, files: Sequence[Path]) -> DicomHeader:
    """Return the header of one file of a series; an error of it is an error of the series."""
    try:
        return read_header(path)
    except SlideError as error:
        raise SlideError(
            f"{path.name}, which may be a part of it, is not usable: {error.problem}",
            path=str(files[0]),
            remedy="copy it again, or take it out of the folder",
        ) from None


def check_headers(path: Path, names: Sequence[str], headers: Sequence[DicomHeader]) -> None:
    """Raise SlideError unless the base level is there, and every file has all of its tiles."""
    bases = [header for header in headers if header.is_base]
    if not bases:
        raise _no_base(path, headers)
    _check_concatenations(path, headers)
    _check_sizes(path, names, headers)
    for name, header in zip(names, headers, strict=True):
        if header.expected_frames is not None and header.frames < header.expected_frames:
            raise SlideError(
                f"{name} has {header.frames} of {header.expected_frames} tiles",
                path=str(path),
                remedy="copy all files of the series again",
            )


def _no_base(path: Path, headers: Sequence[DicomHeader]) -> SlideError:
    """Return why a series has no level of full resolution."""
    flavours = {header.flavour for header in headers}
    if flavours == {""}:
        return SlideError(
            "its files do not say what they are pictures of (ImageType)",
            path=str(path),
            remedy="export the slide again, with another program or another setting",
        )
    if "VOLUME" not in flavours:
        return SlideError(
            "every picture of tissue is missing from its DICOM series",
            path=str(path),
            remedy=f"{_GIVE_ALL}; if it is a picture of a label alone, leave it out",
        )
    return SlideError(
        "its level of full resolution is missing from its DICOM series", path=str(path), remedy=_GIVE_ALL
    )


def _check_sizes(path: Path, names: Sequence[str], headers: Sequence[DicomHeader]) -> None:
    """Raise SlideError for two pictures of tissue of one size, of which nobody knows which is the level."""
    first: dict[tuple[int, int], tuple[str, str]] = {}
    for name, header in zip(names, headers, strict=True):
        if header.flavour != "VOLUME":
            continue
        picture = header.concatenation or header.instance
        known, other = first.setdefault((header.width, header.height), (picture, name))
        if known != picture:
            such = " and ".join(sorted((other, name)))
            raise SlideError(
                f"its series has several pictures of {header.width} x {header.height} pixels, such as {such}",
                path=str(path),
                remedy="keep the files of one export; focal planes and channels can't be read together",
            )


def _check_concatenations(path: Path, headers: Sequence[DicomHeader]) -> None:
    """Raise SlideError unless all parts of each picture are there that is cut into several files."""
    parts: dict[str, list[DicomHeader]] = {}
    for header in headers:
        if header.concatenation:
            parts.setdefault(header.concatenation, []).append(header)
    for its in parts.values():
        there = {header.part for header in its}
        total = max([header.parts or 0 for header in its] + [max(there)])
        if missing := set(range(1, total + 1)) - there:
            named = some_of(sorted(missing), 20)
            raise SlideError(
                f"part {named} of {total} of one of its pictures is missing (a concatenation)",
                path=str(path),
                remedy=_GIVE_ALL,
            )
