"""From folders, patterns, lists and manifests to slides, each with a reference of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, strategies as st
from slide_files import write_dicom, write_flavour, write_mirax

from aignostics_async import ConfigurationError, SlideError, UsageError, find_slides
from aignostics_async.bulk.preflight.sources._discovery import (
    DicomFiles,
    Discovery,
    _dicom_paths,
    discover,
    settle,
)
from aignostics_async.bulk.preflight.sources._selection_rules import SelectionRule
from aignostics_async.bulk.preflight.sources._slide_entry import SlideEntry
from aignostics_async.bulk.preflight.sources._sources import Sources
from aignostics_async.bulk.preflight.sources._walk import Candidate, Walk
from aignostics_async.slides.workers._prober import Prober


@pytest.fixture
async def prober() -> AsyncIterator[Prober]:
    async with Prober(workers=1) as prober:
        yield prober


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def find(**sources: Any) -> Discovery:
    """Return what is found where there is no DICOM file."""
    given = Sources(**sources)
    walk = Walk(given)
    return settle(given, list(walk.candidates()), DicomFiles(), walk)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def references(found: Discovery) -> list[str]:
    return [entry.reference for entry in found.entries]


def faults(found: Discovery) -> list[str]:
    return [str(fault) for fault in found.faults]


# Places


def test_a_folder_is_searched_below(here: Path) -> None:
    touch(here, "b/two.SVS", "one.tif", "b/deep/three.mrxs", "x.dcm")
    touch(here, ".trash/t.svs", ".hidden.svs", "README.md", "b/._two.SVS")
    found = find(places=[here])
    assert references(found) == ["one.tif", "x.dcm", "b/two.SVS", "b/deep/three.mrxs"]
    assert found.entries[0] == SlideEntry(path=str(here / "one.tif"), reference="one.tif")
    assert (found.faults, found.found) == ([], 4)
    assert {Path(each.path).name: str(each.reason) for each in found.left_out} == {
        ".trash": "trash", ".hidden.svs": "hidden", "README.md": "format"
    }  # fmt: skip


def test_other_formats_are_left_out_and_told(here: Path) -> None:
    touch(here, "a.svs", "b.vsi", "old/c.vsi", "d.isyntax", "e.txt", "f.ndpi")
    found = find(places=["."], rules=[SelectionRule("old/", counts=False)])
    assert references(found) == ["a.svs", "f.ndpi"]
    assert [Path(each.path).name for each in found.left_out if each.is_slide] == ["b.vsi", "d.isyntax"]
    assert [Path(each.path).name for each in found.left_out if not each.is_slide] == ["e.txt"]
    named = find(places=["."], rules=[SelectionRule("*.vsi", counts=True)])
    assert references(named) == ["b.vsi", "old/c.vsi"], "a rule that names them takes them"


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        ({"places": ["in/**/*.svs"]}, {".a", ".b", "@eaDir"}),
        ({"places": ["in/x/*"]}, {".b"}),
        ({"places": ["in"], "rules": [SelectionRule(".a/**", counts=True)]}, {".a"}),
        ({"places": ["in"], "rules": [SelectionRule("x/**/*.svs", counts=True)]}, {".b"}),
        ({"places": ["in"], "rules": [SelectionRule("x", counts=False)]}, {".a", "@eaDir"}),
        ({"places": ["in"], "rules": [SelectionRule("y/*.svs", counts=True)]}, set()),
    ],
)
def test_folders_that_a_pattern_may_mean_are_left_out_and_told(
    here: Path, sources: dict[str, Any], told: set[str]
) -> None:
    touch(here, "in/.a/1.svs", "in/x/.b/2.svs", "in/@eaDir/3.svs")
    assert {Path(each.path).name for each in find(**sources).left_out} == told


def test_what_a_pattern_names_counts_whatever_it_is(here: Path) -> None:
    touch(here, "in/a.svs", "in/b.ndpi", "in/deep/c.ndpi", "in/deep/d.svs", "in/deep/e.txt", "out.ndpi")
    assert references(find(places=["in/*.ndpi"])) == ["b.ndpi"]
    assert references(find(places=["in/**/*.ndpi"])) == ["b.ndpi", "deep/c.ndpi"]
    assert references(find(places=[f"{here}/*/d*"])) == ["in/deep/c.ndpi", "in/deep/d.svs"], (
        "what is in a folder that fits"
    )
    assert faults(find(places=["in/*.xyz"])) == [
        "in/*.xyz: no file fits the pattern; are you in the right folder?"
    ]


def test_a_name_that_looks_like_a_pattern_is_a_name_first(here: Path) -> None:
    touch(here, "a[1].svs", "a1.svs")
    assert references(find(places=["a[1].svs"])) == ["a[1].svs"]


def test_several_places_and_one_slide_twice(here: Path) -> None:
    touch(here, "a/x.svs", "a/y.svs", "b/z.svs")
    found = find(places=["a/y.svs", "a", "b", "a"])
    assert [entry.path for entry in found.entries] == [
        str(here / name) for name in ("a/y.svs", "a/x.svs", "b/z.svs")
    ]


def test_include_and_exclude(here: Path) -> None:
    touch(here, "lung/a.svs", "lung/a_label.svs", "skin/b.svs", "c.svs")
    rules = [SelectionRule("lung/**", counts=True), SelectionRule("*_label.svs", counts=False)]
    assert references(find(places=["."], rules=rules)) == ["lung/a.svs"]
    assert references(find(places=["."], rules=rules[1:])) == ["c.svs", "lung/a.svs", "skin/b.svs"]


def test_links_that_lead_in_circles(here: Path) -> None:
    touch(here, "real/a.svs")
    (here / "real/back").symlink_to(here / "real")
    (here / "real/up").symlink_to(here)
    (here / "real/self.svs").symlink_to("self.svs")
    found = find(places=["."])
    assert sorted(references(found)) == ["real/a.svs", "real/self.svs"]
    assert faults(find(places=["real/self.svs"])) == [
        f"{here}/real/self.svs: it is a link that leads to no file; correct the link"
    ]


def test_a_mirax_slide_is_one_whatever_is_included(here: Path) -> None:
    write_mirax(here / "case.mrxs")
    touch(here, "other/a.svs")
    found = find(places=["**/*"])
    assert sorted(references(found)) == ["case.mrxs", "other/a.svs"]


async def test_a_series_is_one_slide(here: Path, prober: Prober) -> None:
    first = write_dicom(here / "one", name="IM{}")
    write_dicom(here / "two", name="{}.dcm")
    for path in first:
        shutil.copy(path, here / "two" / f"copy-{path.name}")
    os.mkfifo(here / "one/pipe.dcm")
    found = await discover(Sources(places=[here]), prober)
    assert references(found) == ["one/IM0", "one/pipe.dcm", "two/0.dcm"]
    assert found.entries[0].files == tuple(str(path) for path in first)
    assert found.faults == []
    assert [(Path(each.path).name, each.reason) for each in found.left_out] == [
        ("copy-IM0", "duplicate"), ("copy-IM1", "duplicate")
    ]  # fmt: skip
    named = await discover(Sources(places=first), prober)
    assert references(named) == ["IM0"], "as a shell names all files of it"


async def test_a_damaged_file_is_a_fault_of_the_series_beside_it(here: Path, prober: Prober) -> None:
    write_dicom(here / "one")
    touch(here, "one/broken.dcm", "other/alone.dcm")
    found = await discover(Sources(places=[here]), prober)
    assert references(found) == ["one/0.dcm", "other/alone.dcm"]
    with pytest.raises(SlideError, match="which may be a part of it, is not usable: it is empty"):
        await prober.probe(found.entries[0].slide)


async def test_a_dicom_medium_has_its_slides(here: Path, prober: Prober) -> None:
    (scan,) = write_dicom(here / "DICOM/ST0/CT", levels=1, name="IM0001")
    write_flavour(scan, scan, "VOLUME", SOPClassUID="1.2.840.10008.5.1.4.1.1.2")
    write_dicom(here / "DICOM/ST0/SE0", name="IM000{}")
    found = await discover(Sources(places=[here]), prober)
    assert references(found) == ["DICOM/ST0/SE0/IM0000"]
    assert [each.detail for each in found.left_out] == ["it is DICOM, and not a slide (CT Image Storage)"]
    named = await discover(Sources(places=[scan]), prober)
    assert references(named) == ["IM0001"], "one that is named is read, and refused with the reason"


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("none.svs", "it is not there; is the path right, and its disk mounted?"),
        ("pipe.svs", "it is no file"),
        ("x" * 300 + ".svs", "it can't be read (File name too long)"),
        ("lost.svs", "it is a link that leads to no file; correct the link"),
        ("a\0b.svs", "it is no path: it has a null byte, or characters that can't be encoded"),
        ("\ud800.svs", "it is no path: it has a null byte, or characters that can't be encoded"),
    ],
)
def test_a_place_that_is_no_file_is_told(here: Path, place: str, told: str) -> None:
    os.mkfifo(here / "pipe.svs")
    (here / "lost.svs").symlink_to("nowhere")
    touch(here, "a.svs")
    found = find(places=[place, "a.svs"])
    assert faults(found) == [f"{here}/{place}: {told}"]
    assert references(found) == ["a.svs"]


@contextmanager
def without_rights() -> Iterator[None]:
    """Be nobody for a while, where the tests run as one who may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_slides_are_found_in_folders_with_few_rights() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        for folder in ("unlisted", "unopened"):
            write_dicom(root / folder, levels=1, name="IM.dcm")
        touch(root, "closed/a.svs")
        places = root / "unlisted/IM.dcm", root / "unopened"
        (root / "unlisted").chmod(0o711)
        (root / "unopened").chmod(0o744)
        (root / "closed").chmod(0)
        with without_rights():
            slides = find_slides(*places)
            paths, _, _ = _dicom_paths(Walk(Sources(places=places)).candidates())
            with pytest.raises(UsageError, match="Permission denied"):
                find_slides(root / "closed/a.svs")
        (root / "closed").chmod(0o700)
    assert [slide.path.parent.name for slide in slides] == ["unlisted", "unopened"]
    assert paths == [str(places[0])]


def test_a_folder_that_may_not_be_read_is_told() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        touch(root, "a.svs", "closed/b.svs")
        root.chmod(0o755)
        (root / "closed").chmod(0)
        with without_rights():
            found = find(places=[root])
            named = find(places=[root / "closed/b.svs"])
        (root / "closed").chmod(0o700)
    assert references(found) == ["a.svs"]
    assert faults(found) == [f"{root}/closed: the folder can't be read (Permission denied)"]
    assert faults(named) == [f"{root}/closed/b.svs: it can't be read (Permission denied)"]


# Lists


@pytest.mark.parametrize(
    "content",
    [
        b"a.svs\nb c/d.svs\n",
        b"\xef\xbb\xbfa.svs\r\nb c/d.svs\r\n",
        b"a.svs\n\nb c/d.svs",
        b"a.svs\0b c/d.svs\0",
        b"a.svs\nb c\\d.svs\n",
        b"./a.svs\nb c/../b c/d.svs\na.svs\n",
    ],
    ids=["plain", "windows", "empty line", "zero bytes", "backslashes", "twice"],
)
def test_a_list_of_files(here: Path, content: bytes) -> None:
    touch(here, "a.svs", "b c/d.svs")
    (here / "elsewhere").mkdir()
    (here / "elsewhere/list.txt").write_bytes(content)
    found = find(files_from="elsewhere/list.txt")
    assert (references(found), faults(found)) == (["a.svs", "b c/d.svs"], [])


@pytest.mark.parametrize("text", ["lab/ä.svs\r\nlab/b.svs\r\n", "lab/ä.svs\0lab/b.svs\0"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
def test_a_letter_of_a_list_in_utf_16_is_no_path(here: Path, text: str, encoding: str) -> None:
    touch(here, "lab/ä.svs", "lab/b.svs", "l/another.svs")
    (here / "list.txt").write_bytes(text.encode(encoding))
    found = find(files_from="list.txt")
    told = (
        []
        if encoding == "utf-16"
        else ["list.txt: it is not written in UTF-8; save the list again, in UTF-8"]
    )
    assert (sorted(references(found)), faults(found)) == ([] if told else ["lab/b.svs", "lab/ä.svs"], told)


def test_a_list_tells_its_faults_with_their_lines(here: Path) -> None:
    touch(here, "a.svs", "empty/notes.txt")
    (here / "list.txt").write_bytes(
        b"a.svs\nnone.svs\ncaf\xe9.svs\nempty\nC:\\slides\\b.svs\nC:/b.svs\ns3://bucket/b.svs\n"
    )
    found = find(files_from="list.txt")
    assert references(found) == ["a.svs"]
    assert [str(fault.slide) for fault in found.faults] == [f"list.txt, line {line}" for line in range(2, 8)]
    assert [fault.problem for fault in found.faults] == [
        f"{here}/none.svs is not there",
        "it is not written in UTF-8",
        f"{here}/empty is a folder without slides",
        "C:\\slides\\b.svs is a path of another machine, or an address",
        "C:/b.svs is a path of another machine, or an address",
        "s3://bucket/b.svs is a path of another machine, or an address",
    ]
    assert all(fault.remedy for fault in found.faults)
    assert faults(find(files_from="nothing.txt")) == [
        "nothing.txt: the list can't be read (No such file or directory)"
    ]


@pytest.mark.parametrize(("stored", "written"), [("NFD", "NFC"), ("NFC", "NFD")])
def test_accents_are_found_however_they_are_stored(
    here: Path, stored: Literal["NFC", "NFD"], written: Literal["NFC", "NFD"]
) -> None:
    touch(here, unicodedata.normalize(stored, "Fälle/ü.svs"))
    (here / "list.txt").write_text(unicodedata.normalize(written, "Fälle/ü.svs\nFälle/no.svs\n"), "utf-8")
    found = find(files_from="list.txt")
    assert [entry.path for entry in found.entries] == [unicodedata.normalize(stored, f"{here}/Fälle/ü.svs")]
    assert len(found.faults) == 1


# Manifests


def write(here: Path, text: str) -> Path:
    path = here / "lists" / "in.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_manifest_is_read_from_its_own_folder(here: Path) -> None:
    touch(here, "lists/lung/a.svs", "skin/b.svs")
    manifest = write(
        here, f"path,mpp,stain\nlung\\a.svs,0.25,H&E\n../skin/b.svs,,\n{here}/lists/lung/../c.svs,,\n"
    )
    touch(here, "lists/c.svs")
    found = find(manifest=manifest)
    assert faults(found) == []
    assert [(entry.path, entry.reference) for entry in found.entries] == [
        (f"{here}/lists/lung/a.svs", "lung/a.svs"),
        (f"{here}/skin/b.svs", "../skin/b.svs"),
        (f"{here}/lists/c.svs", "c.svs"),
    ]
    first = found.entries[0]
    assert (first.mpp, first.cells) == ((0.25, 0.25), {"stain": "H&E"})


def test_a_backslash_that_is_a_part_of_a_name(here: Path) -> None:
    touch(here, "lists/a\\b.svs", "lists/a/b.svs")
    (entry,) = find(manifest=write(here, "path\na\\b.svs\n")).entries
    assert entry.path == f"{here}/lists/a\\b.svs"


def test_a_manifest_tells_files_that_are_not_there_with_their_lines(here: Path) -> None:
    touch(here, "lists/a.svs")
    found = find(manifest=write(here, "path\nb.svs\na.svs\nlung\\c.svs\n"))
    assert references(found) == ["a.svs"]
    assert [fault.partition(" is")[0] for fault in faults(found)] == [
        f"in.csv, line 2: {here}/lists/b.svs",
        f"in.csv, line 4: {here}/lists/lung/c.svs",
    ]


async def test_a_slide_that_is_in_a_manifest_twice(here: Path, shared: Path, prober: Prober) -> None:
    touch(here, "lists/a.svs")
    for number in range(2):
        source = shared / f"slides/boxes_{number}.dcm"
        (here / f"lists/{number}.dcm").write_bytes(source.read_bytes())
    manifest = write(here, "path,reference\na.svs,1\n1.dcm,2\n./a.svs,3\n0.dcm,4\n")
    found = await discover(Sources(manifest=manifest), prober)
    assert references(found) == ["1", "2"]
    assert faults(found) == [
        "in.csv, line 4: the slide is in in.csv, line 2 already; remove one of the lines",
        "in.csv, line 5: the DICOM series is in in.csv, line 3 already; remove one of the lines",
    ]


async def test_a_line_may_name_the_folder_of_a_series(here: Path, prober: Prober) -> None:
    """Which one file of it does not tell where it is spread over several folders."""
    for number, path in enumerate(write_dicom(here / "lists/case", levels=3)):
        (path.parent / f"{number % 2}").mkdir(exist_ok=True)
        path.rename(path.parent / f"{number % 2}" / path.name)
    touch(here, "outside/b.svs", "lists/notes/notes.txt")
    manifest = write(here, "path,reference,mpp\ncase,7,0.5\n../outside,,\nnotes,,\ncase/0/0.dcm,8,\n")
    found = await discover(Sources(manifest=manifest), prober)
    assert [(entry.reference, entry.mpp) for entry in found.entries] == [
        ("7", (0.5, 0.5)), ("../outside/b.svs", None)
    ]  # fmt: skip
    assert [Path(path).name for path in found.entries[0].files] == ["0.dcm", "2.dcm", "1.dcm"]
    assert found.entries[0].path == f"{here}/lists/case/0/0.dcm"
    assert [fault.partition(";")[0] for fault in faults(found)] == [
        f"in.csv, line 4: {here}/lists/notes is a folder without slides",
        "in.csv, line 5: the DICOM series is in in.csv, line 2 already",
    ]
    (here / "list").write_text("lists/case\n")
    (entry,) = (await discover(Sources(files_from=here / "list"), prober)).entries
    assert (entry.path, entry.files) == (found.entries[0].path, found.entries[0].files)


def test_patterns_choose_from_a_manifest_too(here: Path) -> None:
    touch(here, "lists/lung/a.svs", "lists/skin/b.svs")
    manifest = write(here, "path\nlung/a.svs\nskin/b.svs\n")
    assert references(find(manifest=manifest, rules=[SelectionRule("skin", counts=True)])) == ["skin/b.svs"]


def test_what_is_said_of_all_slides(here: Path) -> None:
    touch(here, "lists/a.svs", "lists/b.svs")
    manifest = write(here, "path,mpp,stain\na.svs,0.25,IHC\nb.svs,,\n")
    found = find(manifest=manifest, mpp=0.5, metadata={"stain": "H&E", "site": "north"})
    assert [(entry.mpp, entry.cells) for entry in found.entries] == [
        ((0.25, 0.25), {"stain": "IHC", "site": "north"}),
        ((0.5, 0.5), {"stain": "H&E", "site": "north"}),
    ]


# References


def test_references_from_stems_paths_and_columns(here: Path) -> None:
    touch(here, "lists/lung/a.ome.tiff")
    manifest = write(here, "path,reference,case\nlung/a.ome.tiff,R,C\n")
    for wanted, expected in (
        (None, "R"),
        ("stem", "a.ome"),
        ("relpath", "lung/a.ome.tiff"),
        ("column:case", "C"),
    ):
        (entry,) = find(manifest=manifest, reference_from=wanted).entries
        assert entry.reference == expected
        assert ("case" in entry.cells) is (wanted != "column:case")
    assert references(find(places=["lists"], reference_from="stem")) == ["a.ome"]


def test_colliding_references_name_each_other(here: Path) -> None:
    touch(here, "a/x.svs", "b/x.svs", "b/y.svs")
    found = find(places=["."], reference_from="stem")
    assert references(found) == ["y"]
    assert (found.found, found.entries[0].path) == (3, f"{here}/b/y.svs")
    assert [(fault.slide, fault.problem) for fault in found.faults] == [
        (f"{here}/a/x.svs", f"its reference 'x' is also that of {here}/b/x.svs"),
        (f"{here}/b/x.svs", f"its reference 'x' is also that of {here}/a/x.svs"),
    ]
    assert {fault.remedy for fault in found.faults} == {
        "take references from paths (relpath), or from a column of a manifest"
    }
    assert "give the folder above them" in faults(find(places=["a", "b"]))[0]
    touch(here, "lists/x.svs", "lists/y.svs")
    told = faults(find(manifest=write(here, "path,reference\nx.svs,R\ny.svs,R\n")))
    assert len(told) == 2
    assert "make references unique in the manifest" in told[0]


@pytest.mark.parametrize(("number", "end"), [(4, "/3/x.svs"), (5, "/3/x.svs and 1 more")])
def test_many_that_collide_are_counted(here: Path, number: int, end: str) -> None:
    touch(here, *(f"{folder}/x.svs" for folder in range(number)))
    found = find(places=["."], reference_from="stem")
    assert found.faults[0].problem.endswith(end)


def test_a_name_that_is_no_unicode_is_told_and_shown(here: Path) -> None:
    (here / os.fsdecode(b"caf\xe9.svs")).touch()
    touch(here, "a.svs")
    found = find(places=["."])
    assert references(found) == ["a.svs"]
    (fault,) = faults(found)
    assert fault.startswith(f"{here}/caf\\xe9.svs: its name is no valid Unicode, so no reference")


def test_a_reference_that_the_platform_refuses(here: Path) -> None:
    folder = "/".join(["f" * 50] * 5)
    touch(here, f"{folder}/a.svs", "b.svs")
    found = find(places=["."])
    assert references(found) == ["b.svs"]
    (fault,) = found.faults
    assert fault.problem == "its reference has 260 characters, 255 are the limit"
    assert fault.slide == f"{here}/{folder}/a.svs"
    assert [entry.path for entry, _ in found.rejected] == [fault.slide]
    assert sorted(references(find(places=["."], reference_from="stem"))) == ["a", "b"]


def test_a_limit(here: Path) -> None:
    touch(here, *(f"{number}.svs" for number in range(5)))
    found = find(places=["."], limit=2)
    assert (references(found), found.beyond_limit, found.found) == (["0.svs", "1.svs"], 3, 2)


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        ({}, "there are no slides"),
        ({"places": ["a"], "manifest": "in.csv"}, "a manifest names all slides by itself"),
        ({"files_from": "list", "manifest": "in.csv"}, "a manifest names all slides by itself"),
        ({"places": ["a"], "reference_from": "column:x"}, "which needs a manifest"),
        (
            {"places": ["a"], "reference_from": "hash"},
            "reference_from is relpath, stem, pseudonyms, or column:NAME, not 'hash'",
        ),
        ({"places": ["a"], "limit": 0}, "limit is a whole number, at least 1, not 0"),
        ({"places": ["a"], "limit": "5"}, "limit is a whole number, at least 1, not '5'"),
        ({"places": ["a"], "reference_from": 5}, "reference_from is relpath"),
        ({"places": ["a"], "mpp": "0.25"}, "mpp is a resolution in µm per pixel, such as 0.25, not '0.25'"),
        ({"places": ["a"], "rules": ["*.svs"]}, r"rules is a list of SelectionRule\(...\)"),
        ({"places": ["a"], "include_label": "no"}, "include_label is True or False, not 'no'"),
        ({"places": ["a"], "metadata": {"a": 1}}, "metadata is a mapping from column names to texts"),
        ({"places": [5]}, "a place is a path, not int"),
        ({"manifest": 5}, "a list or manifest is a path, not int"),
        ({"manifest": "a\0b"}, "a list or manifest is a path, and no file"),
        ({"places": 5}, "places takes several paths"),
        ({"places": ["a"], "mpp": 250}, "mpp is a resolution in µm per pixel, such as 0.25, not 250"),
        ({"places": ["a"], "mpp": True}, "mpp is a resolution in µm per pixel, such as 0.25, not True"),
        ({"places": "a"}, "places takes several paths"),
    ],
)
def test_what_can_t_be_is_refused(sources: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        Sources(**sources)


def test_an_entry_goes_through_the_database() -> None:
    for entry in (
        SlideEntry(path="/a.svs", reference="a"),
        SlideEntry(path="/a.svs", reference="a", mpp=(0.25, 0.5), cells={"stain": "H&E"}),
        SlideEntry(path="/a", reference="a", mpp=(1, 1), mpp_source="given", files=("/a", "/b")),
        SlideEntry(path="in.csv, line 2", reference="in.csv, line 2", is_rejected=True),
    ):
        item = entry.as_item(7)
        assert (item.shuffle_key, SlideEntry.from_row(item.reference, item.path, item.overrides)) == (
            7,
            entry,
        )


def test_everything_that_is_no_entry_is_rejected_by_name(here: Path) -> None:
    touch(here, "lists/a.svs", "lists/b.svs", "lists/in.csv, line 3")
    manifest = write(here, "path,reference,mpp\na.svs,R,\nb.svs,x,250\nnone.svs,y,\nb.svs,R,\n")
    found = find(manifest=manifest)
    rejected = {entry.reference: (entry.path, len(faults)) for entry, faults in found.rejected}
    assert rejected == {
        "in.csv, line 3": ("in.csv, line 3", 1),
        "in.csv, line 4": ("in.csv, line 4", 1),
        f"{here}/lists/a.svs": (f"{here}/lists/a.svs", 1),
        f"{here}/lists/b.svs": (f"{here}/lists/b.svs", 1),
    }
    assert all(entry.is_rejected for entry, _ in found.rejected)


# Many


@pytest.mark.long
def test_twenty_thousand_files(tmp_path: Path) -> None:
    for number in range(200):
        folder = tmp_path / f"batch-{number:03d}"
        folder.mkdir()
        for file in range(100):
            (folder / f"{file:02d}{'.svs' if file % 10 else '.txt'}").touch()
    found = find(
        places=[tmp_path],
        rules=[SelectionRule("*7.svs", counts=False), SelectionRule("batch-00*/", counts=True)],
    )
    assert len(found.entries) == 200 * 90 - 190 * 10
    assert len(set(references(found))) == len(found.entries)
    assert references(found) == sorted(references(found))


NAMES = st.lists(
    st.tuples(
        st.sampled_from(["", "a/", "b/", "a/b/"]),
        st.text(min_size=1, max_size=4),
        st.sampled_from([".svs", ".tiff"]),
    ),
    max_size=12,
)


@given(NAMES, st.sampled_from([None, "stem", "relpath"]), st.one_of(st.none(), st.integers(1, 15)))
def test_every_slide_is_accounted_for(
    names: list[tuple[str, str, str]], reference_from: str | None, limit: int | None
) -> None:
    """Whatever slides are called, each goes on under a reference of its own, or has a fault that names it."""
    sources = Sources(places=["/"], reference_from=reference_from, limit=limit)
    paths = {f"{folder}{name}{suffix}" for folder, name, suffix in names if "/" not in name}
    candidates = [Candidate(f"/{path}", path) for path in sorted(paths)]
    found = settle(sources, candidates, DicomFiles(), Walk(sources))
    assert len(set(references(found))) == len(found.entries)
    assert len(found.entries) + len(found.faults) == found.found
    assert found.found + found.beyond_limit == len(candidates)
    assert {entry.path for entry in found.entries}.isdisjoint({fault.slide for fault in found.faults})
