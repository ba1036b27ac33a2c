"""Slides of many formats, made for tests."""

from __future__ import annotations

import io
import os
import struct
import uuid
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import tifffile
from numpy.typing import NDArray
from PIL import Image

from aignostics_async import Slide, SlideInfo
from aignostics_async.slides._read import read_slide_here

_SLIDE_ID = "0123456789ABCDEF0123456789ABCDEF"
_SLIDEDAT = f"""\
[GENERAL]
SLIDE_VERSION = 01.02
SLIDE_ID = {_SLIDE_ID}
IMAGENUMBER_X = 1
IMAGENUMBER_Y = 1
OBJECTIVE_MAGNIFICATION = 20
CameraImageDivisionsPerSide = 1

[HIERARCHICAL]
HIER_COUNT = 1
NONHIER_COUNT = 0
INDEXFILE = Index.dat
HIER_0_COUNT = 1
HIER_0_NAME = Slide zoom level
HIER_0_VAL_0_SECTION = LAYER_0_LEVEL_0_SECTION

[LAYER_0_LEVEL_0_SECTION]
OVERLAP_X = 0.0
OVERLAP_Y = 0.0
MICROMETER_PER_PIXEL_X = 0.25
MICROMETER_PER_PIXEL_Y = 0.25
IMAGE_FORMAT = JPEG
IMAGE_FILL_COLOR_BGR = 16777215
DIGITIZER_WIDTH = 64
DIGITIZER_HEIGHT = 64
IMAGE_CONCAT_FACTOR = 0

[DATAFILE]
FILE_COUNT = 1
FILE_0 = Data0000.dat
"""


async def read_slide(slide: Slide, *, decode: bool = False) -> SlideInfo:
    """Do what `read_slide` does in this process: to start one for each of a thousand slides takes minutes."""
    return read_slide_here(slide, decode=decode)


def write_mirax(path: Path) -> Path:
    """Write a MIRAX slide of 64 x 64 pixels at 0.25 µm: a small file, and its folder beside it."""
    Image.new("RGB", (64, 64), (200, 120, 160)).save(path, "JPEG")
    picture = path.read_bytes()
    folder = path.with_suffix("")
    folder.mkdir()
    (folder / "Slidedat.ini").write_text(_SLIDEDAT, encoding="utf-8")
    (folder / "Data0000.dat").write_bytes(picture)
    start = len("01.02") + len(_SLIDE_ID)
    root = start + 8
    index = io.BytesIO()
    index.write(b"01.02" + _SLIDE_ID.encode())
    # The table of levels, the list of the one level, and its one page of one picture.
    index.write(struct.pack("<ii", root, root))
    index.write(struct.pack("<i", root + 4))
    index.write(struct.pack("<ii", 0, root + 12))
    index.write(struct.pack("<iiiiii", 1, 0, 0, 0, len(picture), 0))
    (folder / "Index.dat").write_bytes(index.getvalue())
    return path


def write_flavour(source: Path, path: Path, flavour: str, **fields: str) -> Path:
    """Write a copy of a DICOM file as another picture of its series, such as LABEL, with other fields."""
    dataset = pydicom.dcmread(source)
    kind = list(dataset.ImageType)
    kind[2] = flavour
    dataset.ImageType = kind
    dataset.SOPInstanceUID = f"2.25.{uuid.uuid4().int}"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    for name, value in fields.items():
        setattr(dataset, name, value)
    dataset.save_as(path)
    return path


def write_dicom(
    folder: Path,
    *,
    levels: int = 2,
    mpp: float = 0.5,
    name: str = "{}.dcm",
    series: str | None = None,
    flavours: Sequence[str] = (),
    **fields: Any,
) -> list[Path]:
    """Write a DICOM slide of 512 x 512 pixels at its first level, and return its files.

    `name` is formatted with the number of the file. `flavours` are pictures such as LABEL beside the levels;
    `fields` are set in every file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    series = series or f"2.25.{uuid.uuid4().int}"
    frame = f"2.25.{uuid.uuid4().int}"
    paths = []
    for number in range(levels + len(flavours)):
        is_level = number < levels
        side = 512 >> number if is_level else 128
        kind = (
            ["VOLUME", "RESAMPLED" if number else "NONE"] if is_level else [flavours[number - levels], "NONE"]
        )
        dataset = _dicom(side, mpp * 512 / side, ["ORIGINAL" if not number else "DERIVED", "PRIMARY", *kind])
        dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID = series, frame
        dataset.InstanceNumber = number + 1
        for key, value in fields.items():
            setattr(dataset, key, value)
        paths.append(folder / name.format(number))
        dataset.save_as(paths[-1], enforce_file_format=True)
    return paths


def _dicom(side: int, mpp: float, image_type: list[str]) -> pydicom.Dataset:
    tile = 128
    frames = [_jpeg(tile, (90 + number % 100, 60, 120)) for number in range(max(1, side // tile) ** 2)]
    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID = pydicom.uid.VLWholeSlideMicroscopyImageStorage
    meta.MediaStorageSOPInstanceUID = pydicom.uid.UID(f"2.25.{uuid.uuid4().int}")
    meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit
    meta.ImplementationClassUID = pydicom.uid.UID("2.25.1")
    dataset = pydicom.Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID, dataset.SOPInstanceUID = (
        meta.MediaStorageSOPClassUID,
        meta.MediaStorageSOPInstanceUID,
    )
    dataset.ImageType, dataset.Modality = image_type, "SM"
    dataset.StudyInstanceUID = "2.25.2"
    dataset.Rows = dataset.Columns = tile
    dataset.TotalPixelMatrixColumns = dataset.TotalPixelMatrixRows = side
    dataset.TotalPixelMatrixFocalPlanes = 1
    dataset.NumberOfFrames = len(frames)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 3, "YBR_FULL_422"
    dataset.PlanarConfiguration = dataset.PixelRepresentation = 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.DimensionOrganizationType, dataset.NumberOfOpticalPaths = "TILED_FULL", 1
    dataset.ImagedVolumeWidth = dataset.ImagedVolumeHeight = side * mpp / 1000
    measures = pydicom.Dataset()
    measures.PixelSpacing = [mpp / 1000, mpp / 1000]
    groups = pydicom.Dataset()
    groups.PixelMeasuresSequence = [measures]
    dataset.SharedFunctionalGroupsSequence = [groups]
    dataset.PixelData = pydicom.encaps.encapsulate(frames)
    return dataset


def _jpeg(side: int, colour: tuple[int, int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(file, "JPEG", subsampling="4:2:2")
    return file.getvalue()


def write_tiff(
    path: Path,
    *,
    side: int = 1024,
    mpp: float | None = 0.5,
    description: str | bytes | None = None,
    compression: str | None = "zlib",
    extra: Sequence[tuple[NDArray[Any], str]] = (),
    first: Sequence[tuple[NDArray[Any], str]] = (),
    tags: Sequence[tuple[Any, ...]] = (),
    **options: Any,
) -> Path:
    """Write a tiled TIFF; `first` and `extra` are pictures with descriptions before and behind the slide."""
    # Noise takes as much room at any level, and much time at others.
    level = {"level": 0} if compression == "zlib" else None
    per_cm = 1.0 if mpp is None else 1e4 / mpp
    unit = "NONE" if mpp is None else "CENTIMETER"
    with tifffile.TiffWriter(path, ome=False, **options) as tiff:
        for picture, words in first:
            tiff.write(picture, photometric="rgb", tile=(256, 256), description=words, metadata=None)
        tiff.write(
            _noise(side), photometric="rgb", tile=(256, 256), compression=compression, compressionargs=level,
            description=description, resolution=(per_cm, per_cm), resolutionunit=unit, metadata=None,
            extratags=tags,
        )  # fmt: skip
        for picture, words in extra:
            tiff.write(picture, photometric="rgb", description=words, metadata=None)
    return path


@lru_cache(maxsize=4)
def _noise(side: int) -> NDArray[Any]:
    return np.random.default_rng(1).integers(100, 220, (side, side, 3), dtype=np.uint8)


def picture(width: int, height: int) -> NDArray[Any]:
    """Return a picture for a label or a macro."""
    return np.full((height, width, 3), 200, dtype=np.uint8)


def make_old(*paths: Path) -> Path:
    """Set the times of files back, so that they do not look like copies under way; return the first."""
    for path in paths:
        os.utime(path, (1e9, 1e9))
    return paths[0]


_BLOCKING_OPENSLIDE = """
import importlib.machinery, importlib.util, pathlib, sys

_here = pathlib.Path(__file__).parent.resolve()
_path = [each for each in sys.path if pathlib.Path(each).resolve() != _here]
_spec = importlib.machinery.PathFinder.find_spec("openslide", _path)
_real = sys.modules["openslide"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_real)


class OpenSlide(_real.OpenSlide):
    def __init__(self, filename):
        for pipe in sorted(pathlib.Path(filename).parent.glob("pipe_*")):
            with pipe.open("rb"):
                pass
        super().__init__(filename)


_real.OpenSlide = OpenSlide
"""


CRASHING_READER = """
import os
from aignostics_async.slides.workers import _worker
read = _worker.read_slide_here
def read_or_crash(slide, **how):
    return os.abort() if "poison" in slide.path.name else read(slide, **how)
_worker.read_slide_here = read_or_crash
_worker.main()
"""
"""The program of a process that reads slides and crashes, as native code does, at one with a telling name."""


def write_hanging(source: Path, folder: Path) -> tuple[Path, Path]:
    """Return a slide whose reader waits at two pipes beside it, and the folder of the reader's module.

    The module stands in for a disk that does not answer: no file alone makes OpenSlide wait.
    """
    modules, slide = folder / "modules", folder / "hangs" / source.name
    for each in (modules, slide.parent):
        each.mkdir()
    (modules / "openslide.py").write_text(_BLOCKING_OPENSLIDE)
    slide.write_bytes(source.read_bytes())
    for name in ("pipe_a", "pipe_b"):
        os.mkfifo(slide.with_name(name))
    return slide, modules
