"""The command line against the emulator: in this process, and where signals or pipes matter in its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from command_line import run_here
from support import count, pretend, result

from aignostics_async import Slide
from aignostics_async.emulator.process import Emulator

pytestmark = pytest.mark.both_contracts


def cli(*arguments: str | Path, emulator: Emulator | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIGNOSTICS_")}
    if emulator is not None:
        environment |= emulator.environment
    return run_here(arguments, environment)


def parsed(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def run_id(emulator: Emulator, slide: Slide) -> str:
    arguments = ("submit", "he-tme:v1.0.0", slide.path, "--store", emulator.store_url, "--json")
    submitted = parsed(cli(*arguments, emulator=emulator))
    return str(submitted["run_id"])


def test_applications_and_versions(emulator: Emulator) -> None:
    listed = parsed(cli("applications", "--json", emulator=emulator))
    assert {"he-tme", "test-app"} <= {each["application_id"] for each in listed}
    versions = parsed(cli("applications", "he-tme", "--json", emulator=emulator))
    assert versions[0]["input_artifacts"][0]["metadata_schema"]["required"]
    table = cli("applications", "he-tme", emulator=emulator)
    assert table.returncode == 0
    assert "he-tme:v1.1.0" in table.stdout


def test_a_run_from_submit_to_delete(emulator: Emulator, run_id: str, tmp_path: Path) -> None:
    lines = cli("runs", "watch", run_id, "--poll-interval", "0.05", "--json", emulator=emulator)
    changes = [json.loads(line) for line in lines.stdout.splitlines()]
    assert changes[-1] == {"run_id": run_id, "reference": None, "old": changes[-1]["old"], "new": "COMPLETED"}
    assert parsed(cli("runs", "list", "--limit", "1", "--json", emulator=emulator))[0]["run_id"] == run_id

    shown = cli("runs", "show", run_id, "--json", emulator=emulator)
    assert parsed(shown)["items"][0]["reference"] == "case.tiff"
    assert "signature" not in shown.stdout, "signed URLs are secrets"
    assert "SUCCEEDED" in cli("runs", "show", run_id, emulator=emulator).stdout

    report = parsed(cli("runs", "download", run_id, tmp_path, "--json", emulator=emulator))
    assert {file["status"] for file in report["files"]} == {"VERIFIED"}
    assert all((tmp_path / file["path"]).is_file() for file in report["files"])
    table = cli("runs", "download", run_id, tmp_path, emulator=emulator)
    assert table.returncode == 0
    assert "3/3" in table.stdout

    refused = cli("runs", "delete-results", run_id, emulator=emulator)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    deleted = parsed(cli("runs", "delete-results", run_id, "--yes", "--json", emulator=emulator))
    assert deleted == {"run_id": run_id, "results_deleted": True}
    gone = cli("runs", "download", run_id, tmp_path / "again", emulator=emulator)
    assert gone.returncode == 3
    assert "its results were deleted" in gone.stderr
    assert "results deleted" in cli("runs", "show", run_id, emulator=emulator).stdout
    left = parsed(cli("runs", "delete-results", run_id, "--dry-run", "--json", emulator=emulator))
    assert left["outputs"] == 0
    late = cli("runs", "cancel", run_id, emulator=emulator)
    assert late.returncode == 1
    assert "409" in late.stderr
    assert "Traceback" not in late.stderr


def test_progress_is_lines_where_there_is_no_terminal(
    emulator: Emulator, run_id: str, tmp_path: Path
) -> None:
    arguments = ("runs", "download", run_id, tmp_path, "--poll-interval", "0.05", "--bwlimit")
    done = cli(*arguments, "20M", emulator=emulator)
    assert done.returncode == 0
    assert done.stderr.startswith("download: 3 of 3 files, ")
    assert "B/s" in done.stderr
    refused = cli(*arguments, "fast", emulator=emulator)
    assert refused.returncode == 2
    assert "--bwlimit takes bytes per second" in refused.stderr


def test_cancel(emulator: Emulator, slide: Slide, tmp_path: Path) -> None:
    emulator.reset(speed=0.1)
    submitted = cli("submit", "test-app:v0.0.2", slide.path, "--store", emulator.store_url, emulator=emulator)
    run_id = submitted.stdout.strip()
    assert str(uuid.UUID(run_id)) == run_id
    assert parsed(cli("runs", "cancel", run_id, "--json", emulator=emulator))["status"] == "CANCELED_USER"


def test_submit_and_download_in_one(emulator: Emulator, shared: Path, tmp_path: Path) -> None:
    done = cli(
        *("submit", "he-tme:v1.1.0", shared / "slides/small.svs", shared / "slides/boxes.tiff"),
        *("--mpp", "0.5", "--metadata", "staining_method=IHC", "--store", emulator.store_url),
        *("--download", tmp_path, "--poll-interval", "0.05"),
        emulator=emulator,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("4/4") == 2
    assert len(list(tmp_path.rglob("*.png"))) == 2


ATLAS = ("--metadata", "staining_method=H&E", "--metadata", "specimen.disease=LUNG_CANCER")


@pytest.mark.one_contract("1.8")
def test_a_schema_that_requires_what_no_file_tells(
    emulator: Emulator, root: Path, slide: Slide, tmp_path: Path
) -> None:
    """By the command and by the quickstart, with fields of an object inside."""
    store = ("--store", emulator.store_url)
    refused = cli("submit", "atlas-he-tme:v1.3.0", slide.path, *store, *ATLAS[:2], emulator=emulator)
    assert refused.returncode == 6
    assert "'specimen' is a required property" in refused.stderr
    done = cli("submit", "atlas-he-tme:v1.3.0", slide.path, *store, *ATLAS, emulator=emulator)
    assert done.returncode == 0, done.stderr

    folder, results = tmp_path / "slides", tmp_path / "results"
    folder.mkdir()
    (folder / "a.tiff").write_bytes(slide.path.read_bytes())
    program = [sys.executable, str(root / "examples/quickstart.py"), str(folder), str(results)]
    quickstart = subprocess.run(
        [*program, *store, *ATLAS, "--application-version", "atlas-he-tme:v1.3.0", "--poll-interval", "0.05"],
        env={**os.environ, **emulator.environment}, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert quickstart.returncode == 0, quickstart.stdout + quickstart.stderr
    report = json.loads((results / "report.json").read_text())
    assert [item["status"] for item in report["items"]] == ["SUCCEEDED"]


def test_faults_come_as_one_text(emulator: Emulator, shared: Path) -> None:
    store = ("--store", emulator.store_url)
    done = cli("submit", "he-tme:v1.1.0", shared / "slides", *store, emulator=emulator)
    assert done.returncode == 6
    assert "1 fault to fix first" in done.stderr
    assert "or with --mpp if no file plausibly says another one" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("runs", "list"), 2, "AIGNOSTICS_ENVIRONMENT"),
        (("runs", "show"), 2, "RUN_ID"),
        (("runs", "fly"), 2, "fly"),
        (("submit", "he-tme:v1.0.0", "--store", "s3://bucket"), 2, "there are no slides"),
        (("submit", "he-tme:v1.0.0", "a.svs", "--metadata", "x", "--store", "s3://b"), 2, "KEY=VALUE"),
        (
            ("submit", "he-tme:v1.0.0", "a.svs", "--run-metadata", "study", "--store", "s3://b"),
            2,
            "--run-metadata takes KEY=VALUE, not 'study'",
        ),
        (
            ("runs", "download", "an id", "out", "--table", "a.xlsx"),
            2,
            "a.xlsx names no format of a table",
        ),
        (("whoami", "extra"), 2, "error: no argument is expected here: extra."),
        (("bulk", "plan", "--help"), 0, "--exclude PATTERN"),
        (("--version",), 0, "0.1.0"),
        (("--help",), 0, "Sign out every client"),
        (("bulk",), 0, "Check slides, create a job in a folder"),
        (("bulk", "status", "--help"), 0, "needs no sign-in"),
        (("emulator", "--host", "192.0.2.1"), 2, "can't listen on 192.0.2.1"),
    ],
)
def test_wrong_use(arguments: tuple[str, ...], status: int, words: str, tmp_path: Path) -> None:
    done = cli(*arguments, *(("--data", tmp_path) if arguments[0] == "emulator" else ()))
    assert done.returncode == status
    assert words in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stderr


def test_a_wrong_token_is_status_5(emulator: Emulator) -> None:
    environment = {**os.environ, **emulator.environment, "AIGNOSTICS_ACCESS_TOKEN": "wrong"}
    done = run_here(["runs", "list"], environment)
    assert done.returncode == 5
    assert "Sign in again" in done.stderr


def test_failed_items_are_status_3(emulator: Emulator, tmp_path: Path) -> None:
    run_id = pretend(emulator, result("bad", status="ERROR_USER", error="unreadable"))
    done = cli("runs", "download", run_id, tmp_path, emulator=emulator)
    assert done.returncode == 3
    assert "item 'bad' ended as ERROR_USER: unreadable" in done.stderr


def test_an_unknown_submission_is_status_4(emulator: Emulator, slide: Slide) -> None:
    emulator.set_faults({"operation": "create_run", "drop": "after"})
    done = cli("submit", "he-tme:v1.0.0", slide.path, "--store", emulator.store_url, emulator=emulator)
    assert done.returncode == 4
    assert "Do not send it again" in " ".join(done.stderr.split())


def test_a_folder_gives_references_by_path_and_metadata_may_be_json(
    emulator: Emulator, slide: Slide, tmp_path: Path
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "case.tiff").write_bytes(slide.path.read_bytes())
    done = cli(
        *("submit", "he-tme:v1.1.0", tmp_path, "--store", emulator.store_url, "--json"),
        *("--metadata", 'specimen={"tissue": "LUNG"}', "--metadata", "resolution_mpp=0.25"),
        emulator=emulator,
    )
    run_id = parsed(done)["run_id"]
    items = parsed(cli("runs", "show", run_id, "--json", emulator=emulator))["items"]
    assert [item["reference"] for item in items] == ["a/case.tiff", "b/case.tiff"]


def test_a_run_that_is_waited_for_is_told_before_the_wait(
    emulator: Emulator, slide: Slide, tmp_path: Path
) -> None:
    """Who interrupts the wait has paid for a run, and must know which."""
    emulator.reset(speed=0.1)
    arguments = ["submit", "he-tme:v1.0.0", str(slide.path), "--store", emulator.store_url]
    command = [
        sys.executable,
        "-m",
        "aignostics_async.cli",
        *arguments,
        "--download",
        str(tmp_path / "r"),
    ]
    environment = {**os.environ, **emulator.environment}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        run_id = next(line for line in process.stderr if line.startswith("run ")).split()[1]
        process.terminate()
        rest = process.stderr.read()
    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in rest
    assert parsed(cli("runs", "show", run_id, "--json", emulator=emulator))["run_id"] == run_id
    found = cli("runs", "find", "case.tiff", "--json", emulator=emulator)
    assert [run["run_id"] for run in parsed(found)["exact"]] == [run_id]
    assert run_id in cli("runs", "find", "case.tiff", emulator=emulator).stdout
    assert cli("runs", "find", "nothing", emulator=emulator).returncode == 3


def test_a_submission_that_is_cut_short_says_how_to_find_it(emulator: Emulator, slide: Slide) -> None:
    emulator.set_faults({"operation": "create_run", "delay_s": 20})
    arguments = ["submit", "he-tme:v1.0.0", str(slide.path), "--store", emulator.store_url]
    command = [sys.executable, "-m", "aignostics_async.cli", *arguments]
    environment = {**os.environ, **emulator.environment}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        while not count(emulator, operation="create_run"):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGINT
    assert "aignostics-async runs find case.tiff" in told
    assert "Traceback" not in told


def test_nothing_is_cut_where_nobody_looks(emulator: Emulator, run_id: str) -> None:
    listed = cli("runs", "list", "--limit", "1", emulator=emulator)
    assert run_id in listed.stdout


@pytest.mark.parametrize("command", ["runs list --json | true", "runs list > /dev/full"])
def test_output_that_nobody_takes_is_no_traceback(emulator: Emulator, run_id: str, command: str) -> None:
    program = f"{sys.executable} -m aignostics_async.cli {command}"
    done = subprocess.run(
        ["/bin/sh", "-c", program],
        env={**os.environ, **emulator.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_a_terminal_without_the_characters_gets_them_escaped(emulator: Emulator) -> None:
    run_id = pretend(emulator, result("症例-7"))
    environment = {**os.environ, **emulator.environment, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "aignostics_async.cli", "runs", "show", run_id, "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "\\u75c7" in done.stdout


@pytest.mark.parametrize(("status", "code"), [("COMPLETED", 0), ("REJECTED", 3), ("CANCELED_USER", 3)])
def test_watching_a_failed_run_is_status_3(emulator: Emulator, status: str, code: int) -> None:
    run_id = pretend(emulator, result("a"), status=status)
    assert cli("runs", "watch", run_id, "--poll-interval", "0.05", emulator=emulator).returncode == code


def test_an_unreachable_identity_provider_is_no_sign_in(emulator: Emulator) -> None:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIGNOSTICS_")},
        "AIGNOSTICS_API_ROOT": emulator.api_root,
        "AIGNOSTICS_REFRESH_TOKEN": "r",
        "AIGNOSTICS_CLIENT_ID": "c",
        "AIGNOSTICS_TOKEN_URL": "http://127.0.0.1:9/token",
    }
    done = run_here(["runs", "list"], environment)
    assert done.returncode == 1
    assert "gave no answer" in done.stderr


@pytest.mark.emulator
def test_the_emulator_writes_its_ready_file(tmp_path: Path) -> None:
    ready_file = tmp_path / "ready.json"
    command = [sys.executable, "-m", "aignostics_async.cli", "emulator", "--data", str(tmp_path / "data")]
    command += ["--ready-file", str(ready_file), "--static-token", "my-token", "--contract", "1.8"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "emulator ready at http://127.0.0.1:" in process.stdout.readline()
        ready = json.loads(ready_file.read_text())
        assert ready.keys() >= {"api_root", "token_url", "storage_root", "store_url", "access_token"}
        assert (list(ready["api_roots"]), ready["contract"]) == (["1.0", "1.8"], "1.8")
        assert ready["access_token"] == "my-token"
        assert ready_file.stat().st_mode & 0o077 == 0
        introduction = "".join(process.stdout.readline() for _ in range(5))
        exported = dict(re.findall(r"([A-Z]+_\w+)=(\S+)", introduction))
        assert exported == {
            "AIGNOSTICS_API_ROOT": ready["api_roots"]["1.8"],
            "AIGNOSTICS_CONTRACT": "1.8",
            "STORAGE_EMULATOR_HOST": ready["google_root"],
            "AIGNOSTICS_ACCESS_TOKEN": "my-token",
        }
        environment = {**exported, "PATH": os.environ["PATH"]}
        listing = [sys.executable, "-m", "aignostics_async.cli", "applications", "--json"]
        done = subprocess.run(
            listing, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert len(parsed(done)) == 4
        process.terminate()
        # It shuts down in order first, then ends as one that was told to.
        assert process.wait(timeout=30) == -signal.SIGTERM
