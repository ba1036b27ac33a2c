"""What a person should know about a slide that can be sent nevertheless."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from .._core._display_text import some_of
from ._resolution import differ, is_plausible
from .files._members import Members
from .files._missing_levels import missing_numbers, missing_steps
from .formats._detection import Format, ends_in_zeros
from .formats._dicom import DicomHeader, read_header
from .formats._ome import Mpp, number_of, ome_files, ome_resolution
from .formats._tiff import TiffFile

if TYPE_CHECKING:
    from openslide import OpenSlide

_REGION = re.compile(r"\[\d{1,9},\d{1,9}[ ,](\d{1,9})x\d{1,9}\]")  # of the scan, as Aperio writes it
_MPP = re.compile(r"(?<=\|)\s*MPP\s*=\s*([\d.,]{1,20})")
# A camera's pixels come to about 10 µm, and to 2 µm at the least and 16 µm at the most.
_MIN_MPP_TIMES_POWER, _MAX_MPP_TIMES_POWER = 2.0, 16.0
_RECENT = 10.0  # seconds
# What the platform's guide names. Others are read by OpenSlide, and nobody promises that they are analysed.
_TIFFS = frozenset({".svs", ".tif", ".tiff", ""})
_NAMED = _TIFFS | {".dcm", ".dicom", ".zip"}


@frozen
class Remark:
    """A warning about a slide that can be sent nevertheless, as `SlideInfo.remarks` lists it.

        for remark in (await read_slide(Slide("case-7.svs"))).remarks:
            print(remark.problem, remark.remedy)

    `problem` and `remedy` are texts for people. `remedy` is empty, the default, if there is nothing to do.
    """

    problem: str
    """What is wrong."""
    remedy: str = ""
    """What to do about it; empty if there is nothing to do."""


def remarks_on(
    members: Members, tiff: TiffFile | None, image: OpenSlide, description: str, mpp: Mpp
) -> Iterator[Remark]:
    """Give all remarks on a slide of one or more files, of which a TIFF has a structure."""
    if differ(*mpp):
        yield Remark(
            f"its resolution is {mpp[0]:.4g} µm per pixel across and {mpp[1]:.4g} down",
            "no scanner does that; is it right?",
        )
    ome = ome_resolution(description, image.dimensions)
    if ome is not None and any(map(differ, ome, mpp)):
        yield Remark(
            f"its OME description says {ome[0]:.4g} µm per pixel, and {mpp[0]:.4g} counts", "which is right?"
        )
    yield from _scan(tiff, image, description, mpp)
    yield from series_remarks(members.headers, tuple(map(read_header, members.at_home)))
    yield from _colours(members.headers, tiff)
    if _ends_black(members, tiff):
        yield Remark(
            "tiles of it end in black pixels, as those do that were not written to their end",
            "is it black there? Then it can be sent; else copy it again",
        )
    yield from recent(members.files)
    if not members.headers:
        yield from suffix_remarks(members.files[0].suffix.lower(), _TIFFS, members.content.format)
    if members.at_home:
        yield Remark(f"pictures of its label or the whole glass are not sent ({len(members.at_home)})")


def _ends_black(members: Members, tiff: TiffFile | None) -> bool:
    """Whether pixels that are not compressed end in zeros, as those do that were not written."""
    if members.content.format is Format.VMU:
        return any(map(_file_ends_black, members.files[1:]))
    return (tiff is not None and tiff.ends_black()) or any(header.ends_black for header in members.headers)


def _file_ends_black(path: Path) -> bool:
    with path.open("rb") as file:
        size = path.stat().st_size
        return ends_in_zeros(file, size, size)


def suffix_remarks(suffix: str, fitting: frozenset[str], content: str) -> Iterator[Remark]:
    """Give a remark on the suffix of a file: programs that go by names may take it for something else."""
    if suffix in _NAMED - fitting:
        yield Remark(f"its name ends in {suffix}, and it is {content}", "name it as what it is")
    elif suffix not in _NAMED:
        yield Remark(
            f"the platform's guide does not name its format ({suffix})",
            "run one slide first, or convert it to DICOM or a pyramidal TIFF",
        )


def series_remarks(
    headers: tuple[DicomHeader, ...], at_home: tuple[DicomHeader, ...] = ()
) -> Iterator[Remark]:
    """Give remarks on what a DICOM series seems to lack; `at_home` are headers of files that are not sent."""
    yield from _levels(headers)
    yield from _missing(headers, at_home)


def _levels(headers: tuple[DicomHeader, ...]) -> Iterator[Remark]:
    """Give a remark on a series whose files do not tell which of them was scanned, and which made smaller."""
    bases = {(header.width, header.height) for header in headers if header.is_base}
    if len(bases) > 1:
        width, height = max(bases)
        yield Remark(
            "its files do not tell which of them is of full resolution",
            f"the largest has {width} x {height} pixels; is that the whole slide?",
        )


def _missing(sent: tuple[DicomHeader, ...], at_home: tuple[DicomHeader, ...]) -> Iterator[Remark]:
    """Give remarks on a series that seems to lack a file: no header tells how many there are."""
    remedy = "is a file of it missing? Copy all files of the series; it can be sent as it is"
    if numbers := missing_numbers((*sent, *at_home)):
        named = some_of(numbers, 20)
        yield Remark(f"the files of its series are numbered, and number {named} is not there", remedy)
    for wide, narrow in missing_steps(sent):
        yield Remark(f"its levels leave out a step between {wide} and {narrow} pixels across", remedy)


def _scan(tiff: TiffFile | None, image: OpenSlide, description: str, mpp: Mpp) -> Iterator[Remark]:
    """Give remarks on a slide that may be a part of what was scanned, or a smaller copy of it."""
    power = number_of(image.properties.get("openslide.objective-power"))
    if power and not _MIN_MPP_TIMES_POWER <= mpp[0] * power <= _MAX_MPP_TIMES_POWER:
        yield Remark(
            f"its resolution of {mpp[0]:.4g} µm per pixel does not fit its objective ({power:g} times)",
            "is one of them wrong, is it a smaller copy, or is its level of full resolution missing?",
        )
    region = _REGION.search(description)
    if region is not None and differ(int(region[1]), image.dimensions[0]):
        yield Remark(
            f"its description is of {region[1]} pixels across, and it has {image.dimensions[0]}",
            "is it a smaller copy? Then the resolution of its description is not its own",
        )
    written = _MPP.findall(tiff.largest.description) if tiff else []
    told = sorted({number for each in written if (number := number_of(each.replace(",", ".")))})
    if len(told) > 1:
        named = " and ".join(f"{each:.4g}" for each in told)
        yield Remark(f"its description says {named} µm per pixel, and {mpp[0]:.4g} counts", "which is right?")
    tags = tiff.largest.mpp if tiff else None
    if tags and all(map(is_plausible, tags)) and any(map(differ, tags, mpp)):
        yield Remark(f"its tags say {tags[0]:.4g} µm per pixel, and {mpp[0]:.4g} counts", "which is right?")
    if len(ome_files(description)) > 1:
        yield Remark(
            "its OME description names other files, which are not sent",
            "if they are a part of the slide, export it as one file",
        )


def _colours(headers: tuple[DicomHeader, ...], tiff: TiffFile | None) -> Iterator[Remark]:
    """Give remarks on pixels that are no stained tissue in light: deep, of other channels, or masks."""
    unusual = "applications expect stained tissue in 8-bit RGB; is it the right file?"
    if any(header.channels > 1 for header in headers):
        yield Remark("it has several optical paths, as fluorescence has", unusual)
    if tiff is None:
        return
    main = tiff.largest
    if main.bits > 8:
        yield Remark(f"its pixels have {main.bits} bits a sample", unusual)
    # The thumbnail of a small slide is as large, and is stored in another way.
    layout = main.width, main.height, main.is_tiled
    planes = sum((each.width, each.height, each.is_tiled) == layout for each in tiff.pictures)
    if planes > 1:
        yield Remark(
            f"it has {planes} pictures of full size, as focal planes and channels are",
            "the first of them is read; is it the right one?",
        )
    if main.samples != 3 and not (main.samples == 4 and main.bits == 8):
        yield Remark(f"its pixels have {main.samples} samples, as masks and fluorescence have", unusual)


def recent(files: tuple[Path, ...]) -> Iterator[Remark]:
    """Give a remark on files that may still be written."""
    age = time.time() - max(path.stat().st_mtime for path in files)
    if age < -1:
        yield Remark(
            "its modification time is in the future",
            "are the clocks of its disk and of this machine right? It may still be being copied",
        )
    elif age < _RECENT:
        yield Remark("it was written to seconds ago", "is it still being copied? Wait until it is complete")
