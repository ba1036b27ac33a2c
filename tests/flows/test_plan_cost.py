"""What planning a job reads: one open and 4 KiB of what is no slide, a few opens of each file of a slide.

Bounds for each file hold for folders of any size, so reading grows as the folder does.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from counted_reads import Reads, program
from rounds import sizes
from slide_cases import SVS, jpeg_tiles, other_kind
from slide_files import make_old, write_dicom

from aignostics_async.bulk import JobPlan, PreflightReport, Sources, run_preflight
from aignostics_async.emulator.process import Emulator
from aignostics_async.slides.workers import _prober

pytestmark = pytest.mark.both_contracts

OTHERS = {
    "notes.txt": b"x" * 9000,
    "photo.jpg": b"\xff\xd8\xff\xe0" + bytes(9000),
    "noise.bin": bytes(range(256)) * 40,
    "none": b"",
}
FOLDERS = 500


def write_others(root: Path, count: int) -> int:
    """Write files that are no slides, nested, and links to them; return how many entries there are."""
    kinds = list(OTHERS.items())
    for number in range(count):
        folder = root / str(number % 10) / str(number % FOLDERS)
        folder.mkdir(parents=True, exist_ok=True)
        name, content = kinds[number % len(kinds)]
        path = folder / f"{number}{name}"
        if number % 50 == 49:
            path.symlink_to(root / "0" / "0" / "0notes.txt")
        else:
            path.write_bytes(content)
    (root / "1" / "again").symlink_to(root)
    return count


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Reads:
    (tmp_path / "counts").mkdir()
    monkeypatch.setattr(_prober, "_PROGRAM", program(tmp_path / "counts"))
    reads = Reads()
    monkeypatch.setattr(Path, "open", reads.counting())
    return reads


async def planned(emulator: Emulator, root: Path, reads: Reads, counts: Path) -> PreflightReport:
    plan = JobPlan(api_root=emulator.root, application_version="he-tme:v1.1.0", store=emulator.store_url)
    async with emulator.client() as client:
        report = await run_preflight(plan, Sources(places=[root]), client)
    reads.add(counts)
    return report


@pytest.mark.process
@pytest.mark.timeout(900)
@pytest.mark.parametrize("count", sizes(300, 100_000))
async def test_a_folder_of_other_files(emulator: Emulator, tmp_path: Path, reads: Reads, count: int) -> None:
    root = tmp_path / "lab"
    entries = write_others(root, count)
    make_old(*(jpeg_tiles(root / str(number) / "a.svs", SVS) for number in range(5)))
    report = await planned(emulator, root, reads, tmp_path / "counts")
    assert (report.ready, len(report.faults), len(report.left_out)) == (5, 0, entries)
    others = [path for path in reads.opens if path.startswith(str(root)) and not path.endswith(".svs")]
    assert max(reads.opens[path] for path in others) == 1
    assert max(reads.bytes[path] for path in others) <= 4096


@pytest.mark.process
@pytest.mark.timeout(900)
@pytest.mark.parametrize("slides", sizes(10, 500))
async def test_a_flat_folder_of_dicom(emulator: Emulator, tmp_path: Path, reads: Reads, slides: int) -> None:
    root = tmp_path / "in" / "lab"
    for number in range(slides):
        make_old(*write_dicom(root, levels=4, name=f"{number}_{{}}"))
    other_kind("1.2.840.10008.5.1.4.1.1.2")(root)
    report = await planned(emulator, root, reads, tmp_path / "counts")
    assert (report.ready, report.faults) == (slides, ())
    opens = {path: reads.opens[path] for path in reads.opens if path.startswith(str(root))}
    assert opens.pop(str(root / "0.dcm")) == 1, "its first bytes tell that it is no slide"
    assert len(opens) == 4 * slides
    processes = len(list((tmp_path / "counts").iterdir()))
    # Its first bytes here; first bytes and header at most once in each process; samples to recognize it.
    assert max(opens.values()) <= 2 + 2 * min(processes, 2)
    # Small as they are, the end, the table of tiles and the samples of a file are all of it, each.
    assert max(reads.bytes[path] for path in opens) <= 12 * (root / "0_0").stat().st_size
