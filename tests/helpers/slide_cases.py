"""Files and folders as labs have them, whole and with faults, and what is said of each.

A case makes its files in a folder of its own. `says` is a pattern of the problem; empty for a slide without a
fault, and `left out: ...` for what is no slide.
"""

from __future__ import annotations

import io
import random
import shutil
import struct
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import tifffile
from attrs import frozen
from numpy.typing import NDArray
from PIL import Image
from slide_files import picture, write_dicom, write_mirax, write_tiff

SVS = "Aperio Image Library v12.0.15\r\n512x512 (256x256) JPEG/RGB Q=70|AppMag = 20|MPP = 0.5"
OME = (
    '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    '<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint8" SizeX="512" SizeY="512" '
    'SizeC="3" SizeZ="1" SizeT="1" PhysicalSizeX="0.5" PhysicalSizeXUnit="µm" PhysicalSizeY="0.5" '
    'PhysicalSizeYUnit="µm"><TiffData/></Pixels></Image></OME>'
)


@frozen
class Case:
    """Files in a folder, and what is said of them."""

    make: Callable[[Path], object]
    says: str = ""


def tiff(folder: Path, name: str = "a.tiff", **options: Any) -> Path:
    return write_tiff(folder / name, **{"side": 512, **options})


def jpeg_tiles(path: Path, description: str | bytes | None = None) -> Path:
    """Write a TIFF as scanners do: tiles of JPEG first, then the directory."""
    noise = np.random.default_rng(1).integers(90, 220, (512, 512, 3), dtype=np.uint8)
    tiles = [_as_jpeg(noise[y : y + 256, x : x + 256]) for y in (0, 256) for x in (0, 256)]
    values: dict[int, tuple[str, list[int]]] = {
        256: ("I", [512]), 257: ("I", [512]), 258: ("H", [8, 8, 8]), 259: ("H", [7]), 262: ("H", [6]),
        277: ("H", [3]), 282: ("R", [20_000, 1]), 283: ("R", [20_000, 1]), 296: ("H", [3]), 322: ("I", [256]),
        323: ("I", [256]), 324: ("I", [8 + sum(map(len, tiles[:number])) for number in range(4)]),
        325: ("I", [len(tile) for tile in tiles]), 530: ("H", [1, 1]),
    }  # fmt: skip
    if description:
        values[270] = ("s", [*description.encode(), 0] if isinstance(description, str) else [*description, 0])
    at = 8 + sum(map(len, tiles))
    more, after = b"", at + 2 + 12 * len(values) + 4
    directory = struct.pack("<H", len(values))
    for tag, (form, numbers) in sorted(values.items()):
        code = {"s": 2, "H": 3, "I": 4, "R": 5}[form]
        unit = {"s": "B", "R": "I"}.get(form, form)
        content = struct.pack(f"<{len(numbers)}{unit}", *numbers)
        amount = len(numbers) // (2 if form == "R" else 1)
        if len(content) > 4:
            directory += struct.pack("<HHII", tag, code, amount, after + len(more))
            more += content
        else:
            directory += struct.pack("<HHI4s", tag, code, amount, content)
    path.write_bytes(struct.pack("<2sHI", b"II", 42, at) + b"".join(tiles) + directory + bytes(4) + more)
    return path


def _as_jpeg(tile: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(tile).save(file, "JPEG", quality=50, subsampling=0)
    return file.getvalue()


def svs(folder: Path, **options: Any) -> Path:
    if options.keys() <= {"description"}:
        return jpeg_tiles(folder / "a.svs", options.get("description", SVS))
    return tiff(folder, "a.svs", **{"description": SVS, **options})


def ome(folder: Path, **options: Any) -> Path:
    return tiff(folder, "a.ome.tiff", **{"description": OME.encode(), "mpp": None, **options})


def mirax(folder: Path) -> Path:
    return write_mirax(folder / "a.mrxs")


def vms(folder: Path, *, missing: str = "") -> None:
    text = "[Virtual Microscope Specimen]\nNoLayers=1\nImageFile=s.jpg\nMapFile=map.jpg\n"
    (folder / "a.vms").write_text(text)
    for name in {"s.jpg", "map.jpg"} - {missing}:
        Image.new("RGB", (64, 64)).save(folder / name)


def cut(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def zero_tail(path: Path, share: float) -> Path:
    content = path.read_bytes()
    kept = int(len(content) * (1 - share))
    path.write_bytes(content[:kept] + bytes(len(content) - kept))
    return path


def written(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def damaged_series(number: int, damage: Callable[[Path], object]) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        damage(write_dicom(folder, levels=3)[number])

    return make


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def second_series(folder: Path) -> None:
    write_dicom(folder, name="a{}.dcm")
    write_dicom(folder, name="b{}.dcm")


def over_two_folders(folder: Path) -> None:
    paths = write_dicom(folder / "1", levels=3)
    (folder / "2").mkdir()
    shutil.move(paths[1], folder / "2" / "x")


def other_kind(uid: str) -> Callable[[Path], object]:
    def make(folder: Path) -> None:
        (path,) = write_dicom(folder, levels=1)
        dataset = pydicom.dcmread(path)
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = pydicom.uid.UID(uid)
        dataset.save_as(path)

    return make


def same_instance(folder: Path) -> None:
    path, *_ = write_dicom(folder)
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    (folder / "z.dcm").write_bytes(content)


def copied(folder: Path) -> None:
    path, *_ = write_dicom(folder)
    shutil.copy(path, folder / "z.dcm")


def raw_dicom(folder: Path, syntax: str = pydicom.uid.ExplicitVRLittleEndian, zeros: float = 0.0) -> Path:
    """Write a series whose largest level is not compressed; a part of its pixels may be missing."""
    path = write_dicom(folder)[0]
    dataset = pydicom.dcmread(path)
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    frames, side = dataset.NumberOfFrames, dataset.Rows
    noise = np.random.default_rng(1).integers(90, 220, frames * side * side * 3, dtype=np.uint8)
    noise[int(len(noise) * (1 - zeros)) :] = 0
    dataset.PixelData = noise.tobytes()
    dataset.PhotometricInterpretation, dataset["PixelData"].VR = "RGB", "OB"
    dataset["PixelData"].is_undefined_length = False
    is_implicit = dataset.file_meta.TransferSyntaxUID.is_implicit_VR
    dataset.save_as(path, implicit_vr=is_implicit, little_endian=True)
    return path


def exported_twice(folder: Path) -> None:
    for name in ("a{}.dcm", "b{}.dcm"):
        write_dicom(folder, name=name, series="2.25.71")


def measurements(folder: Path) -> None:
    tifffile.imwrite(folder / "a.tiff", np.ones((512, 512), np.float32), tile=(256, 256))


def slide_in_mirax(folder: Path) -> None:
    mirax(folder)
    (folder / "a" / "deep").mkdir()
    (folder / "a" / "Thumbs.db").write_bytes(b"x")
    (folder / "a" / "deep" / "b.svs").write_bytes(b"")


def zipped(folder: Path, *, names: str = "{}", content: bytes | None = None) -> Path:
    paths = write_dicom(folder / ".in")
    target = folder / "a.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for path in paths:
            archive.writestr(names.format(path.name), path.read_bytes() if content is None else content)
    shutil.rmtree(folder / ".in")
    return target


def without_preamble(folder: Path) -> None:
    (path,) = write_dicom(folder, levels=1, name="IM")
    path.write_bytes(path.read_bytes()[132:])


def zipped_label(folder: Path) -> None:
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        for path in write_dicom(folder / ".in", flavours=["LABEL"]):
            archive.write(path, path.name)
    shutil.rmtree(folder / ".in")


def add_to(path: Path, name: str) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"x")


def without_folder(folder: Path) -> None:
    mirax(folder)
    shutil.rmtree(folder / "a")


def jpeg(folder: Path, name: str) -> None:
    Image.new("RGB", (64, 64)).save(folder / name, "JPEG")


COPY = "not copied|cut|ends within|would end at|its pixels|zeros|can't be (read|decoded)"
CASES: dict[str, Case] = {
    "tiff": Case(tiff),
    "tiff without suffix": Case(lambda to: tiff(to, "a")),
    "tiff called bak": Case(lambda to: tiff(to, "a.bak")),
    "tiff, big": Case(lambda to: tiff(to, bigtiff=True)),
    "tiff, big-endian": Case(lambda to: tiff(to, byteorder=">"), "OpenSlide can't read it as a slide"),
    "tiff, raw": Case(lambda to: tiff(to, compression=None)),
    "tiff of jpeg tiles": Case(lambda to: jpeg_tiles(to / "a.tiff")),
    "tiff of jpeg tiles, zeros": Case(lambda to: zero_tail(jpeg_tiles(to / "a.tiff"), 0.1), COPY),
    "tiff at 10 %": Case(lambda to: cut(tiff(to), 0.1), COPY),
    "tiff at 50 %": Case(lambda to: cut(tiff(to), 0.5), COPY),
    "tiff at 99 %": Case(lambda to: cut(tiff(to), 0.99), COPY),
    "tiff, 5 % zeros": Case(lambda to: zero_tail(tiff(to), 0.05), COPY),
    "tiff, half zeros": Case(lambda to: zero_tail(tiff(to), 0.5), COPY),
    "tiff, all zeros": Case(lambda to: zero_tail(tiff(to), 1.0), "nothing but zeros"),
    "tiff, raw, cut": Case(lambda to: cut(tiff(to, compression=None), 0.9), COPY),
    "tiff without resolution": Case(lambda to: tiff(to, mpp=None), "has no resolution"),
    "tiff at 72 dpi": Case(lambda to: tiff(to, mpp=352.8), "reads as 352.8 µm per pixel"),
    "tiff with a macro in front": Case(
        lambda to: tiff(to, side=512, extra=[(picture(2000, 1600), "slide")]), "another one in it"
    ),
    "tiff with a label": Case(lambda to: tiff(to, extra=[(picture(300, 200), "label")])),
    "svs": Case(svs),
    "svs in capitals": Case(lambda to: svs(to).rename(to / "A.SVS")),
    "svs at 50 %": Case(lambda to: cut(svs(to), 0.5), COPY),
    "svs, half zeros": Case(lambda to: zero_tail(svs(to), 0.5), COPY),
    "svs of a patient": Case(
        lambda to: svs(to, description=SVS + "|Patient = Doe, Jane"), "its header names the patient"
    ),
    "svs with a Latin-1 key": Case(lambda to: svs(to, description=(SVS + "|Prüfer = x").encode("latin-1"))),
    "ome": Case(ome),
    "ome in nm": Case(
        lambda to: ome(to, description=OME.replace("µm", "nm").replace('0.5"', '500"').encode())
    ),
    "ome at 90 %": Case(lambda to: cut(ome(to), 0.9), COPY),
    "ome, zeros": Case(lambda to: zero_tail(ome(to), 0.3), COPY),
    "dicom": Case(lambda to: write_dicom(to, levels=3)),
    "dicom without suffix": Case(lambda to: write_dicom(to, levels=3, name="IM{:04}")),
    "dicom in two folders": Case(over_two_folders),
    "dicom with label": Case(lambda to: write_dicom(to, flavours=["LABEL", "OVERVIEW"])),
    "dicom without base": Case(damaged_series(0, Path.unlink), "full resolution is missing"),
    "dicom, base empty": Case(damaged_series(0, lambda path: path.write_bytes(b"")), r"0\.dcm.* is empty"),
    "dicom, base cut": Case(damaged_series(0, lambda path: cut(path, 0.5)), r"0\.dcm.*do not end"),
    "dicom, base zeros": Case(damaged_series(0, lambda path: zero_tail(path, 0.5)), r"0\.dcm.*do not end"),
    "dicom, level cut": Case(damaged_series(1, lambda path: cut(path, 0.5)), r"1\.dcm.*do not end"),
    "dicom, few tiles": Case(lambda to: write_dicom(to, NumberOfFrames=3), r"0\.dcm has 3 of 16 tiles"),
    "dicom, two series": Case(second_series),
    "dicom, a copy": Case(copied),
    "dicom, one instance twice": Case(same_instance, "same instance of its series, with other bytes"),
    "dicom of a patient": Case(lambda to: write_dicom(to, PatientName="Doe^J"), "names the patient"),
    "dicom, ct": Case(other_kind("1.2.840.10008.5.1.4.1.1.2"), "left out: .*CT Image Storage"),
    "dicom, sr": Case(other_kind("1.2.840.10008.5.1.4.1.1.88.11"), "left out: .*Basic Text SR"),
    "dicom, seg": Case(other_kind("1.2.840.10008.5.1.4.1.1.66.4"), "left out: .*Segmentation Storage"),
    "dicom, only a label": Case(
        lambda to: write_dicom(to, levels=0, flavours=["LABEL"]), "every picture of tissue is missing"
    ),
    "dicom called dcm and no dicom": Case(written("a.dcm", b"x" * 600), "it is text, not a slide"),
    "dicom, raw": Case(raw_dicom),
    "dicom, raw, zeros": Case(lambda to: raw_dicom(to, zeros=0.4), r"0\.dcm.* nothing but zeros"),
    "dicom, implicit": Case(
        lambda to: raw_dicom(to, pydicom.uid.ImplicitVRLittleEndian), r"0\.dcm: .*syntax Implicit VR"
    ),
    "dicom, deflated": Case(
        lambda to: raw_dicom(to, pydicom.uid.DeflatedExplicitVRLittleEndian), r"0\.dcm.*it is deflated"
    ),
    "dicom without a series": Case(lambda to: write_dicom(to, SeriesInstanceUID=""), "lacks SeriesInstance"),
    "dicom without an instance": Case(lambda to: write_dicom(to, SOPInstanceUID=""), "lacks SOPInstanceUID"),
    "dicom of no kind of picture": Case(lambda to: write_dicom(to, ImageType=[]), "do not say what they are"),
    "dicom, exported twice": Case(exported_twice, r"several pictures of 512 x 512.* a0\.dcm and b0\.dcm"),
    "tiff of 32 bits": Case(measurements, "its pixels have 32 bits a sample"),
    "zip": Case(zipped),
    "zip, cut": Case(lambda to: cut(zipped(to), 0.5), "left out: .*ZIP archive"),
    "zip of a path that leads out": Case(lambda to: zipped(to, names="../{}"), "leads out of it"),
    "zip of text": Case(lambda to: zipped(to, content=b"x"), "left out: .*ZIP archive"),
    "mirax": Case(mirax),
    "mirax without folder": Case(without_folder, r"its folder a is not beside it"),
    "mirax without data": Case(
        lambda to: Path.unlink(mirax(to).with_suffix("") / "Data0000.dat"), r"Data0000\.dat.* missing"
    ),
    "mirax, data cut": Case(lambda to: (mirax(to), cut(to / "a/Data0000.dat", 0.5)), r"Data0000\.dat has"),
    "mirax, data zeros": Case(
        lambda to: (mirax(to), zero_tail(to / "a/Data0000.dat", 0.5)), r"Data0000\.dat ends in zeros"
    ),
    "mirax, index cut": Case(lambda to: (mirax(to), cut(to / "a/Index.dat", 0.5)), r"Index\.dat.*damaged"),
    "mirax, ini with zeros": Case(
        lambda to: (mirax(to), zero_tail(to / "a/Slidedat.ini", 0.1)), r"Slidedat\.ini is damaged"
    ),
    "a slide in the folder of a mirax": Case(slide_in_mirax, r"it is empty \(0 bytes\)"),
    "vms, one missing": Case(lambda to: vms(to, missing="map.jpg"), r"map\.jpg.* missing"),
    "empty svs": Case(written("a.svs", b""), r"it is empty \(0 bytes\)"),
    "zeros called ndpi": Case(written("a.ndpi", bytes(9000)), "nothing but zeros"),
    "html called svs": Case(written("a.svs", b"<!DOCTYPE html><html>"), "it is a web page"),
    "git lfs called svs": Case(
        written("a.svs", b"version https://git-lfs.github.com/spec/v1"), "Git LFS pointer"
    ),
    "jpeg called tif": Case(lambda to: jpeg(to, "a.tif"), "it is a JPEG picture"),
    "png called tiff": Case(written("a.tiff", b"\x89PNG\r\n\x1a\n"), "it is a PNG picture"),
    "pdf called svs": Case(written("a.svs", b"%PDF-1.7"), "it is a PDF document"),
    "gzip called svs": Case(written("a.svs", b"\x1f\x8b\x08"), "it is a gzip archive"),
    "text called scn": Case(written("a.scn", b"see the other folder"), "it is text, not a slide"),
    "striped tiff": Case(
        lambda to: Image.new("RGB", (64, 64)).save(to / "a.tif"), "it is a TIFF without tiles"
    ),
    "isyntax": Case(written("a.isyntax", b"<DataObject ObjectType='DPUfsImport'>"), r"left out: .*\.isyntax"),
    "dicom without preamble": Case(without_preamble, "left out: .*without the preamble"),
    "svs under way": Case(lambda to: svs(to).rename(to / "a.svs.part"), "left out: .*is not finished"),
    "svs packed": Case(written("a.svs.gz", b"\x1f\x8b\x08"), "left out: .*gzip archive"),
    "mirax folder alone": Case(lambda to: Path.unlink(mirax(to)), "left out: .*whose .mrxs file is not"),
    "zip with a label": Case(zipped_label, "its archive holds a picture of its label"),
    "zip by a Mac": Case(lambda to: add_to(zipped(to), "__MACOSX/._0.dcm"), "which is no DICOM file"),
    "dicom, a part missing": Case(
        lambda to: write_dicom(to, ConcatenationUID="2.25.7", InConcatenationTotalNumber=2), "part 2 of 2"
    ),
    "notes": Case(written("notes.txt", b"x"), "left out: it is text"),
    "a hidden slide": Case(lambda to: tiff(to, ".a.tiff"), "left out: hidden"),
    "a slide in the trash": Case(
        lambda to: tiff(made(to / "#recycle")), "left out: trash"
    ),
    "a link to nothing": Case(lambda to: (to / "a.svs").symlink_to("gone"), "leads to no file"),
}  # fmt: skip


def make_cases(root: Path, cases: Mapping[str, Case] = CASES) -> dict[str, Path]:
    """Make cases below a folder, and return the folder of each."""
    folders = {}
    for number, (name, case) in enumerate(cases.items()):
        folders[name] = root / f"{number:02}"
        folders[name].mkdir()
        case.make(folders[name])
    return folders


def flip(path: Path, random: random.Random) -> None:
    """Change some bits of a file behind its first 4 KiB, or anywhere in a smaller one."""
    content = bytearray(path.read_bytes())
    for _ in range(8):
        content[random.randrange(min(4096, len(content) // 2), len(content))] ^= 1 << random.randrange(8)
    path.write_bytes(content)


__all__ = [
    "OME",
    "SVS",
    "jpeg_tiles",
    "other_kind",
    "raw_dicom",
    "CASES",
    "Case",
    "cut",
    "flip",
    "make_cases",
    "mirax",
    "ome",
    "svs",
    "tiff",
    "vms",
    "written",
    "zero_tail",
]
