"""The emulated analysis: finds tissue in a thumbnail and writes three or four outputs."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import shapely
from attrs import evolve, field, frozen
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from ..._core._crc32c import read_checksum

_THUMBNAIL = 512  # pixels of its longer side
_GRID = 96  # cells of the polygons along the longer side
_MPP_KEYS = ("resolution_mpp", "width_mpp")
_MAX_SERIES_BYTES = 8 * 1024**3  # bytes, unpacked


class UnreadableSlide(Exception):
    """The input is not a readable slide; the text becomes the item's error."""


@frozen
class WrittenOutput:
    """An output file of the analysis."""

    name: str
    path: Path
    media_type: str
    crc32c: str
    metadata: dict[str, Any] = field(factory=dict)


@frozen
class _Thumbnail:
    thumbnail: Image.Image
    scale: float
    """Slide pixels per thumbnail pixel."""
    mpp: float | None


def analyse(
    slide: Path, folder: Path, wanted: frozenset[str], told: Mapping[str, Any]
) -> list[WrittenOutput]:
    """Analyse a slide, or a zip of a DICOM series, and return the outputs named in `wanted`. Blocks.

    `told` is its metadata in the request; its resolution counts where it has one, not the file's.
    """
    seen = _read(slide, folder)
    given = [told[key] for key in _MPP_KEYS if isinstance(told.get(key), int | float)]
    if given:
        seen = evolve(seen, mpp=given[0])
    density = _optical_density(seen.thumbnail)
    # Blurred, so that tissue becomes areas instead of single nuclei.
    smooth = _optical_density(seen.thumbnail.filter(ImageFilter.GaussianBlur(4)))
    tissue = smooth > _otsu(smooth)
    outputs = [
        ("tissue_qc:tiff_heatmap", "heatmap.tiff", "image/tiff", _write_heatmap),
        ("tissue_qc:geojson_polygons", "polygons.geojson", "application/geo+json", _write_polygons),
        ("readout_generation:csv_class_areas", "areas.csv", "text/csv", _write_areas),
        ("tissue_qc:png_thumbnail", "thumbnail.png", "image/png", _write_thumbnail),
    ]
    written = []
    for name, file_name, media_type, write in outputs:
        if name not in wanted:
            continue
        path = folder / file_name
        write(path, seen, density, tissue)
        crc32c = read_checksum(path).wire
        metadata = {} if seen.mpp is None else {"resolution_mpp": seen.mpp * seen.scale}
        written.append(WrittenOutput(name, path, media_type, crc32c, metadata))
    return written


def _read(slide: Path, folder: Path) -> _Thumbnail:
    with _unpacked(slide, folder) as path:
        try:
            with openslide.OpenSlide(str(path)) as image:
                thumbnail = image.get_thumbnail((_THUMBNAIL, _THUMBNAIL)).convert("RGB")
                mpp = image.properties.get("openslide.mpp-x")
                scale = image.dimensions[0] / thumbnail.width
        except openslide.OpenSlideError as error:
            raise UnreadableSlide(f"The input can't be read as a slide: {error}") from None
    return _Thumbnail(thumbnail, scale, float(mpp) if mpp else None)


@contextmanager
def _unpacked(slide: Path, folder: Path) -> Iterator[Path]:
    """Yield the path to open: the slide itself, or the first extracted file of a zipped series."""
    if not zipfile.is_zipfile(slide):
        yield slide
        return
    target = folder / "series"
    target.mkdir()
    try:
        with zipfile.ZipFile(slide) as archive:
            members = [entry for entry in archive.infolist() if entry.filename.lower().endswith(".dcm")]
            if not members or sum(entry.file_size for entry in members) > _MAX_SERIES_BYTES:
                raise UnreadableSlide("The input is a zip without DICOM files, or too large")
            for number, entry in enumerate(members):
                # Numbered, so that a member's name never becomes a path.
                with archive.open(entry) as source, (target / f"{number}.dcm").open("wb") as copy:
                    shutil.copyfileobj(source, copy, 1024 * 1024)
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
        # RuntimeError means encrypted, NotImplementedError an unknown compression.
        raise UnreadableSlide(f"The input is a zip that can't be read: {error}") from None
    yield target / "0.dcm"


def _optical_density(image: Image.Image) -> NDArray[np.float64]:
    """Return the optical density of each pixel; white is 0."""
    light = (np.asarray(image, dtype=np.float64) + 1) / 256
    density: NDArray[np.float64] = -np.log10(light).mean(axis=2)
    return density


def _otsu(values: NDArray[np.float64]) -> float:
    """Return Otsu's threshold (1979); 0.05 for a uniform image."""
    counts, edges = np.histogram(values, bins=128)
    if np.ptp(values) < 1e-6:
        return 0.05
    centres = (edges[:-1] + edges[1:]) / 2
    below, total = np.cumsum(counts), counts.sum()
    sum_below = np.cumsum(counts * centres)
    above = total - below
    valid = (below > 0) & (above > 0)
    mean_below = sum_below[valid] / below[valid]
    mean_above = (sum_below[-1] - sum_below[valid]) / above[valid]
    between = below[valid] * above[valid] * (mean_below - mean_above) ** 2
    return float(centres[valid][int(np.argmax(between))])


def _write_heatmap(
    path: Path, _slide: _Thumbnail, density: NDArray[np.float64], _tissue: NDArray[np.bool_]
) -> None:
    level = np.clip(density / max(float(density.max()), 1e-6), 0, 1)
    # From dark blue over green to yellow. Lightness increases, so it reads in greyscale too.
    stops = np.array([[13, 22, 66], [32, 110, 120], [90, 180, 90], [250, 230, 60]], dtype=np.float64)
    position = level * (len(stops) - 1)
    low = np.floor(position).astype(int).clip(0, len(stops) - 2)
    share = (position - low)[..., None]
    colours = stops[low] * (1 - share) + stops[low + 1] * share
    Image.fromarray(colours.astype(np.uint8)).save(path, format="TIFF", compression="tiff_deflate")


def _write_polygons(
    path: Path, slide: _Thumbnail, _density: NDArray[np.float64], tissue: NDArray[np.bool_]
) -> None:
    rows, columns = tissue.shape
    cell = max(1, max(rows, columns) // _GRID)
    tops, lefts = np.arange(0, rows, cell), np.arange(0, columns, cell)
    bottoms, rights = np.minimum(tops + cell, rows), np.minimum(lefts + cell, columns)
    covered = np.add.reduceat(np.add.reduceat(tissue, tops, axis=0, dtype=int), lefts, axis=1)
    row, column = np.nonzero(2 * covered >= np.outer(bottoms - tops, rights - lefts))
    boxes = shapely.box(lefts[column], tops[row], rights[column], bottoms[row])
    merged = shapely.transform(shapely.coverage_union_all(boxes), lambda pixels: pixels * slide.scale)
    polygons = [part for part in shapely.get_parts(merged) if not part.is_empty]
    features = [
        {
            "type": "Feature",
            "geometry": json.loads(shapely.to_geojson(polygon)),
            "properties": {"classification": "tissue", "area_px": polygon.area},
        }
        for polygon in polygons
    ]
    # Coordinates are slide pixels, as digital pathology tools expect.
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")


def _write_areas(
    path: Path, slide: _Thumbnail, density: NDArray[np.float64], tissue: NDArray[np.bool_]
) -> None:
    dense = tissue & (density > float(np.median(density[tissue])) if tissue.any() else tissue)
    classes = {"background": ~tissue, "tissue": tissue & ~dense, "dense tissue": dense}
    pixel_mm2 = None if slide.mpp is None else (slide.mpp * slide.scale / 1000) ** 2
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["class", "fraction", "area_mm2"])
        for name, mask in classes.items():
            area = "" if pixel_mm2 is None else f"{mask.sum() * pixel_mm2:.6g}"
            table.writerow([name, f"{mask.mean():.6f}", area])


def _write_thumbnail(
    path: Path, slide: _Thumbnail, _density: NDArray[np.float64], tissue: NDArray[np.bool_]
) -> None:
    pixels = np.asarray(slide.thumbnail).copy()
    edge = tissue ^ (
        tissue
        & np.roll(tissue, 1, 0)
        & np.roll(tissue, -1, 0)
        & np.roll(tissue, 1, 1)
        & np.roll(tissue, -1, 1)
    )
    pixels[edge] = (20, 160, 60)
    Image.fromarray(pixels).save(path, format="PNG")
