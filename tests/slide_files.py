"""Slides of formats that consist of several files, made for tests."""

from __future__ import annotations

import io
import struct
import uuid
from pathlib import Path

import pydicom
from PIL import Image

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
