"""With pseudonyms no name leaves the machine, and the map of them stays on it."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import pytest
from bulk_command import Command
from slide_files import make_old, read_slide, write_dicom, write_mirax, write_tiff

from aignostics_async import Item, Slide, find_slides
from aignostics_async.emulator.process import Emulator
from aignostics_async.slides._packing import packed
from aignostics_async.submission._pseudonyms import PseudonymMap


def test_the_map_is_the_owner_s_and_keeps_what_it_gave(tmp_path: Path) -> None:
    pseudonyms = PseudonymMap(tmp_path / "map.csv")
    slides = [("Doe, Jane", "/lab/a"), ('"=x"', "/lab/b")]
    first = pseudonyms.assign(slides)
    assert len(set(first.values())) == 2
    assert pseudonyms.assign([*slides, ("c", "/lab/c")]).items() >= first.items()
    assert (tmp_path / "map.csv").stat().st_mode & 0o777 == 0o600
    with (tmp_path / "map.csv").open(newline="") as file:
        assert [row["reference"] for row in csv.DictReader(file)] == ["Doe, Jane", '"=x"', "c"]


async def test_names_of_files_are_not_in_a_zip(tmp_path: Path) -> None:
    write_dicom(tmp_path / "in", name="Doe-Jane-{}.dcm")
    (slide,) = find_slides(tmp_path / "in")
    with zipfile.ZipFile(await packed(await read_slide(slide), tmp_path, alias="slide-1")) as archive:
        assert archive.namelist() == ["00000.dcm", "00001.dcm"]
    mirax = write_mirax(tmp_path / "Doe.mrxs")
    path = await packed(await read_slide(Slide(mirax)), tmp_path, alias="slide-2")
    with zipfile.ZipFile(path) as archive:
        assert not any("Doe" in name for name in archive.namelist())
        archive.extractall(tmp_path / "out")
    assert (await read_slide(Slide(tmp_path / "out" / "slide-2.mrxs"))).width == 64


async def test_a_submission_sends_no_name(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = make_old(write_tiff(tmp_path / "Doe, Jane.tiff", side=512))
    warnings: list[object] = []
    before = len(emulator.requests())
    async with emulator.client() as client:
        run = await client.runs.submit(
            "he-tme:v1.1.0", [Item("Doe, Jane", slide=path)], store=emulator.store_url,
            references="pseudonyms", warn=warnings.append,
        )  # fmt: skip
        references = [item.reference async for item in run.results()]
    assert warnings == []
    assert "Doe" not in json.dumps(emulator.requests()[before:])
    (pseudonym,) = PseudonymMap().assign([("Doe, Jane", str(path))]).values()
    assert references == [pseudonym]


def test_a_job_sends_no_name(emulator: Emulator, tmp_path: Path) -> None:
    emulator.reset(clock_rate=200)
    bulk = Command(emulator, tmp_path)
    (tmp_path / "slides").mkdir()
    make_old(write_tiff(tmp_path / "slides" / "Anna Schmidt.tiff", side=512))
    before = len(emulator.requests())
    done = bulk("run", *bulk.begin(), "--reference-from", "pseudonyms")
    assert done.returncode == 0, done.stderr
    assert "may be a person's" not in done.stderr
    assert "Schmidt" not in json.dumps(emulator.requests()[before:])
