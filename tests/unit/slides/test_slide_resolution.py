"""The resolution of a slide: the file's own, unless it has none; what was given never replaces it unasked."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import tifffile
from slide_files import make_old, read_slide, write_tiff

from aignostics_async import ResolutionConflict, ResolutionUnknown, Slide, SlideError, UsageError


def ome(x: str, y: str, unit: str | None, **more: str) -> str:
    units = "" if unit is None else f'PhysicalSizeXUnit="{unit}" PhysicalSizeYUnit="{unit}"'
    attributes = " ".join(f'{name}="{value}"' for name, value in more.items())
    return f'<OME><Image><Pixels PhysicalSizeX="{x}" PhysicalSizeY="{y}" {units} {attributes}/></Image></OME>'


@pytest.mark.parametrize(
    ("mpp", "given", "source", "counts"),
    [
        (0.5, None, None, 0.5),
        (0.5, 0.5, None, 0.5),
        (0.5, 0.505, None, 0.5),
        (0.5, 0.25, "given", 0.25),
        (0.5, 0.25, "file", 0.5),
        (None, 0.25, None, 0.25),
        (None, 0.25, "file", 0.25),
        (352.8, 0.25, None, 0.25),
    ],
)
async def test_which_resolution_counts(
    tmp_path: Path, mpp: float | None, given: float | None, source: str | None, counts: float
) -> None:
    path = write_tiff(tmp_path / "a.tiff", mpp=mpp)
    info = await read_slide(Slide(path, mpp=given, mpp_source=source))  # type: ignore[arg-type]
    assert info.mpp_x == pytest.approx(counts, rel=1e-3)
    assert info.mpp_y == info.mpp_x


@pytest.mark.parametrize("given", [0.25, 0.489, 0.511, (0.5, 0.25)])
async def test_one_that_contradicts_the_file_is_refused_and_both_are_shown(
    tmp_path: Path, given: float | tuple[float, float]
) -> None:
    path = write_tiff(tmp_path / "a.tiff", mpp=0.5)
    with pytest.raises(ResolutionConflict, match=r"its file says 0\.5 µm per pixel, and 0\.") as caught:
        await read_slide(Slide(path, mpp=given))
    assert caught.value.from_file[0] == pytest.approx(0.5, rel=1e-3)
    assert caught.value.given == (given if isinstance(given, tuple) else (given, given))
    assert "a column mpp_source in a manifest with 'file' or 'given'" in caught.value.remedy
    assert pickle.loads(pickle.dumps(caught.value)).given == caught.value.given


@pytest.mark.parametrize("mpp", [None, 0.5])
@pytest.mark.parametrize("given", [250, 0.001, (0.25, 25)])
async def test_an_implausible_one_that_was_given_is_refused(
    tmp_path: Path, mpp: float | None, given: float | tuple[float, float]
) -> None:
    path = write_tiff(tmp_path / "a.tiff", mpp=mpp)
    with pytest.raises(SlideError, match=r"that was given, .* is outside 0\.05 to 5; give µm per pixel"):
        await read_slide(Slide(path, mpp=given, mpp_source="given"))


async def test_without_one_the_remedy_is_for_the_slide(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.tiff", mpp=None)
    for source in (None, "file"):
        with pytest.raises(ResolutionUnknown, match="the file has no resolution; give it for this slide"):
            await read_slide(Slide(path, mpp_source=source))


def test_a_source_without_a_resolution_is_refused() -> None:
    with pytest.raises(UsageError, match=r"mpp_source of a\.svs is 'given', and no mpp is"):
        Slide("a.svs", mpp_source="given")
    with pytest.raises(UsageError, match="mpp_source is 'file' or 'given', not 'mine'"):
        Slide("a.svs", mpp=0.5, mpp_source="mine")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("x", "unit", "counts"),
    [
        ("0.25", "µm", 0.25),
        ("0.25", None, 0.25),
        ("250", "nm", 0.25),
        ("0.00025", "mm", 0.25),
        ("0.5", "um", 0.5),
        ("0.5", "&#181;m", 0.5),
        ("0.5", "&#xB5;m", 0.5),
        ("0.5", "microns", 0.5),
        ("0.01", "mil", 0.254),
    ],
)
async def test_the_ome_resolution_counts_where_the_tags_have_none(
    tmp_path: Path, x: str, unit: str | None, counts: float
) -> None:
    words = ome(x, x, unit).encode()
    for mpp in (None, 352.8):
        path = write_tiff(tmp_path / f"{mpp}.ome.tiff", mpp=mpp, description=words)
        assert (await read_slide(Slide(path))).mpp_x == pytest.approx(counts)


async def test_ome_and_tags_that_contradict_each_other_are_remarked(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.ome.tiff", mpp=0.5, description=ome("0.25", "0.25", "µm").encode())
    make_old(path)
    info = await read_slide(Slide(path))
    assert info.mpp_x == pytest.approx(0.5, rel=1e-3)
    assert [each.problem for each in info.remarks] == [
        "its OME description says 0.25 µm per pixel, and 0.5 counts"
    ]


@pytest.mark.parametrize("x", ["", "nothing", "inf", "-1", "0", "5000"])
async def test_an_ome_resolution_that_is_none_is_none(tmp_path: Path, x: str) -> None:
    path = write_tiff(tmp_path / "a.ome.tiff", mpp=None, description=ome(x, x, "µm").encode())
    with pytest.raises(ResolutionUnknown):
        await read_slide(Slide(path))


async def test_the_resolution_is_that_of_the_largest_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    small, large = np.zeros((256, 256, 3), np.uint8), np.full((1024, 1024, 3), 150, np.uint8)
    with tifffile.TiffWriter(path) as tiff:
        for picture, mpp, kind in ((small, 2.0, 0), (large, 0.5, 1)):
            tiff.write(
                picture, photometric="rgb", tile=(256, 256), metadata=None, subfiletype=kind,
                resolution=(1e4 / mpp, 1e4 / mpp), resolutionunit="CENTIMETER",
            )  # fmt: skip
    info = await read_slide(Slide(path))
    assert info.width == 1024
    assert info.mpp_x == pytest.approx(0.5)


async def test_an_ome_description_counts_for_a_picture_of_its_size(tmp_path: Path) -> None:
    macro, slide = (
        ome("4.5", "4.5", None, SizeX="300", SizeY="700"),
        ome("0.5", "0.5", None, SizeX="1024", SizeY="1024"),
    )
    path = write_tiff(tmp_path / "a.ome.tif", mpp=None, description=(macro + slide).encode())
    assert (await read_slide(Slide(path))).mpp_x == 0.5
    larger = ome("0.25", "0.25", None, SizeX="4096", SizeY="4096")
    path = write_tiff(tmp_path / "b.ome.tif", mpp=None, description=larger.encode())
    with pytest.raises(ResolutionUnknown):
        await read_slide(Slide(path))


@pytest.mark.parametrize(
    ("region", "mpp", "words"),
    [("0,0 4096x4096", None, ["its description is of 4096"]), ("0,0 1024x1024", 1.0, ["its tags say 1 µm"])],
)
async def test_a_smaller_copy_that_keeps_the_description_is_remarked(
    tmp_path: Path, region: str, mpp: float | None, words: list[str]
) -> None:
    said = f"Aperio Image Library v11\r\n4096x4096 [{region}] (256x256) JPEG/RGB Q=70|AppMag = 40|MPP = 0.25"
    path = make_old(write_tiff(tmp_path / "a.svs", mpp=mpp, description=said))
    info = await read_slide(Slide(path))
    assert [any(remark.problem.startswith(word) for remark in info.remarks) for word in words] == [True]


@pytest.mark.parametrize(
    ("unit", "counts"), [("micron", 0.25), ("um", 0.25), (r"\u00B5m", 0.25), ("pixel", None), ("nm", None)]
)
async def test_the_unit_of_imagej_counts_where_the_tags_have_none(
    tmp_path: Path, unit: str, counts: float | None
) -> None:
    path = write_tiff(tmp_path / "a.tif", mpp=None, description=f"ImageJ=1.53t\nunit={unit}\nloop=false\n")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        for name in ("XResolution", "YResolution"):
            tiff.pages.first.tags[name].overwrite((4, 1))
    if counts is None:
        with pytest.raises(ResolutionUnknown):
            await read_slide(Slide(path))
    else:
        assert (await read_slide(Slide(path))).mpp_x == counts


async def test_a_micro_sign_in_latin_1_is_one(tmp_path: Path) -> None:
    path = write_tiff(tmp_path / "a.ome.tif", mpp=None, description=ome("0.5", "0.5", "µm").encode("latin-1"))
    assert (await read_slide(Slide(path))).mpp_x == 0.5
