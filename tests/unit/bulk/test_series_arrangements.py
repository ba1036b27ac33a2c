"""A DICOM series of eight instances under thirty arrangements: one item with one zip, or a named fault."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from slide_cases import cut, zero_tail
from slide_files import make_old, read_slide, write_dicom, write_flavour

from aignostics_async import Slide, SlideError, find_slides
from aignostics_async.bulk import Finding, inspect_slides
from aignostics_async.bulk.preflight._manifest_paths import manifest_path
from aignostics_async.bulk.preflight.sources._discovery import discover
from aignostics_async.bulk.preflight.sources._sources import Sources
from aignostics_async.slides._packing import packed
from aignostics_async.slides.workers._prober import Prober


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Path]:
    """Give five levels, a label, an overview and a thumbnail."""
    folder = tmp_path_factory.mktemp("series")
    return write_dicom(folder, levels=5, flavours=["LABEL", "OVERVIEW", "THUMBNAIL"])


def named(pattern: str) -> Callable[[Sequence[Path], Path], object]:
    """Arrange the files in one folder under names with their number, or its opposite."""

    def arrange(files: Sequence[Path], to: Path) -> None:
        for number, path in enumerate(files):
            target = to / pattern.format(number, 9 - number)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)

    return arrange


def changed(number: int, change: Callable[[Path], object]) -> Callable[[Sequence[Path], Path], object]:
    def arrange(files: Sequence[Path], to: Path) -> None:
        named("{}.dcm")(files, to)
        change(to / f"{number}.dcm")

    return arrange


def beside(add: Callable[[Path], object]) -> Callable[[Sequence[Path], Path], object]:
    def arrange(files: Sequence[Path], to: Path) -> None:
        named("{}.dcm")(files, to)
        add(to)

    return arrange


def alternating(files: Sequence[Path], to: Path) -> None:
    for number, path in enumerate(files):
        (to / str(number % 3)).mkdir(exist_ok=True)
        shutil.copy(path, to / str(number % 3) / (f"IM{number}" if number % 2 else f"{number}.dcm"))


def linked(files: Sequence[Path], to: Path) -> None:
    for path in files:
        (to / path.name).symlink_to(path)


def near_copy(path: Path, to: Path) -> None:
    content = path.read_bytes()
    to.write_bytes(content[:-99] + bytes([9] * 91) + content[-8:])


ONE = {
    "as they are": named("{}.dcm"),
    "no suffix": named("IM{}"),
    "capitals": named("IM{}.DCM"),
    "dicom": named("{}.dicom"),
    "mixed": named("{0}{0:{0}}"),
    "the other way round": named("{1}.dcm"),
    "numbers": named("{:08}"),
    "uids": named("1.2.840.{}.17"),
    "tif": named("{}.tif"),
    "bak": named("{}.bak"),
    "txt": named("{}.txt"),
    "a folder each": named("{}/IM0001"),
    "two folders": alternating,
    "deep": named("DICOM/PA0/ST0/SE{}/I0"),
    "spaces": named("a slide ({}) .dcm"),
    "letters of elsewhere": named("Präparat {}.dcm"),
    "links": linked,
    "a copy": beside(lambda to: shutil.copy(to / "2.dcm", to / "2 (copy).dcm")),
    "two copies of the base": beside(
        lambda to: [shutil.copy(to / "0.dcm", to / f"{name}.dcm") for name in ("-1", "z")]
    ),
    "a table of contents": beside(lambda to: (to / "notes.txt").write_text("x")),
    "a second label": beside(lambda to: write_flavour(to / "5.dcm", to / "9.dcm", "LABEL")),
    "no label": changed(5, Path.unlink),
}
FAULTS = {
    "no base": (changed(0, Path.unlink), "full resolution is missing"),
    "base empty": (changed(0, lambda path: path.write_bytes(b"")), r"0\.dcm"),
    "base cut": (changed(0, lambda path: cut(path, 0.7)), r"0\.dcm"),
    "base zeros": (changed(0, lambda path: zero_tail(path, 0.2)), r"0\.dcm"),
    "level cut": (changed(3, lambda path: cut(path, 0.7)), r"3\.dcm"),
    "level html": (changed(2, lambda path: path.write_bytes(b"<html>")), r"2\.dcm"),
    "label cut": (changed(5, lambda path: cut(path, 0.5)), r"5\.dcm"),
    "one instance, other bytes": (beside(lambda to: near_copy(to / "0.dcm", to / "9.dcm")), r"9\.dcm"),
}


async def digest(folder: Path, scratch: Path) -> str:
    (slide,) = find_slides(folder)
    info = await read_slide(slide)
    assert info.files[0] == slide.path, "its reference is that of its full resolution"
    scratch.mkdir()
    return hashlib.sha256((await packed(info, scratch)).read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ONE)
async def test_it_is_one_item_with_the_same_zip(series: Sequence[Path], tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    ONE[name](series, tmp_path / "in")
    (tmp_path / "as it is").mkdir()
    named("{}.dcm")(series, tmp_path / "as it is")
    assert await digest(tmp_path / "in", tmp_path / "1") == await digest(
        tmp_path / "as it is", tmp_path / "2"
    )


@pytest.mark.parametrize("name", FAULTS)
async def test_it_is_one_fault_that_names_the_file(series: Sequence[Path], tmp_path: Path, name: str) -> None:
    arrange, words = FAULTS[name]
    arrange(series, tmp_path)
    (slide,) = find_slides(tmp_path)
    with pytest.raises(SlideError, match=words):
        await read_slide(slide)


@pytest.mark.process
async def test_it_is_the_same_item_however_it_is_given(
    series: Sequence[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `submit slides/*.dcm`, `submit slides/`, a list and a folder of a bulk job, and in Python."""
    folder = tmp_path / "slides"
    folder.mkdir()
    named("{}.dcm")(series, folder)
    paths = sorted(folder.iterdir())
    make_old(*paths)
    (tmp_path / "list").write_text("".join(f"{path.name}\n" for path in paths))
    monkeypatch.chdir(folder)
    items: list[tuple[str, Slide]] = []
    for places in (paths, paths[::-1], [folder]):
        found = find_slides(*places)
        items += [(found.references[slide.path], slide) for slide in found]
    async with Prober(workers=1) as prober:
        for sources in (
            Sources(files_from=tmp_path / "list"), Sources(places=paths), Sources(places=[folder])
        ):  # fmt: skip
            entries = (await discover(sources, prober)).entries
            items += [(entry.reference, entry.slide) for entry in entries]
        items += [("0.dcm", Slide(path)) for path in paths]
        told = [(reference, await prober.probe(slide)) for reference, slide in items]
    assert len(items) == 6 + len(paths)
    assert told == [told[0]] * len(told)
    assert told[0][0] == "0.dcm"
    assert {path.name for path in told[0][1].info.files} == {f"{number}.dcm" for number in (0, 1, 2, 3, 4, 7)}


def folder_each(files: Sequence[Path], to: Path) -> Sequence[Path]:
    named("{}/IM0001")(files, to)
    return [to / str(number) / "IM0001" for number in range(len(files))]


PLACES: dict[str, Callable[[Path, Path], dict[str, object]]] = {
    "a file": lambda file, to: {"places": [file]},
    "a folder": lambda file, to: {"places": [file.parent]},
    "a file in a list": lambda file, to: {"files_from": written(to / "list", f"{file}\n")},
    "a file in a manifest": lambda file, to: {"manifest": written(to / "m.csv", f"path\n{file}\n")},
    "a folder in a manifest": lambda file, to: {"manifest": written(to / "m.csv", f"path\n{file.parent}\n")},
    "the folder above": lambda file, to: {"places": [file.parent.parent]},
}


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.process
async def test_a_part_that_is_named_stands_for_the_slide(series: Sequence[Path], tmp_path: Path) -> None:
    """A folder for each file, as archives export: whoever names one means the slide."""
    slides = tmp_path / "slides"
    slides.mkdir()
    files = folder_each(series, slides)
    whole = {*files[:5], files[7]}
    async with Prober(workers=1) as prober:
        for name, place in PLACES.items():
            for part in (0, 3):
                found = await discover(Sources(**place(files[part], tmp_path)), prober)  # type: ignore[arg-type]
                (entry,) = found.entries
                assert set((await prober.probe(entry.slide)).info.files) == whole, (name, part)
    for path in (files[0], files[3]):
        assert set((await read_slide(Slide(path))).files) == whole
        for named_one in (path, path.parent):
            (slide,) = find_slides(named_one)
            assert set((await read_slide(slide)).files) == whole


@pytest.mark.process
async def test_a_line_of_a_drafted_manifest_stands_for_the_whole_slide(
    series: Sequence[Path], tmp_path: Path
) -> None:
    near, far = tmp_path / "near", tmp_path / "far"
    folder_each(series[:3], made(near))
    for number, place in enumerate(("a/b/c", "d", "e/f")):
        (made(far / place) / "I0").write_bytes(series[number].read_bytes())
    for root, named_path in ((near, near / "0" / "IM0001"), (far, far)):
        slides = (await inspect_slides(root)).slides
        assert manifest_path(slides[0], slides) == str(named_path)
        found = await drafted(str(named_path), tmp_path)
        assert set(found) == set(slides[0].info.files if slides[0].info else ())
    write_dicom(far / "a", name="other{}")
    slides = (await inspect_slides(far)).slides
    spread = next(slide for slide in slides if slide.info and len(slide.info.files) == 3)
    told = manifest_path(spread, slides)
    assert isinstance(told, Finding)
    assert told.problem == "its files are in several folders, and no line of a manifest can name them alone"


@pytest.mark.process
async def test_an_inspection_names_files_whose_names_are_no_unicode(tmp_path: Path) -> None:
    first, second = write_dicom(tmp_path)
    second.rename(tmp_path / os.fsdecode(b"caf\xe9.dcm"))
    inspection = await inspect_slides(tmp_path)
    (slide,) = json.loads(inspection.to_json().encode())["slides"]
    assert slide["files"] == [str(first), rf"{tmp_path}/caf\xe9.dcm"]


async def drafted(path: str, folder: Path) -> Sequence[Path]:
    """Return the files of the slide that a manifest of one line names."""
    manifest = written(folder / "m.csv", f"path\n{path}\n")
    async with Prober(workers=1) as prober:
        (entry,) = (await discover(Sources(manifest=manifest), prober)).entries
        return (await prober.probe(entry.slide)).info.files


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


async def test_a_copy_of_the_slide_beside_it_completes_nothing(
    series: Sequence[Path], tmp_path: Path
) -> None:
    """It may be of another day; and a folder of copies without names must not be mixed with the original."""
    for name in ("original", "copy"):
        (tmp_path / name).mkdir()
        named("{}.dcm")(series, tmp_path / name)
    (tmp_path / "copy" / "0.dcm").unlink()
    (slide,) = find_slides(tmp_path / "copy")
    with pytest.raises(SlideError, match="full resolution is missing"):
        await read_slide(slide)
    (slide,) = find_slides(tmp_path / "original")
    assert {path.parent.name for path in (await read_slide(slide)).files} == {"original"}


async def test_what_a_person_has_is_not_searched(
    series: Sequence[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder in somebody's home says nothing about the other ones there; nor do trash, links and hidden."""
    home = tmp_path / "home"
    home.mkdir()
    files = folder_each(series, home)
    monkeypatch.setenv("HOME", str(home))
    assert (await read_slide(Slide(files[0]))).files == (files[0],)
    lab = home / "lab"
    lab.mkdir()
    for number, name in enumerate(("0", "#recycle", ".1", "2")):
        shutil.move(files[number].parent, lab / name)
    (lab / "3").symlink_to(files[4].parent)
    assert [path.parent.name for path in (await read_slide(Slide(lab / "0" / "IM0001"))).files] == ["0", "2"]


async def test_two_series_are_two_items(series: Sequence[Path], tmp_path: Path) -> None:
    named("{}.dcm")(series, tmp_path)
    write_dicom(tmp_path, name="other{}.dcm")
    assert len({(await read_slide(slide)).series for slide in find_slides(tmp_path)}) == 2
    assert len(ONE) + len(FAULTS) >= 30
