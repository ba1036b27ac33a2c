"""Synthetic slides: pyramidal TIFFs that resemble H&E-stained tissue, from no patient."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from .._core._arguments import as_path

_TILE = 256
_GLASS = (243, 242, 245)
_EOSIN = np.array([222, 150, 186], dtype=np.float32)
_STROMA = np.array([238, 196, 214], dtype=np.float32)
_NUCLEUS = (88, 58, 130)


def write_slide(
    path: str | os.PathLike[str],
    *,
    seed: int = 0,
    width: int = 2048,
    height: int = 1536,
    mpp: float | None = 0.5,
) -> Path:
    """Write a tiled pyramidal TIFF with H&E-like tissue, and return its path.

        slide = Slide(write_slide(Path("case-7.tiff"), seed=7))

    The same arguments write the same bytes; another `seed` (0 by default) draws other tissue. `width` and
    `height` are in pixels, 2048 and 1536 by default. `mpp` is the stored resolution in µm per pixel, 0.5 by
    default; None stores none. Blocks for about half a second for the default size, 13 MB. Needs the
    `emulator` extra. Its folder is made if it is missing; an existing file is replaced. Raises OSError if the
    file can't be written, and UsageError for a `path` that is none.
    """
    path = as_path(path, "path")
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = _tissue(np.random.default_rng(seed), width, height)
    with tifffile.TiffWriter(path) as tiff:
        level = 0
        while True:
            per_cm = 1.0 if mpp is None else 1e4 / (mpp * 2**level)
            tiff.write(
                np.asarray(picture),
                photometric="rgb",
                tile=(_TILE, _TILE),
                subfiletype=int(level > 0),
                metadata=None,
                resolution=(per_cm, per_cm),
                resolutionunit="NONE" if mpp is None else "CENTIMETER",
            )
            if min(picture.size) < 2 * _TILE:
                return path
            picture = picture.resize((picture.width // 2, picture.height // 2), Image.Resampling.BOX)
            level += 1


def write_slides(folder: Path, count: int) -> list[Path]:
    """Write `count` different slides, case-01.tiff, case-02.tiff and so on, and return their paths.

        write_slides(Path("slides"), 3)

    The folder is created if it is missing. The slides have the default size and resolution of `write_slide`,
    and the same names have the same bytes. Blocks for about half a second for each, 13 MB. Raises OSError if
    a file can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [write_slide(folder / f"case-{number:02d}.tiff", seed=number) for number in range(1, count + 1)]


def _tissue(random: np.random.Generator, width: int, height: int) -> Image.Image:
    shape = _noise(random, width, height, 5) + 0.5 * _noise(random, width, height, 16)
    across = np.linspace(-1, 1, width)[None, :] ** 2 + np.linspace(-1, 1, height)[:, None] ** 2
    inside = Image.fromarray(((shape - 0.55 * across) > 0.35).astype(np.uint8) * 255)
    inside = inside.filter(ImageFilter.GaussianBlur(2))
    fibres = _noise(random, width, height, 40)[..., None]
    glands = _noise(random, width, height, 12)
    texture = _STROMA * fibres + _EOSIN * (1 - fibres)
    texture += 14 * (_noise(random, width, height, 200)[..., None] - 0.5)
    tissue = Image.fromarray(texture.clip(0, 255).astype(np.uint8))
    _draw_nuclei(random, tissue, glands)
    return Image.composite(tissue, Image.new("RGB", (width, height), _GLASS), inside)


def _draw_nuclei(random: np.random.Generator, tissue: Image.Image, glands: NDArray[np.float32]) -> None:
    """Draw nuclei, dense along the edges of glands and sparse elsewhere."""
    draw = ImageDraw.Draw(tissue)
    count = tissue.width * tissue.height // 350
    xs, ys = random.integers(0, tissue.width, count), random.integers(0, tissue.height, count)
    at_edge = np.abs(glands[ys, xs] - 0.5) < 0.06
    kept = at_edge | (random.random(count) < 0.12)
    for x, y in zip(xs[kept].tolist(), ys[kept].tolist(), strict=True):
        long, short = random.integers(5, 10), random.integers(4, 7)
        shade = random.integers(-18, 18)
        colour = tuple(int(channel + shade) for channel in _NUCLEUS)
        draw.ellipse((x - long, y - short, x + long, y + short), fill=colour)


def _noise(random: np.random.Generator, width: int, height: int, cells: int) -> NDArray[np.float32]:
    """Return smooth noise from 0 to 1 with about `cells` bumps along the longer side."""
    grid_width = max(2, cells * width // max(width, height))
    grid_height = max(2, cells * height // max(width, height))
    grid = Image.fromarray((random.random((grid_height, grid_width)) * 255).astype(np.uint8))
    smooth = grid.resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(smooth, dtype=np.float32) / np.float32(255)
