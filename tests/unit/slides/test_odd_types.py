"""Numbers and texts of types that programs should not write them in: readers of slides take them."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from slide_files import read_slide, write_dicom, write_tiff

from aignostics_async import ResolutionUnknown, Slide, SlideError
from aignostics_async.slides.privacy._texts_within import texts_within


def _retype(path: Path, tag: int, kind: int, value: bytes, count: int = 1) -> Path:
    """Give a tag of the first directory of a TIFF another type and value."""
    content = bytearray(path.read_bytes())
    (at,) = struct.unpack_from("<I", content, 4)
    (number,) = struct.unpack_from("<H", content, at)
    entry = next(
        each
        for each in range(at + 2, at + 2 + 12 * number, 12)
        if struct.unpack_from("<H", content, each)[0] == tag
    )
    inline = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack("<I", len(content))
    content[entry + 2 : entry + 12] = struct.pack("<HI", kind, count) + inline
    path.write_bytes(content + (value if len(value) > 4 else b""))
    return path


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (3, struct.pack("<H", 20_000)),
        (4, struct.pack("<I", 20_000)),
        (10, struct.pack("<ii", 20_000, 1)),
        (11, struct.pack("<f", 20_000)),
        (12, struct.pack("<d", 20_000)),
    ],
)
async def test_a_resolution_may_be_any_number(tmp_path: Path, kind: int, value: bytes) -> None:
    path = write_tiff(tmp_path / "a.tif", side=256, mpp=0.25)
    for tag in (282, 283):
        _retype(path, tag, kind, value)
    info = await read_slide(Slide(path))
    assert (info.mpp_x, info.mpp_y) == (0.5, 0.5)


@pytest.mark.parametrize(("tag", "kind"), [(296, 2), (296, 11), (282, 2)])
async def test_a_resolution_that_is_no_number_is_none(tmp_path: Path, tag: int, kind: int) -> None:
    """Also a unit, which would be an inch if it were missing."""
    path = _retype(write_tiff(tmp_path / "a.tif", side=256), tag, kind, b"3\0\0\0", 4 if kind == 2 else 1)
    with pytest.raises(ResolutionUnknown):
        await read_slide(Slide(path))


@pytest.mark.parametrize("kind", [1, 2, 6, 7])
async def test_a_description_may_be_bytes(tmp_path: Path, kind: int) -> None:
    text = b"Slide = 1|Patient = Doe Jane"
    path = write_tiff(tmp_path / "a.tif", side=256, description="x" * len(text))
    info = await read_slide(Slide(_retype(path, 270, kind, text, len(text))))
    assert info.identifying == ("patient",)


@pytest.mark.parametrize("text", ["Patient: Müller Jan", "Пациент: Иванов", "患者: 山田", "Pasient: Hansen"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "EXIF"])
async def test_bytes_may_be_text(tmp_path: Path, text: str, encoding: str) -> None:
    value = b"UNICODE\0" + text.encode("utf-16-le") if encoding == "EXIF" else text.encode(encoding)
    path = write_tiff(tmp_path / "a.tif", side=256, tags=[(65000, 7, len(value), value, True)])
    assert (await read_slide(Slide(path))).identifying == ("patient",)


@pytest.mark.parametrize("length", [0, 100, 1_000, 1_000_000])
def test_other_bytes_are_no_text(length: int) -> None:
    assert not list(texts_within(random.Random(1).randbytes(length)))


def _identified(dataset: Any) -> None:
    dataset.PatientIdentityRemoved = "YES"


def _with_text(charset: str | list[str], text: str) -> Callable[[Any], None]:
    def change(dataset: Any) -> None:
        dataset.SpecificCharacterSet = charset
        dataset.ImageComments = text

    return change


def _original_attributes(dataset: Any) -> None:
    inner, outer = pydicom.Dataset(), pydicom.Dataset()
    inner.PatientID = "4711"
    outer.ModifiedAttributesSequence = [inner]
    dataset.OriginalAttributesSequence = [outer]


def _private(kind: str, value: bytes) -> Callable[[Any], None]:
    return lambda dataset: dataset.private_block(9, "VENDOR", create=True).add_new(1, kind, value)


def _sequence() -> bytes:
    inner, file = pydicom.Dataset(), DicomBytesIO()
    inner.PatientID = "4711"
    file.is_little_endian = file.is_implicit_VR = True
    write_dataset(file, inner)
    return b"\xfe\xff\0\xe0" + struct.pack("<I", len(file.getvalue())) + file.getvalue()


def _preamble(dataset: Any) -> None:
    dataset.preamble = b"Patient: Doe Jane, born 1950".ljust(128)


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (_identified, ()),
        (_with_text("ISO_IR 144", "Пациент: Иванов"), ("patient",)),
        (_with_text("GB18030", "姓名: 王小明"), ("patient",)),
        (_with_text(["", "ISO 2022 IR 87"], "患者: 山田"), ("patient",)),
        (_original_attributes, ("patient",)),
        (_private("OB", b"<xml><Patient>Doe</Patient></xml> "), ("patient",)),
        (_private("UN", _sequence()), ("patient",)),
        (_private("UN", b"\xfe\xff\0\xe0\xff\xff"), ()),
        (_preamble, ("patient",)),
    ],
)
async def test_dicom_texts_are_read_as_they_are_written(
    tmp_path: Path, change: Callable[[Any], None], kinds: tuple[str, ...]
) -> None:
    (path,) = write_dicom(tmp_path, levels=1, PatientName="", PatientID="")
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)
    assert (await read_slide(Slide(path))).identifying == kinds


def _zip(
    path: Path, series: list[Path], *, comment: bytes = b"", extra: bytes = b"", folder: str = ""
) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        if folder:
            archive.writestr(zipfile.ZipInfo(folder), b"")
        for number, file in enumerate(series):
            entry = zipfile.ZipInfo(f"{number}.dcm")
            entry.comment, entry.extra = comment, extra
            archive.writestr(entry, file.read_bytes())
    return path


@pytest.mark.parametrize(
    ("written", "kinds"),
    [
        ({}, ()),
        ({"comment": b"Patient: Doe Jane"}, ("patient",)),
        ({"extra": struct.pack("<HH", 0xCAFE, 18) + b"Patient: Doe Jane "}, ("patient",)),
        ({"folder": "Doe_Maria/"}, ("name",)),
    ],
)
async def test_all_texts_of_an_archive_are_read(
    tmp_path: Path, written: dict[str, Any], kinds: tuple[str, ...]
) -> None:
    series = write_dicom(tmp_path / "in", levels=1, PatientName="", PatientID="")
    assert (await read_slide(Slide(_zip(tmp_path / "a.zip", series, **written)))).identifying == kinds


async def test_a_compression_that_is_unknown_is_no_damage(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", write_dicom(tmp_path / "in", levels=1))
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        begin = archive.start_dir
    content[8:10] = content[begin + 10 : begin + 12] = struct.pack("<H", 93)
    path.write_bytes(content)
    with pytest.raises(SlideError) as caught:
        await read_slide(Slide(path))
    assert "pack it again" in caught.value.remedy


async def test_a_single_number_is_no_spacing(tmp_path: Path) -> None:
    (path,) = write_dicom(tmp_path, levels=1)
    dataset = pydicom.dcmread(path)
    dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing = "0.0005"
    dataset.save_as(path)
    with pytest.raises(ResolutionUnknown):
        await read_slide(Slide(path))


async def test_a_single_word_is_no_kind_of_picture(tmp_path: Path) -> None:
    (path,) = write_dicom(tmp_path, levels=1)
    dataset = pydicom.dcmread(path)
    dataset.ImageType = "ORIGINAL"
    dataset.save_as(path)
    with pytest.raises(SlideError, match="do not say what they are pictures of"):
        await read_slide(Slide(path))
