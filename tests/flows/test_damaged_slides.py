"""Damaged slides of five formats: none that is cut, zeroed, in parts or growing is sent without a word."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from rounds import sizes
from slide_cases import cut, flip, jpeg_tiles, mirax, ome, svs, zero_tail
from slide_files import make_old, write_dicom

from aignostics_async import Slide, SlideError, find_slides
from aignostics_async.slides._fingerprints import measure
from aignostics_async.slides._read import read_slide_here

FORMATS: dict[str, Callable[[Path], object]] = {
    "TIFF": lambda to: jpeg_tiles(to / "a.tiff"),
    "SVS": svs,
    "OME-TIFF": ome,
    "DICOM": lambda to: write_dicom(to, levels=3),
    "MIRAX": mirax,
}
_RECENT = "it was written to seconds ago"
_SAID_OF_ALL = {_RECENT, "the platform's guide does not name its format (.mrxs)"}


def files_of(folder: Path) -> list[Path]:
    # Of a MIRAX slide, the file beside its folder is a picture for people.
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".mrxs")


def outcome(folder: Path, *, decode: bool = False) -> str:
    """Return what is said of the slides in a folder: their faults, or nothing."""
    found = find_slides(folder)
    assert len(found) + len(found.left_out) >= 1, "it is lost from the count"
    told = []
    for slide in found:
        try:
            remarks = read_slide_here(slide, decode=decode).remarks
            told += [each.problem for each in remarks if each.problem not in _SAID_OF_ALL]
        except SlideError as error:
            told.append(str(error))
    return "; ".join(told) if found else "no slide"


def harm(path: Path, how: str, chance: random.Random) -> None:
    if how == "cut":
        cut(path, chance.choice([0.0, 0.1, 0.5, 0.9, 0.99, chance.random()]))
    elif how == "zeros":
        zero_tail(path, chance.choice([0.05, 0.1, 0.5, 0.9, 1.0, 0.05 + 0.95 * chance.random()]))
    elif how == "missing":
        path.unlink()
    else:
        flip(path, chance)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("count", sizes(15, 1000))
@pytest.mark.parametrize("name", FORMATS)
def test_none_is_sent_without_a_word(tmp_path: Path, name: str, count: int) -> None:
    chance, silent = random.Random(name), list[str]()
    whole = tmp_path / "whole"
    whole.mkdir()
    FORMATS[name](whole)
    assert outcome(whole) == ""
    members = len(files_of(whole))
    smallest = files_of(whole)[-1].name
    for number in range(count):
        folder = tmp_path / "damaged"
        shutil.copytree(whole, folder)
        how = chance.choice(["cut", "zeros", "missing", "growing"])
        path = chance.choice(files_of(folder))
        before = path.read_bytes()
        if how == "growing":
            path.write_bytes(before[: int(len(before) * chance.random())])
            said = outcome(folder) or grown(folder, path, before)
        elif how == "missing" and members == 1:
            said = "there is nothing left"
        else:
            harm(path, how, chance)
            said = "the same bytes" if path.exists() and path.read_bytes() == before else outcome(folder)
            # The smallest level may never have been there.
            is_smallest = name == "DICOM" and how == "missing" and path.name == smallest
            said = said or ("a level less" if is_smallest else "")
        if not said:
            silent.append(f"{number}: {how} {path.name}")
        shutil.rmtree(folder)
    assert silent == []


def grown(folder: Path, path: Path, content: bytes) -> str:
    """Return what is said when a file grows between the look at it and the request for the run."""
    (slide,) = find_slides(folder)
    info = read_slide_here(slide)
    _, before = measure(info.files)
    path.write_bytes(content)
    return "it changed" if measure(info.files)[1] != before else ""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("count", sizes(10, 1000))
def test_flipped_bits_are_seen_by_decoding_more_often(
    tmp_path: Path, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: Counter[tuple[str, bool]] = Counter()
    for name, make in FORMATS.items():
        whole, chance = tmp_path / name, random.Random(name)
        whole.mkdir()
        make(whole)
        for _ in range(count):
            folder = tmp_path / "damaged"
            shutil.copytree(whole, folder)
            flip(chance.choice(files_of(folder)), chance)
            quick, thorough = bool(outcome(folder)), bool(outcome(folder, decode=True))
            assert thorough or not quick, "decoding sees what a look sees"
            seen[name, False] += quick
            seen[name, True] += thorough
            shutil.rmtree(folder)
    with capsys.disabled():
        for name in FORMATS:
            shares = [f"{seen[name, decode] / count:.0%}" for decode in (False, True)]
            print(f"\n{name}: flips seen at a look {shares[0]}, with --decode {shares[1]}", end="")


def test_a_file_that_was_written_seconds_ago_is_warned_of(tmp_path: Path) -> None:
    path = jpeg_tiles(tmp_path / "a.tiff")
    assert _RECENT in [remark.problem for remark in read_slide_here(Slide(path)).remarks]
    make_old(path)
    assert read_slide_here(Slide(path)).remarks == ()
