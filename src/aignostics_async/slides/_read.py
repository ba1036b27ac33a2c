"""What a slide says about itself, and whether all of it is there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from attrs import Factory, evolve, field, frozen

from .._core._display_text import some_of
from .._inputs import Slide
from ..errors import ConfigurationError, NotASlide, SlideError
from ._decoding import check_last_tile, decode_all
from ._openslide import open_slide
from ._remarks import Remark, recent, remarks_on, series_remarks, suffix_remarks
from ._resolution import resolution_of, settle_resolution
from .files._members import Members, find_members
from .formats._bounded import read_bounded
from .formats._detection import Format, identify
from .formats._ome import Mpp, metadata_file, ome_files, other_names
from .formats._tiff import TiffFile, TiffPicture, read_tiff
from .formats._zipped import read_zipped, unpacked
from .privacy._identifying import IdentifyingKind, description_kinds, picture_kinds, says_something
from .privacy._person_names import is_person, mentions_person, name_kinds

if TYPE_CHECKING:
    from openslide import OpenSlide

PACKING = 2
"""The recipe of zips: from 2 on, files of a DICOM series are numbered, and not called as they are here."""
_ZIP = "application/zip"
_NO_TILES = "it is a TIFF without tiles, not a slide"
_MAX_BITS = 16  # that OpenSlide reads
_PARTS = re.compile(r"""[|;=:<>{}\[\]"'\r\n]""")  # between the fields of a description
_MAX_DESCRIPTION = 16 * 1024 * 1024
_TILE_IT = (
    "convert it to a tiled, pyramidal TIFF, such as: vips tiffsave IN OUT --tile --pyramid --compression jpeg"
)
_TELLING_VENDORS = frozenset(
    {"hamamatsu", "leica", "mirax", "philips", "sakura", "trestle", "ventana", "zeiss"}
)
_NAMES = ("name", "title", "comment")


@frozen
class SlideInfo:
    """The size, resolution, format and files of a slide.

        info = await read_slide(Slide("case-7.svs"))
        print(info.width, info.height, info.mpp_x, info.mime_type)

    `width` and `height` are pixels of the largest level; `mpp_x` and `mpp_y` are µm per pixel. `format` is
    the format by content, empty by default, and `mime_type` the media type of what is sent. `files` has the
    paths that are sent, as one zip if `is_packed` (by default if the type is that of a zip), by the recipe
    `packing`, the newest by default. `associated_images` has the names of other images, `identifying` each
    `IdentifyingKind` and `remarks` each `Remark`. All four are tuples, the last three empty by default.
    `series` is the SeriesInstanceUID of a DICOM series; None, the default, for other formats.
    """

    width: int
    """The width of the largest level in pixels."""
    height: int
    """The height of the largest level in pixels."""
    mpp_x: float
    """The horizontal resolution in µm per pixel."""
    mpp_y: float
    """The vertical resolution in µm per pixel."""
    mime_type: str
    """The media type of the file that is sent, such as `image/tiff` or `application/zip`."""
    files: tuple[Path, ...]
    """The files that are sent: one, a DICOM series by size, or an index file and those that it names."""
    associated_images: tuple[str, ...] = ()
    """The names of other images in the slide, such as `label` and `macro`; empty by default."""
    identifying: tuple[IdentifyingKind, ...] = ()
    """The kinds of content that may identify a person; empty by default."""
    remarks: tuple[Remark, ...] = ()
    """Warnings that a person should look at; empty by default."""
    series: str | None = None
    """The SeriesInstanceUID of a DICOM series; None for other formats."""
    format: str = ""
    """The format by content, such as `DICOM`, `TIFF` or `MIRAX`."""
    packing: int = PACKING
    """The recipe of the zip; jobs of older releases keep theirs."""
    is_packed: bool = field(default=Factory(lambda info: info.mime_type == _ZIP, takes_self=True))
    """Whether the files are sent as one zip; by default if the media type is `application/zip`."""


def read_slide_here(slide: Slide, *, decode: bool = False) -> SlideInfo:
    """Do what `read_slide` does, blocking, in this process, which a damaged file may crash."""
    path = slide.path
    try:
        if not slide.files and identify(path).format is Format.ZIP:
            return _zipped(slide, decode=decode)
        members = find_members(path, slide.files, include_label=slide.include_label)
        tiff = _structure(path) if members.content.format is Format.TIFF else None
        with open_slide(path, members) as image:
            if decode:
                decode_all(path, image)
            return _read(slide, members, tiff, image)
    except (SlideError, ConfigurationError):
        raise
    except OSError as error:
        raise SlideError(f"it can't be read ({error.strerror})", path=str(path)) from None
    except Exception as error:  # noqa: BLE001 - one slide's damage must not end the others
        raise SlideError(
            f"reading it failed ({type(error).__name__}: {error})",
            path=str(path),
            remedy="it may be damaged; copy it again, or leave it out",
        ) from None


def _structure(path: Path) -> TiffFile | None:
    """Return the structure of a TIFF that is complete."""
    size = path.stat().st_size
    try:
        tiff = read_tiff(path)
    except SlideError:
        if size >= 2**32:  # Hamamatsu's own way to write offsets beyond 4 GiB, which OpenSlide knows
            return None
        raise
    if not any(picture.is_tiled or picture.is_ndpi for picture in tiff.pictures):
        raise NotASlide(_NO_TILES, path=str(path), remedy=_TILE_IT)
    if tiff.largest.bits > _MAX_BITS:
        raise NotASlide(
            f"its pixels have {tiff.largest.bits} bits a sample, as masks and measurements have",
            path=str(path),
            remedy="give the slide that it was made from",
        )
    tiff.check_complete()
    return tiff


def _read(slide: Slide, members: Members, tiff: TiffFile | None, image: OpenSlide) -> SlideInfo:
    width, height = image.dimensions
    _check_largest(slide.path, tiff, width, height)
    check_last_tile(slide.path, image)
    pictures = tuple(sorted(image.associated_images))
    description = _description(slide.path, tiff) if tiff else ""
    _check_one_file(slide.path, description, image.dimensions)
    mpp = settle_resolution(slide, _resolution(members, tiff, image, description))
    kinds = {*picture_kinds(pictures), *_described(tiff), *_of_headers(members)}
    kinds |= set(picture_kinds(other_names(description, image.dimensions)))
    kinds |= {*name_kinds([slide.path, *members.files]), *_of_properties(image)}
    mime_type = _mime_type(slide.path, members)
    return SlideInfo(
        width,
        height,
        *mpp,
        mime_type,
        members.files,
        pictures,
        identifying=tuple(sorted(kinds)),
        remarks=tuple(remarks_on(members, tiff, image, description, mpp)),
        series=members.headers[0].series if members.headers else None,
        format=members.content.format,
        is_packed=members.is_packed,
    )


def _zipped(slide: Slide, *, decode: bool) -> SlideInfo:
    """Read a zip of one DICOM series by its headers; it is sent as it is."""
    series = read_zipped(slide.path)
    headers = series.headers
    if not slide.include_label and any(header.stays_at_home for header in headers):
        raise SlideError(
            "its archive holds a picture of its label or of the whole glass",
            path=str(slide.path),
            remedy="pack the series without it, or ask for it to be sent: include_label",
        )
    if decode:
        with unpacked(slide.path) as files:
            read_slide_here(evolve(slide, path=files[0], files=files), decode=True)
    base = max((header for header in headers if header.is_base), key=lambda header: header.width)
    known = None if base.mpp_x is None or base.mpp_y is None else (base.mpp_x, base.mpp_y)
    kinds = {*name_kinds([slide.path, *series.names]), *_told(series.texts)}
    kinds |= {kind for header in headers for kind in header.identifying}
    return SlideInfo(
        base.width,
        base.height,
        *settle_resolution(slide, known),
        _ZIP,
        (slide.path,),
        identifying=tuple(sorted(kinds)),
        remarks=(
            *suffix_remarks(slide.path.suffix.lower(), frozenset({".zip", ""}), "a ZIP archive"),
            *series_remarks(headers),
            *recent((slide.path,)),
        ),
        series=base.series,
        format=Format.DICOM,
        is_packed=False,
    )


def _mime_type(path: Path, members: Members) -> str:
    if members.is_packed:
        return _ZIP
    is_tiff = members.content.format is Format.TIFF and path.suffix.lower() in (".tif", ".tiff", "")
    return "image/tiff" if is_tiff else "application/octet-stream"


def _resolution(members: Members, tiff: TiffFile | None, image: OpenSlide, description: str) -> Mpp | None:
    # One by one: a key that is no UTF-8 breaks the mapping, and not the values that matter here.
    names = ("openslide.mpp-x", "openslide.mpp-y")
    properties = {name: value for name in names if (value := image.properties.get(name)) is not None}
    if tiff is not None and image.properties.get("openslide.vendor") == "generic-tiff":
        # OpenSlide gives that of the first picture, which may be a smaller one.
        properties = dict(zip(names, map(str, tiff.largest.mpp or ()), strict=False))
    told = resolution_of(properties, description, image.dimensions)
    base = next((header for header in members.headers if header.is_base), None)
    if told is None and base is not None and base.mpp_x is not None and base.mpp_y is not None:
        return base.mpp_x, base.mpp_y
    return told


def _check_largest(path: Path, tiff: TiffFile | None, width: int, height: int) -> None:
    """Raise SlideError where a TIFF holds a larger picture than the one that is read."""
    if tiff is not None and tiff.largest.width * tiff.largest.height > width * height:
        raise SlideError(
            f"its first picture has {width} x {height} pixels, and another one in it "
            f"{tiff.largest.width} x {tiff.largest.height}: the slide is not the one that would be analysed",
            path=str(path),
            remedy="export the slide alone, without its macro in front",
        )


def _description(path: Path, tiff: TiffFile) -> str:
    """Return what is written about the pictures of a TIFF, which OME may put into a file of its own."""
    name = metadata_file(tiff.description)
    if name is None:
        return tiff.description
    beside = path.with_name(PurePath(name.replace("\\", "/")).name)
    try:
        return tiff.description + read_bounded(beside, _MAX_DESCRIPTION).decode("utf-8", "replace")
    except OSError as error:
        raise SlideError(
            f"{beside.name}, which says what its pixels are a part of, can't be read ({error.strerror})",
            path=str(path),
            remedy="copy it together with that file, or export the slide as one file",
        ) from None


def _check_one_file(path: Path, description: str, size: tuple[int, int]) -> None:
    """Raise SlideError where OME says that the picture of a size is in several files."""
    files = ome_files(description, size)
    if len(files) > 1:
        raise SlideError(
            f"it is a part of a slide: its OME description says that the pixels are in {some_of(files)}",
            path=str(path),
            remedy="export the slide as one file",
        )


def _of_properties(image: OpenSlide) -> Iterator[IdentifyingKind]:
    """Give what properties say of a person; other TIFFs have them in descriptions, DICOM in headers."""
    for name in image.properties:
        vendor, _, key = name.partition(".")
        if vendor in _TELLING_VENDORS and (value := image.properties.get(name)) is not None:
            yield from description_kinds(f"{key} = {value}")
            if mentions_person(value) or (key.lower().endswith(_NAMES) and is_person(value)):
                yield IdentifyingKind.PATIENT


def _of_headers(members: Members) -> Iterator[IdentifyingKind]:
    for header in members.headers:
        yield from header.identifying


def _described(tiff: TiffFile | None) -> Iterator[IdentifyingKind]:
    """Give what pages and descriptions of a TIFF say of a person."""
    if tiff is None:
        return
    yield from _told(tiff.texts)
    if any(says_something(text) for each in tiff.pictures for text in each.case_texts):
        yield IdentifyingKind.CASE
    if any(map(is_person, tiff.titles)):
        yield IdentifyingKind.PATIENT
    main = tiff.largest
    for picture in tiff.pictures:
        if picture is main or not picture.width or not picture.height:
            continue
        is_told = _is_aside(picture, main) or picture.description != main.description
        named = list(picture_kinds([picture.description])) if is_told else []
        yield from named
        if not named and _is_aside(picture, main) and not _is_thumbnail(picture):
            yield IdentifyingKind.MACRO  # a picture of something, which may show the label


def _told(texts: Iterable[str]) -> Iterator[IdentifyingKind]:
    """Give what texts say of a person."""
    for text in texts:
        yield from description_kinds(text)
        if any(map(mentions_person, set(_PARTS.split(text)))):  # long ones repeat themselves
            yield IdentifyingKind.PATIENT


def _is_aside(picture: TiffPicture, main: TiffPicture) -> bool:
    """Whether a picture has other proportions than the slide, so is no level or thumbnail of it."""
    across, down = main.width / picture.width, main.height / picture.height
    rounding = max(1 / picture.width, 1 / picture.height)
    return abs(across - down) > (0.02 + 2 * rounding) * max(across, down)


def _is_thumbnail(picture: TiffPicture) -> bool:
    return "thumbnail" in picture.description.lower()
