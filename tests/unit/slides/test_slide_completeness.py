"""A slide is whole, or it is refused: half a copy, a copy under way, damaged bytes."""

from __future__ import annotations

import os
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image
from pydicom.uid import UID
from slide_cases import OME, SVS, jpeg_tiles, ome, raw_dicom, svs, tiff, zero_tail
from slide_files import make_old, read_slide, write_dicom, write_mirax, write_tiff

from aignostics_async import Slide, SlideError, find_slides
from aignostics_async.slides.formats._tiff import read_tiff

INCOMPLETE = "copy it again"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("options", [{}, {"bigtiff": True}])
async def test_a_tiff_that_ends_too_early_is_refused(
    tmp_path: Path, share: float, options: dict[str, Any]
) -> None:
    path = write_tiff(tmp_path / "a.tiff", **options)
    assert (await read_slide(Slide(path))).width == 1024
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SlideError, match=INCOMPLETE):
        await read_slide(Slide(path))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_directories_are_read_in_both_orders(tmp_path: Path, order: str, bigtiff: bool) -> None:
    path = write_tiff(tmp_path / "a.tiff", byteorder=order, bigtiff=bigtiff)
    tiff = read_tiff(path)
    tiff.check_complete()
    assert (tiff.largest.width, tiff.largest.bits, len(tiff.largest.pieces)) == (1024, 8, 16)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("compression", ["zlib", None])
async def test_a_tiff_whose_end_is_zeros_is_refused(
    tmp_path: Path, share: float, compression: str | None
) -> None:
    """A copy over SMB begins with the full length, and zeros where its bytes are not yet."""
    path = write_tiff(tmp_path / "a.tiff", compression=compression)
    content = path.read_bytes()
    kept = int(len(content) * share)
    path.write_bytes(content[:kept] + bytes(len(content) - kept))
    with pytest.raises(SlideError, match=INCOMPLETE):
        await read_slide(Slide(path))


async def test_a_tile_that_lies_beyond_the_file_is_seen_in_any_level(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tiff")
    with tifffile.TiffFile(path) as tiff:
        offsets = tiff.pages.first.tags["TileOffsets"]
        place, count, size = offsets.valueoffset, offsets.count, path.stat().st_size
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, place + 4 * (count // 2), size - 10)
    path.write_bytes(content)
    with pytest.raises(SlideError, match=rf"it has {size:,} bytes, and its pixels would end at"):
        await read_slide(Slide(path))


async def test_a_last_tile_that_can_t_be_decoded_is_refused(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tiff")
    with tifffile.TiffFile(path) as tiff:
        offset, length = tiff.pages[0].dataoffsets[-1], tiff.pages[0].databytecounts[-1]
    content = bytearray(path.read_bytes())
    content[offset : offset + length] = b"\x55" * length
    path.write_bytes(content)
    with pytest.raises(SlideError, match="its last tile can't be decoded"):
        await read_slide(Slide(path))


@pytest.mark.parametrize("share", [0.5, 0.99])
@pytest.mark.parametrize("is_padded", [False, True])
async def test_a_dicom_file_that_is_cut_or_zeros_is_refused(
    tmp_path: Path, share: float, is_padded: bool
) -> None:
    paths = write_dicom(tmp_path, levels=2)
    content = paths[1].read_bytes()
    kept = int(len(content) * share)
    paths[1].write_bytes(content[:kept] + bytes(len(content) - kept if is_padded else 0))
    (slide,) = find_slides(tmp_path)
    with pytest.raises(SlideError, match=r"1\.dcm, which may be a part of it, .*: its pixels do not end"):
        await read_slide(slide)


async def test_a_file_that_was_written_to_seconds_ago_is_remarked(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tiff")
    assert [each.problem for each in (await read_slide(Slide(path))).remarks] == [
        "it was written to seconds ago"
    ]
    make_old(path)
    assert (await read_slide(Slide(path))).remarks == ()


async def test_the_real_slides_are_whole(shared: Path, tmp_path: Path) -> None:
    for name in ("tissue_ihc.tiff", "small.svs"):
        source = shared / "slides" / name
        assert (await read_slide(Slide(source))).files == (source,)
        cut = Path(shutil.copy(source, tmp_path))
        cut.write_bytes(source.read_bytes()[: source.stat().st_size * 2 // 3])
        with pytest.raises(SlideError, match=INCOMPLETE):
            await read_slide(Slide(cut))


async def test_whatever_a_reader_raises_is_an_error_of_its_slide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import openslide

    path = write_mirax(tmp_path / "a.mrxs")

    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("no tiles")

    monkeypatch.setattr(openslide.OpenSlide, "read_region", broken)
    with pytest.raises(SlideError, match=r"its reader failed \(ZeroDivisionError: no tiles\)") as caught:
        await read_slide(Slide(path))
    assert caught.value.path == str(path)


async def test_a_description_that_is_no_utf_8_does_not_matter(tmp_path: Path) -> None:
    words = "Aperio Image Library|MPP = 0.25|AppMag = 40|Prüfer = Weiß".encode("latin-1")
    path = write_tiff(tmp_path / "a.svs", description=words)
    info = await read_slide(Slide(path))
    assert (info.width, info.mpp_x) == (1024, 0.25)


async def test_every_part_of_a_concatenation_is_there(tmp_path: Path) -> None:
    base, *_ = write_dicom(tmp_path, levels=2)
    dataset = pydicom.dcmread(base)
    dataset.ConcatenationUID, dataset.InConcatenationTotalNumber = "2.25.7", 2
    for number in (1, 2):
        dataset.InConcatenationNumber = number
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = UID(f"2.25.7{number}")
        dataset.save_as(tmp_path / f"part{number}")
    base.unlink()
    (slide,) = find_slides(tmp_path)
    assert len(slide.files) == 3
    (tmp_path / "part2").unlink()
    (slide,) = find_slides(tmp_path)
    with pytest.raises(SlideError, match="part 2 of 2 of one of its pictures is missing"):
        await read_slide(slide)
    dataset.InConcatenationNumber, dataset.InConcatenationTotalNumber = 1, 60_000
    dataset.save_as(tmp_path / "part1")
    (slide,) = find_slides(tmp_path)
    with pytest.raises(SlideError, match=r"part 2, 3, .* 21 and 59979 more of 60000 of one of its pictures"):
        await read_slide(slide)


@pytest.mark.parametrize("mpp", ["1", "0.08"])
async def test_a_resolution_that_does_not_fit_the_objective_is_told(tmp_path: Path, mpp: str) -> None:
    path = svs(tmp_path, description=SVS.replace("MPP = 0.5", f"MPP = {mpp}"))
    remark, *_ = (await read_slide(Slide(make_old(path)))).remarks
    assert remark.problem == f"its resolution of {mpp} µm per pixel does not fit its objective (20 times)"


def ome_of(*names: str) -> str:
    """Return an OME description of a picture whose planes are in several files."""
    data = "".join(f'<TiffData IFD="0"><UUID FileName="{name}">x</UUID></TiffData>' for name in names)
    return OME.replace("<TiffData/>", data)


async def test_a_part_of_an_ome_slide_is_refused(tmp_path: Path) -> None:
    path = ome(tmp_path, description=ome_of("a.ome.tiff", "b.ome.tiff").encode())
    with pytest.raises(SlideError, match=r"pixels are in a\.ome\.tiff, b\.ome\.tiff; export"):
        await read_slide(Slide(path))
    path = ome(tmp_path, description=ome_of("called otherwise.ome.tiff").encode())
    assert (await read_slide(Slide(make_old(path)))).remarks == ()


async def test_other_pictures_of_an_ome_description_are_told(tmp_path: Path) -> None:
    other = ome_of("label.ome.tiff").replace('"512"', '"99"')
    path = ome(tmp_path, description=(ome_of("a.ome.tiff") + other).encode())
    (remark,) = (await read_slide(Slide(make_old(path)))).remarks
    assert remark.problem == "its OME description names other files, which are not sent"


async def test_a_description_in_a_file_of_its_own_is_read(tmp_path: Path) -> None:
    words = b'<OME><BinaryOnly MetadataFile="a.companion.ome" UUID="x"/></OME>'
    path = ome(tmp_path, description=words)
    with pytest.raises(SlideError, match=r"a\.companion\.ome, which says .* \(No such file.*\); copy it"):
        await read_slide(Slide(path))
    companion = tmp_path / "a.companion.ome"
    companion.write_text(ome_of("a.ome.tiff"), "utf-8")
    assert (await read_slide(Slide(path))).mpp_x == 0.5
    companion.write_text(ome_of("a.ome.tiff", "b.ome.tiff"), "utf-8")
    with pytest.raises(SlideError, match="it is a part of a slide"):
        await read_slide(Slide(path))


async def test_levels_that_all_say_to_be_scanned_are_warned_of(tmp_path: Path) -> None:
    make_old(*write_dicom(tmp_path, levels=2, ImageType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]))
    (slide,) = find_slides(tmp_path)
    (remark,) = (await read_slide(slide)).remarks
    assert remark.problem == "its files do not tell which of them is of full resolution"


NUMBERED = "the files of its series are numbered, and number {} is not there"
STEP = "its levels leave out a step between 512 and 128 pixels across"


@pytest.mark.parametrize(
    ("levels", "fields", "missing", "problems"),
    [
        (3, {}, [1], [NUMBERED.format(2)]),  # two levels are left, and any step is possible
        (4, {}, [2], [NUMBERED.format(3), "its levels leave out a step between 256 and 64 pixels across"]),
        (5, {}, [1], [NUMBERED.format(2), STEP]),
        (5, {}, [3], [NUMBERED.format(4), "its levels leave out a step between 128 and 32 pixels across"]),
        (3, {"flavours": ["LABEL"]}, [2], [NUMBERED.format(3), "pictures of its label or the whole glass"]),
        (5, {"InstanceNumber": 1}, [1], [STEP]),
        (5, {"InstanceNumber": None}, [1], [STEP]),
        (3, {"InstanceNumber": 40_000}, [], []),
        (4, {}, [3], []),  # the smallest may never have been there
        (4, {}, [], []),
    ],
)
async def test_a_level_that_seems_to_be_missing_is_told(
    tmp_path: Path, levels: int, fields: dict[str, Any], missing: list[int], problems: list[str]
) -> None:
    paths = write_dicom(tmp_path, levels=levels, **fields)
    make_old(*paths)
    for number in missing:
        paths[number].unlink()
    (slide,) = find_slides(tmp_path)
    remarks = (await read_slide(slide)).remarks
    assert len(remarks) == len(problems)
    assert all(map(str.startswith, [each.problem for each in remarks], problems))


@pytest.mark.parametrize("entry", [1, 2, 15])
async def test_a_table_that_points_out_of_a_dicom_file_is_refused(tmp_path: Path, entry: int) -> None:
    base, *_ = write_dicom(tmp_path)
    content = bytearray(base.read_bytes())
    table = content.index(b"\xe0\x7f\x10\0OB") + 20
    content[table + 4 * entry : table + 4 * entry + 4] = struct.pack("<I", 0x7F00_0000)
    base.write_bytes(content)
    (slide,) = find_slides(tmp_path)
    with pytest.raises(SlideError, match=r"0\.dcm.*(table of tiles is damaged|not where its table says)"):
        await read_slide(slide)


@pytest.mark.parametrize(("name", "value", "missing"), [("ImageWidth", 1025, 4), ("TileLength", 128, 16)])
async def test_a_directory_that_lists_too_few_tiles_is_refused(
    tmp_path: Path, name: str, value: int, missing: int
) -> None:
    path = write_tiff(tmp_path / "a.tiff")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages.first.tags[name].overwrite(value)
    with pytest.raises(SlideError, match=f"its directory lists {missing} tiles too few"):
        await read_slide(Slide(path))


async def test_a_tile_that_no_memory_holds_is_refused(tmp_path: Path) -> None:
    path = jpeg_tiles(tmp_path / "a.tiff")
    content = path.read_bytes()
    entry = struct.pack("<HHII", 322, 4, 1, 256)
    path.write_bytes(content.replace(entry, struct.pack("<HHII", 322, 4, 1, 0x7000_0000)))
    with pytest.raises(SlideError, match="which no slide has"):
        await read_slide(Slide(path))


async def test_a_hole_in_the_middle_is_seen(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tiff")
    content = bytearray(path.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = bytes(third)
    path.write_bytes(content)
    with pytest.raises(SlideError, match=INCOMPLETE):
        await read_slide(Slide(path))


async def test_a_hole_in_the_middle_of_a_dicom_file_is_seen(tmp_path: Path) -> None:
    path = write_dicom(tmp_path, levels=1)[0]
    content = bytearray(path.read_bytes())
    begin, length = len(content) * 4 // 10, len(content) // 5
    content[begin : begin + length] = bytes(length)
    path.write_bytes(content)
    with pytest.raises(SlideError, match="begins with nothing but zeros, or ends in them"):
        await read_slide(Slide(path))


def without_table(path: Path) -> bytes:
    """Return a DICOM file whose table of tiles is empty, as many programs write it."""
    content = path.read_bytes()
    at = content.index(b"\xe0\x7f\x10\0OB") + 16
    (length,) = struct.unpack_from("<I", content, at)
    return content[:at] + bytes(4) + content[at + 4 + length :]


async def test_tiles_without_a_table_are_counted_and_looked_at(tmp_path: Path) -> None:
    base, _ = write_dicom(tmp_path)
    whole = without_table(base)
    base.write_bytes(whole)
    (slide,) = find_slides(tmp_path)
    assert (await read_slide(slide)).width == 512
    item = b"\xfe\xff\0\xe0"
    pixels = whole.index(b"\xe0\x7f\x10\0OB")
    third = [at for at in range(pixels, len(whole)) if whole.startswith(item, at)][3]
    (length,) = struct.unpack_from("<I", whole, third + 4)
    hole = whole[: third + 8] + bytes(length) + whole[third + 8 + length :]
    short = whole[:third] + whole[third + 8 + length :]
    beyond = whole[: third + 4] + struct.pack("<I", 2**31) + whole[third + 8 :]
    astray = whole[: third + 4] + struct.pack("<I", length - 2) + whole[third + 8 :]
    for content, words in (
        (hole, "a tile of it begins with nothing but zeros"), (short, "it has 15 of 16 tiles"),
        (beyond, "would end beyond the file"), (astray, "it has 3 of 16 tiles"),
    ):  # fmt: skip
        base.write_bytes(content)
        with pytest.raises(SlideError, match=words):
            await read_slide(Slide(base, files=slide.files))


async def test_a_table_that_lists_too_few_tiles_is_refused(tmp_path: Path) -> None:
    base, *_ = write_dicom(tmp_path, levels=1)
    content = base.read_bytes()
    at = content.index(b"\xe0\x7f\x10\0OB") + 16
    (length,) = struct.unpack_from("<I", content, at)
    table = content[at + 4 : at + length]
    base.write_bytes(content[:at] + struct.pack("<I", length - 4) + table + content[at + 4 + length :])
    with pytest.raises(SlideError, match="its table lists 15 of 16 tiles"):
        await read_slide(Slide(base))


@pytest.mark.parametrize("is_end", [False, True])
async def test_a_hole_in_any_tile_of_a_smaller_level_is_seen(tmp_path: Path, is_end: bool) -> None:
    path = tmp_path / "a.tiff"
    noise = np.random.default_rng(1).integers(100, 220, (1024, 1024, 3), dtype=np.uint8)
    with tifffile.TiffWriter(path) as tiff:
        for step in (1, 2):
            tiff.write(
                noise[::step, ::step], photometric="rgb", tile=(256, 256), compression="zlib", metadata=None,
                resolution=(20_000, 20_000), resolutionunit="CENTIMETER", subfiletype=step - 1,
            )  # fmt: skip
    assert (await read_slide(Slide(path))).width == 1024
    with tifffile.TiffFile(path) as tiff:
        offset, length = tiff.pages[1].dataoffsets[1], tiff.pages[1].databytecounts[1]
    content = bytearray(path.read_bytes())
    begin = offset + (length // 2 if is_end else 0)
    content[begin : begin + length // 2 + 1] = bytes(length // 2 + 1)
    path.write_bytes(content)
    with pytest.raises(SlideError, match="a tile of it begins with nothing but zeros, or ends in them"):
        await read_slide(Slide(path))


async def test_a_hole_in_the_pixels_of_a_mirax_slide_is_seen(tmp_path: Path) -> None:
    path = write_mirax(tmp_path / "a.mrxs")
    data = tmp_path / "a" / "Data0000.dat"
    content = bytearray(data.read_bytes())
    content[:100] = bytes(100)
    data.write_bytes(content)
    with pytest.raises(SlideError, match=r"Data0000\.dat has a tile that begins with nothing but zeros"):
        await read_slide(Slide(path))


@pytest.mark.parametrize("element", [b"\2\0\2\0UI", b"\x08\0\x16\0UI"])
async def test_a_file_that_ends_within_its_kind_is_a_part_of_its_series(
    tmp_path: Path, element: bytes
) -> None:
    """The beginning of the identifier of slides is that of other pictures."""
    _, level = write_dicom(tmp_path)
    content = level.read_bytes()
    kind = b"1.2.840.10008.5.1.4.1.1.77.1.6"
    begin = content.index(kind, content.index(element))
    for known in (b"1.2.840.10008.5.1.4.1.1.7", b"1.2.840.10008.5.1.4.1.1.77.1"):
        level.write_bytes(content[: begin + len(known)])
        (slide,) = find_slides(tmp_path)
        with pytest.raises(SlideError, match=r"1\.dcm, which may be a part of it, is not usable"):
            await read_slide(slide)


async def test_a_slide_whose_tiles_are_all_left_out_is_refused(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tiff")
    with tifffile.TiffFile(path) as tiff:
        counts = tiff.pages.first.tags["TileByteCounts"]
        place, length = counts.valueoffset, counts.valuebytecount
    content = bytearray(path.read_bytes())
    content[place : place + length] = bytes(length)
    path.write_bytes(content)
    with pytest.raises(SlideError, match="has no pixels"):
        await read_slide(Slide(path))


async def test_a_time_in_the_future_is_remarked(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tiff")
    os.utime(path, (4e9, 4e9))
    assert ["in the future" in remark.problem for remark in (await read_slide(Slide(path))).remarks] == [True]


@pytest.mark.parametrize(("name", "told"), [("a.dcm", True), ("a.zip", True), ("a.svs", False), ("a", False)])
async def test_a_name_of_another_format_is_remarked(tmp_path: Path, name: str, told: bool) -> None:
    """The platform may go by names."""
    path = make_old(write_tiff(tmp_path / name, side=512))
    problems = [remark.problem for remark in (await read_slide(Slide(path))).remarks]
    assert problems == ([f"its name ends in {path.suffix}, and it is TIFF"] if told else [])


async def test_several_pictures_of_full_size_are_remarked(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    noise = np.random.default_rng(1).integers(1, 255, (3, 512, 512, 3), dtype=np.uint8)
    tifffile.imwrite(
        path, noise, photometric="rgb", tile=(256, 256), metadata=None, resolution=(20_000, 20_000),
        resolutionunit="CENTIMETER",
    )  # fmt: skip
    (remark,) = (await read_slide(Slide(make_old(path)))).remarks
    assert remark.problem == "it has 3 pictures of full size, as focal planes and channels are"


@pytest.mark.parametrize(
    ("samples", "problems"),
    [(3, []), (4, []), (5, ["its pixels have 5 samples, as masks and fluorescence have"])],
)
async def test_samples_that_are_no_colours_are_remarked(
    tmp_path: Path, samples: int, problems: list[str]
) -> None:
    """A fourth one is transparency."""
    path = tmp_path / "a.tif"
    noise = np.random.default_rng(1).integers(1, 255, (512, 512, samples), dtype=np.uint8)
    tifffile.imwrite(
        path, noise, photometric="rgb", tile=(256, 256), metadata=None, resolution=(20_000, 20_000),
        resolutionunit="CENTIMETER", extrasamples=["unspecified"] * (samples - 3),
    )  # fmt: skip
    found = (await read_slide(Slide(make_old(path)), decode=False)).remarks
    assert [remark.problem for remark in found] == problems


def raw_tiff(folder: Path, *, zeros: float) -> Path:
    return zero_tail(tiff(folder, compression=None), zeros)


@pytest.mark.parametrize("zeros", [0.0, 0.001])
@pytest.mark.parametrize("make", [raw_tiff, raw_dicom])
async def test_black_at_the_end_of_raw_tiles_is_remarked(
    tmp_path: Path, make: Callable[..., Path], zeros: float
) -> None:
    path = make_old(make(tmp_path, zeros=zeros))
    make_old(*tmp_path.iterdir())
    told = " ".join(remark.problem for remark in (await read_slide(Slide(path))).remarks)
    assert ("end in black pixels" in told) == bool(zeros)


async def test_padding_of_raw_tiles_is_not_black(tmp_path: Path) -> None:
    path = make_old(write_tiff(tmp_path / "a.tif", side=600, compression=None))
    assert (await read_slide(Slide(path))).remarks == ()


async def test_a_description_of_two_resolutions_is_remarked(tmp_path: Path) -> None:
    path = make_old(svs(tmp_path, description=SVS + "|MPP = 0.25"))
    told = [remark.problem for remark in (await read_slide(Slide(path))).remarks]
    assert "its description says 0.25 and 0.5 µm per pixel, and 0.25 counts" in told


async def test_a_zip_that_seems_to_lack_a_level_is_remarked(tmp_path: Path) -> None:
    first, _, third = write_dicom(tmp_path / "in", levels=3)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in (first, third):
            archive.write(path, path.name)
    remarks = (await read_slide(Slide(make_old(tmp_path / "a.zip")))).remarks
    assert "number 2 is not there" in " ".join(remark.problem for remark in remarks)


def _write_vmu(folder: Path, zeros: int) -> Path:
    """Write a slide of Hamamatsu's format without compression, of which the last bytes are zeros."""
    pixels = np.random.default_rng(0).integers(200, 4000, 3 * 256 * 256).astype("<u2").tobytes()
    head = struct.pack("<2sHiii8xi", b"GN", 0, 256, 256, 64, 28)
    (folder / "map.ngr").write_bytes(head + pixels)
    (folder / "image.ngr").write_bytes(head + pixels[: len(pixels) - zeros] + bytes(zeros))
    Image.fromarray(np.zeros((8, 8, 3), "u1")).save(folder / "macro.jpg")
    path = folder / "a.vmu"
    path.write_text(
        "[Uncompressed Virtual Microscope Specimen]\nNoLayers=1\nImageFile=image.ngr\nMapFile=map.ngr\n"
        "MacroImage=macro.jpg\nBitsPerPixel=36\nPixelOrder=RGB\nPhysicalWidth=128000\nPhysicalHeight=128000\n"
    )
    make_old(*folder.iterdir())
    return path


@pytest.mark.parametrize(("zeros", "is_told"), [(0, False), (64, True), (100_000, True)])
async def test_a_vmu_whose_pixels_end_in_zeros_is_told(tmp_path: Path, zeros: int, is_told: bool) -> None:
    info = await read_slide(Slide(_write_vmu(tmp_path, zeros)))
    assert any("black" in remark.problem for remark in info.remarks) == is_told
