"""One table of result files, of a download and of a job, as CSV and Parquet."""

from __future__ import annotations

import csv
import json
import re
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from bulk_jobs import made_up_job
from command_line import run_here

from aignostics_async import (
    AignosticsError,
    FileOutcome,
    FileStatus,
    Item,
    JobError,
    MissingExtra,
    Slide,
    TransferError,
    UsageError,
    checksum_bytes,
    write_table,
)
from aignostics_async.bulk import write_results_table
from aignostics_async.downloads import _results_table
from aignostics_async.emulator.process import Emulator

pytestmark = pytest.mark.both_contracts

parquet: Any = pytest.importorskip("pyarrow.parquet")
COLUMNS = ["reference", "artifact", "path", "crc32c", "media_type", "size"]


def outcome(reference: str, path: str = "/results/a.json", **fields: Any) -> FileOutcome:
    return FileOutcome(reference, "areas", Path(path), fields.pop("status", FileStatus.VERIFIED), **fields)


def read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a table, as another program reads them."""
    if path.suffix == ".parquet":
        rows: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
        return rows
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{**row, "size": int(row["size"])} for row in csv.DictReader(file)]


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".CSV"])
def test_a_line_for_each_file_that_is_there(tmp_path: Path, suffix: str) -> None:
    files = [
        outcome("a", crc32c="AAAAAA==", size=7, media_type="application/geo+json"),
        outcome("b", path="/results/b.geojson", status=FileStatus.UNVERIFIED),
        outcome("c", status=FileStatus.FAILED, error=AignosticsError("no")),
        outcome("d", path="/results/d.strange", status=FileStatus.PRESENT, size=2**40),
    ]
    target = tmp_path / f"table{suffix}"
    target.write_text("an older one")
    assert write_table(files, target) == 3
    rows = read(target)
    assert list(rows[0]) == COLUMNS
    values = [tuple(row.values()) for row in rows]
    assert values[0] == ("a", "areas", "/results/a.json", "AAAAAA==", "application/geo+json", 7)
    assert values[1][-2:] == ("application/geo+json", 0)
    assert values[2][-2:] == ("application/octet-stream", 2**40)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [target.name]


def test_texts_are_whole_in_parquet_and_harmless_in_csv(tmp_path: Path) -> None:
    references = ["=1+1", "ü\u202e日", "a,b\n\"c'", "x\udc80"]
    files = [outcome(reference) for reference in references]
    for name in ("t.csv", "t.parquet"):
        write_table(files, tmp_path / name)
    exact = [row["reference"] for row in read(tmp_path / "t.parquet")]
    assert exact == [*references[:3], "x\\udc80"]
    shown = [row["reference"] for row in read(tmp_path / "t.csv")]
    assert shown[0] == "'=1+1"
    assert all("\u202e" not in reference and "\n" not in reference for reference in shown)


def test_many_files_are_written_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_results_table, "_BATCH", 3)
    write_table((outcome(str(number)) for number in range(10)), tmp_path / "t.parquet")
    assert [row["reference"] for row in read(tmp_path / "t.parquet")] == [str(number) for number in range(10)]
    assert parquet.ParquetFile(tmp_path / "t.parquet").num_row_groups == 4


def test_no_files_are_a_table_without_lines(tmp_path: Path) -> None:
    for name in ("t.csv", "t.parquet"):
        assert write_table([], tmp_path / name) == 0
        assert read(tmp_path / name) == []
    assert parquet.read_table(tmp_path / "t.parquet").column_names == COLUMNS


def test_what_cant_be_written_leaves_the_older_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "t.parquet"
    target.write_text("an older one")
    with pytest.raises(UsageError, match=r"suffixes \.csv, \.parquet"):
        write_table([], tmp_path / "t.xlsx")
    target_of_another_type: Any = 5
    with pytest.raises(UsageError, match="is a path"):
        write_table([], target_of_another_type)
    with pytest.raises(TransferError, match=r"t\.csv"):
        write_table([], tmp_path / "none" / "t.csv")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match="parquet"):
        write_table([], target)
    assert target.read_text() == "an older one"
    assert list(tmp_path.iterdir()) == [target]


async def test_the_table_of_a_download(
    emulator: Emulator, contract: str, slide: Slide, tmp_path: Path
) -> None:
    async with emulator.client(contract=contract) as client:
        item = Item("case 7", slide=slide)
        run = await client.runs.submit("he-tme:v1.1.0", [item], store=emulator.store_url)
        report = await run.download(tmp_path / "results")
    assert write_table(report.files, tmp_path / "t.parquet") == len(report.files) == 4
    for row in read(tmp_path / "t.parquet"):
        content = Path(row["path"]).read_bytes()
        assert (row["reference"], row["size"]) == ("case 7", len(content))
        assert row["crc32c"] == checksum_bytes(content).wire
    kinds = {row["media_type"] for row in read(tmp_path / "t.parquet")}
    assert "application/geo+json" in kinds or "application/json" in kinds


def test_the_command_writes_the_table_of_a_download(emulator: Emulator, slide: Slide, tmp_path: Path) -> None:
    submit: list[str | Path] = ["submit", "he-tme:v1.1.0", slide.path, "--store", emulator.store_url]
    run_id = run_here(submit, emulator.environment).stdout.strip()
    download: list[str | Path] = ["runs", "download", run_id, tmp_path / "out", "--poll-interval", "0.05"]
    done = run_here([*download, "--table", tmp_path / "t.csv"], emulator.environment)
    assert done.returncode == 0, done.stderr
    assert "4 files in" in done.stderr
    assert {Path(row["path"]).parent.parent for row in read(tmp_path / "t.csv")} == {tmp_path / "out"}


@pytest.fixture
def job(tmp_path: Path) -> Path:
    """Give the folder of a job with two items that are done, and one that is not."""
    folder = tmp_path / "job"
    folder.mkdir()
    with made_up_job(folder) as made:
        numbers = made.add("b", "a", "c")
        made.upload(numbers)
        made.submit(numbers)
        made.finish(numbers[:2])
    return folder


async def test_the_table_of_a_job(job: Path, tmp_path: Path) -> None:
    target = tmp_path / "t.parquet"
    assert await write_results_table(job, target) == 4
    rows = read(target)
    assert [row["reference"] for row in rows] == ["a", "a", "b", "b"]
    assert {(row["artifact"], row["media_type"], row["size"]) for row in rows} == {
        ("areas", "application/json", 5_000)
    }
    with pytest.raises(JobError, match="there is no job"):
        await write_results_table(tmp_path, target)


def test_the_command_writes_the_table_of_a_job(job: Path, tmp_path: Path) -> None:
    done = run_here(["bulk", "results", job, tmp_path / "t.csv"], {"PATH": ""})
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "4 files in" in done.stderr
    assert [row["reference"] for row in read(tmp_path / "t.csv")] == ["a", "a", "b", "b"]


async def test_geojson_gets_what_qupath_reads(
    emulator: Emulator, slide: Slide, tmp_path: Path, root: Path
) -> None:
    """The code of docs/how-to/read-results.md; pandas and geopandas are not there to run the rest."""
    page = (root / "docs/how-to/read-results.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert [compile(block, "page", "exec") for block in blocks]
    defined: dict[str, Any] = {}
    exec(next(block for block in blocks if "def for_qupath" in block), defined)
    async with emulator.client(contract="1.8") as client:
        item = Item("a", slide=slide)
        run = await client.runs.submit("he-tme:v1.1.0", [item], store=emulator.store_url)
        report = await run.download(tmp_path)
    (source,) = [file.path for file in report.files if file.artifact in page and ".geojson" in file.path.name]
    number = defined["for_qupath"](source, tmp_path / "q.geojson")
    features = json.loads((tmp_path / "q.geojson").read_text())["features"]
    assert len(features) == number > 0
    for feature in features:
        assert feature["properties"]["objectType"] == "annotation"
        assert feature["properties"]["classification"] == {"name": "tissue"}
    assert any(file.artifact in page and file.media_type == "text/csv" for file in report.files)


def test_a_list_of_files_may_be_any_iterable(tmp_path: Path) -> None:
    files: Sequence[FileOutcome] = (outcome("a"),)
    assert write_table(iter(files), tmp_path / "t.csv") == 1
