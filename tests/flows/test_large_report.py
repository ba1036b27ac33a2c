"""Reports of a hundred thousand slides: their memory does not grow, and the page keeps its limit."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from bulk_jobs import write_large_job

from aignostics_async.bulk.report._write import ReportFormat
from aignostics_async.bulk.report.html._page import MAX_SIZE

pytestmark = pytest.mark.process

# Not `ru_maxrss`, which a process takes over from the one that started it.
PROGRAM = """
import sys
from pathlib import Path
from aignostics_async.bulk.report._write import ReportFormat, write_forms
folder = Path(sys.argv[1])
write_forms(folder / "job.sqlite3", {folder / f"report.{form}": form for form in ReportFormat}, {})
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


def memory(database: Path) -> int:
    """Write all forms of a report in a process of its own, and return the most memory that it had, in KiB."""
    command = [sys.executable, "-c", PROGRAM, str(database.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=110)
    return int(done.stdout)


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="this system does not tell a process's memory"
)
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("count", "growth"), [(10_000, 10_000), pytest.param(100_000, 20_000, marks=pytest.mark.slow)]
)
def test_many_slides(tmp_path: Path, count: int, growth: int) -> None:
    """`growth` is in KiB; all rows at once would be 2 of them for a slide."""
    (tmp_path / "few").mkdir()
    few = memory(write_large_job(tmp_path / "few", 1_000))
    many = memory(write_large_job(tmp_path, count))
    assert many - few < growth, f"{few} KiB for 1,000 slides, {many} KiB for {count:,}"

    page = tmp_path / "report.html"
    assert page.stat().st_size < MAX_SIZE
    rows = 0
    with page.open(encoding="utf-8") as lines:
        for line in lines:
            rows += line.startswith("<tr><th scope=row>")
    assert rows == count, "all have room"

    with (tmp_path / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        accounts = [row["account"] for row in csv.DictReader(file)]
    told = json.loads((tmp_path / "report.json").read_bytes())
    assert len(accounts) == len(told["items"]) == count
    for account, number in told["summary"]["audit"]["accounts"].items():
        assert accounts.count(account) == number
    assert {path.suffix for path in tmp_path.glob("report.*")} == {f".{form}" for form in ReportFormat}
