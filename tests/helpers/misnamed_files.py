"""Files that are not what their names say, as people report them to readers of slides, and what is said."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import tifffile
from slide_cases import SVS, Case, jpeg_tiles, mirax, other_kind, vms, written
from slide_files import write_dicom, write_tiff

Make = Callable[[Path], Path]


def svs(folder: Path) -> Path:
    return jpeg_tiles(folder / "x.svs", SVS)


def tif(folder: Path) -> Path:
    return write_tiff(folder / "x.tif", side=512)


def dicom(folder: Path) -> Path:
    return write_dicom(folder, levels=1)[0]


def called(name: str, make: Make) -> Callable[[Path], object]:
    """Make a file under another name."""

    def renamed(folder: Path) -> None:
        inside = folder / "made"
        inside.mkdir()
        make(inside).rename(folder / name)
        inside.rmdir()

    return renamed


def changed(make: Make, change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    def make_changed(folder: Path) -> None:
        path = make(folder)
        path.write_bytes(change(path.read_bytes()))

    return make_changed


def field(**fields: Any) -> Callable[[Path], object]:
    """Change elements of a DICOM slide; None removes one."""

    def make(folder: Path) -> None:
        path = dicom(folder)
        dataset = pydicom.dcmread(path)
        for name, value in fields.items():
            if value is None:
                delattr(dataset, name)
            else:
                setattr(dataset, name, value)
        dataset.save_as(path)

    return make


def zipped(name: str, *parts: tuple[str, Make]) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        with zipfile.ZipFile(folder / name, "w") as archive:
            for inside, part in parts:
                scratch = folder / "scratch"
                scratch.mkdir()
                archive.write(part(scratch), inside)
                shutil.rmtree(scratch)

    return make


def tar(folder: Path) -> None:
    with tarfile.open(folder / "a.svs", "w") as archive:
        archive.addfile(tarfile.TarInfo("x.dcm"), io.BytesIO())


def pixels(name: str = "a.tif", **options: Any) -> Callable[[Path], object]:
    """Write a tiled TIFF of other pixels than 8-bit RGB."""
    noise = np.random.default_rng(1).integers(1, 255, (512, 512, 3), dtype=np.uint8)

    def make(folder: Path) -> None:
        array = options.get("of", lambda rgb: rgb)(noise)
        more = {key: value for key, value in options.items() if key != "of"}
        tifffile.imwrite(
            folder / name, array, metadata=None, resolution=(20_000, 20_000), resolutionunit="CENTIMETER",
            tile=(256, 256), **more,
        )  # fmt: skip

    return make


def in_capitals(folder: Path) -> None:
    mirax(folder).rename(folder / "A.MRXS")
    (folder / "a").rename(folder / "A")


def own_folder_in_capitals(folder: Path) -> None:
    mirax(folder)
    (folder / "a").rename(folder / "A")


def vms_in_utf_16(folder: Path) -> None:
    vms(folder)
    (folder / "a.vms").write_text("[Virtual Microscope Specimen]", "utf-16")


def svs_folder(folder: Path) -> None:
    (folder / "a.svs").mkdir()
    svs(folder / "a.svs")


NOT_A_SLIDE = "it is of no slide format that is known here"
TEXT = "it is text, not a slide"
MISNAMED: dict[str, Case] = {
    **{
        f"svs called {name}": Case(called(name, svs))
        for name in (
            "a.ndpi", "a.scn", "a.bif", "a.vms", "a.afi", "a.mrxs", "a.dcm", "a.zip", "a.czi", "a.svslide",
            "a.jpg", "a.txt", "a", "a (copy).svs.bak",
        )
    },
    **{
        f"dicom called {name}": Case(called(name, dicom))
        for name in ("a.svs", "a.tif", "a.mrxs", "a.vms", "a.zip", "a.jpg", "a.afi", "a.vsi", "a.isyntax")
    },
    "svs called vsi": Case(called("a.vsi", svs), r"left out: .*\.vsi"),
    "store's error": Case(
        written("a.svs", b'<?xml version="1.0"?>\n<Error><Code>AccessDenied'), "it is a server's message"
    ),
    "api's error": Case(written("a.svs", b'{"error": "token expired"}'), "it is a server's message"),
    "xhtml": Case(written("a.svs", b'<?xml version="1.0"?><html xmlns="x"/>'), "it is a web page"),
    "commented html": Case(written("a.svs", b"<!-- saved --><html>"), "it is a web page"),
    "text in utf-16": Case(written("a.svs", "no slide".encode("utf-16")), TEXT),
    "xml called scn": Case(written("a.scn", b'<?xml version="1.0"?><scn/>'), TEXT),
    "pgp": Case(written("a.svs", b"-----BEGIN PGP MESSAGE-----\n"), "it is an encrypted file"),
    "tar": Case(tar, "it is a tar archive"),
    "bzip2": Case(written("a.svs", b"BZh9\x17\x72"), "it is a bzip2 archive"),
    "shortcut": Case(written("a.svs.lnk", b"L\0\0\0\x01\x14\x02\0"), "left out: .*a shortcut of Windows"),
    "office document": Case(written("a.tif", b"\xd0\xcf\x11\xe0\xa1\xb1"), "a document of an office program"),
    "webp": Case(written("a.svs", b"RIFF\x10\0\0\0WEBPVP8 "), "it is a WebP picture"),
    "video": Case(written("a.tif", b"\0\0\0\x18ftypmp42\0\0"), "it is a HEIF picture or a video"),
    "hdf5": Case(written("a.tif", b"\x89HDF\r\n\x1a\n\0\0"), "it is an HDF5 file"),
    "photoshop": Case(written("a.tif", b"8BPS\0\x01\0\0"), "it is a picture of Photoshop"),
    "noise": Case(written("a.tif", bytes(range(200, 256)) + bytes(range(200))), NOT_A_SLIDE),
    "office's lock": Case(written("~$a.svs", b"\x05\0Jane"), NOT_A_SLIDE),
    "http answer": Case(changed(svs, lambda it: b"HTTP/1.1 200 OK\r\n\r\n" + it), NOT_A_SLIDE),
    "copied as text": Case(changed(svs, lambda it: it.replace(b"\n", b"\r\n")), "copy|read|zeros|decoded"),
    "junk behind": Case(changed(tif, lambda it: it + bytes(range(256)))),
    "no directory": Case(changed(tif, lambda it: it[:4] + bytes(4) + it[8:]), "a TIFF without a picture"),
    "eight bytes": Case(written("a.tif", b"II*\0\x08\0\0\0"), "its directory of pictures can't be read"),
    "dicom at 128 of a tiff": Case(
        changed(svs, lambda it: it[:128] + b"DICM" + it[132:]), "its header ends too early"
    ),
    "tiff before dicom": Case(changed(dicom, lambda it: b"II*\0\x08\0\0\0" + it[8:])),
    "16 bit": Case(pixels(of=lambda rgb: rgb.astype(np.uint16) * 200, photometric="rgb")),
    "grey": Case(pixels(of=lambda rgb: rgb[..., 0].copy(), photometric="minisblack")),
    "floats": Case(pixels(of=lambda rgb: rgb[..., 0].astype(np.float32)), "its pixels have 32 bits a sample"),
    "focal planes": Case(pixels(of=lambda rgb: np.stack([rgb] * 4), photometric="rgb")),
    "folder called svs": Case(svs_folder),
    "fifo": Case(lambda to: os.mkfifo(to / "a.svs"), "it is no file"),
    "link to itself": Case(lambda to: (to / "a.svs").symlink_to("a.svs"), "Too many levels of symbolic"),
    "new line": Case(called("a\nb.svs", svs)),
    "database": Case(written("a.svs", b"SQLite format 3\0"), "it is a database"),
    "capitals": Case(in_capitals, r"OpenSlide does not read \.MRXS in capitals"),
    "folder in capitals": Case(own_folder_in_capitals, "its folder a is not beside it"),
    "png in front": Case(
        lambda to: mirax(to).write_bytes(b"\x89PNG\r\n\x1a\n"), "it is a PNG picture"
    ),
    "vms in utf-16": Case(vms_in_utf_16, TEXT),
    "dicom without size": Case(field(TotalPixelMatrixColumns=None), "it lacks TotalPixelMatrixColumns"),
    "dicom without series": Case(field(SeriesInstanceUID=None), "it lacks SeriesInstanceUID"),
    "dicom of no type": Case(field(ImageType=None), "do not say what they are pictures of"),
    "dicom of no frames": Case(field(NumberOfFrames=0), "has 1 of 16 tiles"),
    "dicom of a private kind": Case(other_kind("1.2.276.0.7230010.3.1.0.1"), "kind of DICOM that is unknown"),
    "annotations": Case(other_kind("1.2.840.10008.5.1.4.1.1.91.1"), "left out: .*Annotations Storage"),
    "header and no more": Case(written("a.dcm", bytes(128) + b"DICM"), "its header ends too early"),
    "zip called dcm": Case(zipped("a.dcm", ("x.dcm", dicom))),
    "zip called svs": Case(zipped("a.svs", ("x.dcm", dicom))),
    "zip of svs": Case(zipped("a.zip", ("a.svs", svs)), "left out: .*ZIP archive"),
    "zip of svs called svs": Case(zipped("a.svs", ("a.svs", svs)), r"with a\.svs, which is no DICOM file"),
    "zip of two series": Case(zipped("a.zip", ("x", dicom), ("y", dicom)), "not of one DICOM series"),
    "empty zip": Case(zipped("a.zip"), "left out: .*an empty ZIP archive"),
    "ndpis": Case(written("a.ndpis", b"[NanoZoomer Digital Pathology Image Set]"), r"left out: .*\.ndpis"),
    "czi cut": Case(written("a.tif", b"ZISRAWFILE" + bytes(range(72))), "OpenSlide can't read it"),
    "isyntax called tiff": Case(written("a.tiff", b"<DataObject ObjectType='DPUfsImport'>"), r"\.isyntax"),
}  # fmt: skip
