"""Files in a zip are read at any place, without unpacking them again and again."""

from __future__ import annotations

import random
import zipfile
import zlib
from pathlib import Path

import pytest

from aignostics_async.slides.formats import _archived
from aignostics_async.slides.formats._archived import open_archived

CONTENT = random.Random(7).randbytes(1_000_000) + bytes(500_000) + b"slide" * 100_000


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_archived, "_CHUNK", 16 * 1024)
    monkeypatch.setattr(_archived, "_STRIDE", 64 * 1024)


def write(path: Path, compression: int) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("before.txt", "notes")
        archive.writestr("slide.dcm", CONTENT)
    return path


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_any_place_is_read(tmp_path: Path, compression: int) -> None:
    places = random.Random(8)
    with (
        zipfile.ZipFile(write(tmp_path / "a.zip", compression)) as archive,
        open_archived(archive, archive.getinfo("slide.dcm")) as file,
    ):
        for _ in range(60 if compression != zipfile.ZIP_BZIP2 else 6):
            at, count = places.randrange(len(CONTENT) + 10), places.choice([0, 1, 200, 70_000])
            assert file.seek(at) == at
            assert file.read(count) == CONTENT[at : at + count]
        assert file.seek(-5, 2) == len(CONTENT) - 5
        assert file.read() == CONTENT[-5:]


def test_the_ends_of_tiles_cost_little_more_than_one_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        zipfile.ZipFile(write(tmp_path / "a.zip", zipfile.ZIP_DEFLATED)) as archive,
        open_archived(archive, archive.getinfo("slide.dcm")) as file,
    ):
        raw = file.raw  # type: ignore[attr-defined]
        unpacked: list[int] = []
        unpack = type(raw)._unpack

        def counted(self: object) -> None:
            unpack(self)
            unpacked.append(len(raw._chunk))

        monkeypatch.setattr(type(raw), "_unpack", counted)
        for place in (len(CONTENT) - 10, *range(0, len(CONTENT), 500_000), len(CONTENT) - 10):
            file.seek(place)
            assert file.read(10) == CONTENT[place : place + 10]
    assert len(CONTENT) <= sum(unpacked) < 1.5 * len(CONTENT)


@pytest.mark.parametrize("harm", ["a byte", "the end", "the checksum"])
def test_damage_is_an_error_at_the_end(tmp_path: Path, harm: str) -> None:
    path = write(tmp_path / "a.zip", zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo("slide.dcm")
        if harm == "a byte":
            content = bytearray(path.read_bytes())
            content[entry.header_offset + 200_000] ^= 1
            path.write_bytes(content)
        elif harm == "the end":
            entry.compress_size //= 2
        else:
            entry.CRC ^= 1
        with (
            open_archived(archive, entry) as file,
            pytest.raises((zipfile.BadZipFile, EOFError, zlib.error)),
        ):
            file.seek(len(CONTENT) - 1)
            file.read(1)
