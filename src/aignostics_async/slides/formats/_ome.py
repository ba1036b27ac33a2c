"""What an OME description says of a picture: its resolution, and the files that its pixels are in. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from math import isfinite

_IMAGE_OR_PIXELS = re.compile(r"<(?:\w+:)?(Image|Pixels)\b[^<>]*>")
_PIXELS = re.compile(r"<(?:\w+:)?Pixels\b[^<>]*>")
_END = re.compile(r"</(?:\w+:)?Pixels\s*>")
_ATTRIBUTE = re.compile(r"""(?<!\w)(\w++)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_FILE = re.compile(r"<(?:\w+:)?UUID\b[^<>]*\bFileName\s*=\s*[\"']([^\"']+)")
_ELSEWHERE = re.compile(r"<(?:\w+:)?BinaryOnly\b[^<>]*\bMetadataFile\s*=\s*[\"']([^\"']+)")
_MICRONS = {
    "µm": 1.0, "um": 1.0, "micron": 1.0, "microns": 1.0, "micrometer": 1.0, "micrometre": 1.0,
    "micrometers": 1.0, "micrometres": 1.0, "âµm": 1.0, "nm": 1e-3, "nanometer": 1e-3, "nanometers": 1e-3,
    "millimeter": 1e3, "millimeters": 1e3,
    "mm": 1e3, "cm": 1e4, "m": 1e6, "pm": 1e-6, "å": 1e-4, "in": 25_400.0, "inch": 25_400.0, "thou": 25.4,
    "mil": 25.4,
}  # fmt: skip

Mpp = tuple[float, float]
"""µm per pixel across and down."""


def microns_of(unit: str) -> float | None:
    """Return how many µm a unit is as programs write it, such as `&#181;m` or `mm`; None if it is unknown."""
    plain = html.unescape(unit).replace(r"\u00B5", "µ").replace("μ", "µ").strip()
    return _MICRONS.get(plain.lower())


def ome_resolution(description: str, size: tuple[int, int] | None = None) -> Mpp | None:
    """Return the resolution that an OME description has for the picture of a size, in µm per pixel.

    Without a size, or sizes in the description, its first picture counts. A macro may come first.
    """
    told = next((each for each, _ in _pictures(description, size)), None)
    if told is None:
        return None
    sizes = [
        (number_of(told.get(f"PhysicalSize{axis}")), microns_of(told.get(f"PhysicalSize{axis}Unit", "µm")))
        for axis in "XY"
    ]
    mpp = [size * unit for size, unit in sizes if size is not None and unit is not None]
    return (mpp[0], mpp[1]) if len(mpp) == 2 else None


def other_names(description: str, size: tuple[int, int]) -> Iterator[str]:
    """Give the names of the pictures of a description that have another size, such as `label image`."""
    name = ""
    for element in _IMAGE_OR_PIXELS.finditer(_without_comments(description)):
        told = _attributes(element[0])
        if element[1] == "Image":
            name = told.get("Name", "")
        elif _size_of(told) not in (None, size):
            yield html.unescape(name)


def ome_files(description: str, size: tuple[int, int] | None = None) -> list[str]:
    """Return the files that the pixels of the picture of a size are in, sorted; without a size, of all."""
    inside = description if size is None else next((each for _, each in _pictures(description, size)), "")
    return sorted(set(map(html.unescape, _FILE.findall(inside))))


def metadata_file(description: str) -> str | None:
    """Return the file that holds the description of a picture instead, if it says so."""
    elsewhere = _ELSEWHERE.search(description)
    return None if elsewhere is None else html.unescape(elsewhere[1])


def _pictures(description: str, size: tuple[int, int] | None) -> Iterator[tuple[Mapping[str, str], str]]:
    """Give the attributes and the content of pictures that may have a size."""
    description = _without_comments(description)
    for found in _PIXELS.finditer(description):
        told = _attributes(found[0])
        if size in (None, _size_of(told) or size):
            end = None if found[0].endswith("/>") else _END.search(description, found.end())
            yield told, "" if end is None else description[found.end() : end.start()]


def _attributes(tag: str) -> dict[str, str]:
    return {name: double or single for name, double, single in _ATTRIBUTE.findall(tag)}


def _without_comments(description: str) -> str:
    """Return a description without comments, which may hold elements of another picture."""
    first, *others = description.split("<!--")
    return first + "".join(each.partition("-->")[2] for each in others)


def _size_of(pixels: Mapping[str, str]) -> tuple[int, int] | None:
    width, height = number_of(pixels.get("SizeX")), number_of(pixels.get("SizeY"))
    return None if width is None or height is None else (int(width), int(height))


def number_of(text: str | None) -> float | None:
    """Return the number that a text is, or None."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if isfinite(number) else None
