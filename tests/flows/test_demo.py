"""The demo and the example that it runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import google_crc32c
import pytest

from aignostics_async import decode_crc32c

pytestmark = pytest.mark.emulator


def demo(root: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "scripts/demo.py"), *arguments, "--folder", str(folder)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=110)


def verify(root: Path, results: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "scripts/verify_results.py"), str(results)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_six_slides_in_and_verified_results_out(root: Path, tmp_path: Path) -> None:
    done = demo(root, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "signed in as client 'emulator'" in done.stderr
    assert "Wait until" not in done.stderr, "its slides are complete"
    report = json.loads((tmp_path / "results/report.json").read_text())
    assert len(report["items"]) == 6
    for item in report["items"]:
        files = [file for file in report["files"] if file["reference"] == item["reference"]]
        assert item["status"] == "SUCCEEDED"
        assert len(files) >= 3
        assert item["reference"] in done.stdout
        for file in files:
            content = (tmp_path / "results" / file["path"]).read_bytes()
            assert google_crc32c.value(content) == decode_crc32c(file["checksum_base64_crc32c"])
    checked = verify(root, tmp_path / "results")
    assert checked.returncode == 0, checked.stdout

    victim = tmp_path / "results" / report["files"][0]["path"]
    victim.write_bytes(victim.read_bytes() + b"x")
    checked = verify(root, tmp_path / "results")
    assert checked.returncode == 1
    assert report["files"][0]["path"] in checked.stdout


@pytest.mark.slow
def test_slides_of_one_s_own(root: Path, shared: Path, tmp_path: Path) -> None:
    done = demo(root, tmp_path, str(shared / "slides"))
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "results/report.json").read_text())
    assert {item["reference"]: item["status"] for item in report["items"]} == {
        "boxes_0.dcm": "SUCCEEDED",
        "small.svs": "SUCCEEDED",
        "tissue_ihc.tiff": "SUCCEEDED",
    }
    rows = [line for line in done.stdout.splitlines() if "SUCCEEDED" in line or "REFUSED" in line]
    assert sum("SUCCEEDED" in row for row in rows) == 3
    assert sum("REFUSED" in row and "boxes.tiff" in row for row in rows) == 1
    assert "352.8 µm per pixel" in " ".join(done.stdout.split())
    assert "README" not in done.stdout


@pytest.mark.slow
def test_a_folder_where_nothing_can_be_submitted(root: Path, shared: Path, tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    folder.mkdir()
    (folder / "boxes.tiff").write_bytes((shared / "slides/boxes.tiff").read_bytes())
    done = demo(root, tmp_path / "demo", str(folder))
    assert done.returncode == 1
    assert "352.8 µm per pixel" in done.stdout
    missing = demo(root, tmp_path / "demo", str(tmp_path / "none"))
    assert missing.returncode == 1
    assert "error: " in missing.stderr
    assert "Traceback" not in done.stderr + missing.stderr


def test_the_readme_names_the_example_that_is_run(root: Path) -> None:
    assert "(examples/quickstart.py)" in (root / "README.md").read_text(encoding="utf-8")
    assert "examples/quickstart.py" in (root / "scripts/demo.py").read_text(encoding="utf-8")
