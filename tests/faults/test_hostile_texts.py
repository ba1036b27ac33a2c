"""Texts from elsewhere can't steer a terminal: every command, with and without one."""

from __future__ import annotations

import ast
import base64
import json
import os
import shutil
import uuid
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from bulk_jobs import PLAN, made_up_job
from hostile_texts import HOSTILE, LITERAL, steering, terminal
from support import details, result

from aignostics_async._core._display_text import escape_json, visible, visible_lines
from aignostics_async._core._logging import get_logger
from aignostics_async.bulk import EventType, JobEvent
from aignostics_async.bulk.database._states import ItemState
from aignostics_async.cli._app import run
from aignostics_async.emulator.process import Emulator

TEXTS = HOSTILE + LITERAL
ALL = " ".join(TEXTS)
RUN_ID = str(uuid.UUID(int=1))
VERSION = "test-app:v0.0.2"
STATUSES = (400, 401, 402, 403, 404, 409, 422, 500)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_hostile_text_becomes_visible(text: str) -> None:
    assert steering(visible(text)) == []
    assert "\n" not in visible(text)
    assert steering(visible_lines(text)) == []
    assert all(line.startswith("  ") for line in visible_lines(text).split("\n")[1:])
    assert "‹U+" in visible(text)


@pytest.mark.parametrize("text", LITERAL)
def test_a_harmless_text_is_unchanged(text: str) -> None:
    assert visible(text) == visible_lines(text) == text


@pytest.mark.parametrize("indent", [None, 2])
def test_json_keeps_its_value(indent: int | None) -> None:
    value = {text: [text, {"nested": text}] for text in TEXTS}
    document = escape_json(json.dumps(value, ensure_ascii=False, indent=indent))
    assert json.loads(document) == value
    assert steering(document) == []


class Commands:
    """Runs commands of the command line, in turn with and without a terminal."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> str:
        """Run a command both ways, check what it writes, and return what it wrote without a terminal."""
        words = [str(word) for word in arguments]
        self._capsys.readouterr()
        run(words)
        out, err = self._capsys.readouterr()
        assert steering(out) == steering(err) == [], words
        with terminal() as screen:
            run(words)
        assert steering(screen.output) == [], words
        return out + err


@pytest.fixture
def command(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    for name in [name for name in os.environ if name.startswith("AIGNOSTICS_") and "EMULATOR" not in name]:
        monkeypatch.delenv(name)
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Commands(capsys)


def rule(path: str, body: Any, status: int = 200, **more: Any) -> dict[str, Any]:
    return {"path": f"/api/v1/{path}", "status": status, "body": body, **more}


@pytest.fixture
def hostile_run(emulator: Emulator) -> str:
    """Let the emulator answer for a run in which every text is hostile."""
    items = [{**result(text), "error": text, "status": "ERROR_USER"} for text in TEXTS]
    run_details = {**details("COMPLETED_WITH_ERROR"), "application_version_id": f"{ALL}:v1.0.0"}
    emulator.set_faults(
        rule(f"runs/{RUN_ID}/results", items, method="GET"),
        rule(f"runs/{RUN_ID}", run_details),
        rule(f"runs/{RUN_ID}/cancel", None, 202),
        rule("runs", [run_details]),
    )
    return RUN_ID


@pytest.mark.parametrize("json_flag", [(), ("--json",)], ids=["text", "json"])
@pytest.mark.parametrize(
    "words",
    [
        ("show",),
        ("watch", "--poll-interval", "0.05"),
        ("cancel",),
        ("download", "."),
        ("delete-results", "--yes"),
    ],
    ids=lambda words: words[0],
)
def test_a_run(
    command: Commands,
    hostile_run: str,
    words: tuple[str, ...],
    json_flag: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    verb, *options = words
    written = command("runs", verb, hostile_run, *options, *json_flag)
    if verb in ("show", "download") and not json_flag:
        assert "‹U+001B›[2J" in written
        assert "[red]text[/red]" in written


@pytest.mark.parametrize("json_flag", [(), ("--json",)], ids=["text", "json"])
def test_runs_are_listed_and_found(command: Commands, hostile_run: str, json_flag: tuple[str, ...]) -> None:
    assert hostile_run in command("runs", "list", *json_flag)
    command("runs", "find", *TEXTS, *json_flag)


def test_json_on_a_terminal_has_the_references_of_the_server(
    command: Commands, hostile_run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with terminal() as screen:
        run(["runs", "show", hostile_run, "--json"])
    shown = json.loads(screen.output)
    assert [item["reference"] for item in shown["items"]] == list(TEXTS)


@pytest.mark.parametrize("json_flag", [(), ("--json",)], ids=["text", "json"])
def test_applications(command: Commands, emulator: Emulator, json_flag: tuple[str, ...]) -> None:
    listed = [
        {"application_id": text, "name": text, "description": text, "regulatory_classes": [text]}
        for text in TEXTS
    ]
    emulator.set_faults(rule("applications", listed))
    assert "evil" in command("applications", *json_flag)
    assert "there is no application" in command("applications", "unknown", *json_flag)


@pytest.mark.parametrize("json_flag", [(), ("--json",)], ids=["text", "json"])
def test_what_a_server_says_in_an_error(
    command: Commands, emulator: Emulator, json_flag: tuple[str, ...]
) -> None:
    # An error quotes no more than a few hundred characters; each text is in one, and each status has some.
    for start, status in zip(range(0, len(TEXTS), 8), cycle(STATUSES), strict=False):
        emulator.set_faults({"status": status, "body": {"detail": " ".join(TEXTS[start : start + 8])}})
        assert f"answered {status}" in command("runs", "show", RUN_ID, *json_flag)


def test_the_claims_of_a_token(command: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    claims = json.dumps({"sub": ALL, "org_id": ALL}).encode()
    body = base64.urlsafe_b64encode(claims).decode().rstrip("=")
    monkeypatch.setenv("AIGNOSTICS_ACCESS_TOKEN", f"e30.{body}.c2ln")
    assert "‹U+001B›" in command("whoami")
    command("whoami", "--json")
    command("token")


def hostile_names() -> list[str]:
    """Return file names that hold all hostile texts that a file's name can have."""
    names: list[str] = []
    name = ""
    for text in (*TEXTS, os.fsdecode(b"no\xff\xfeunicode")):
        part = text.replace("/", "_").replace("\x00", "")
        if len(os.fsencode(name + part)) > 200:
            names, name = [*names, name], ""
        name += part
    return [*names, name]


@pytest.fixture
def slides(slide_file: Path, tmp_path: Path) -> Path:
    """Give a folder with a readable and an unreadable slide under each hostile name."""
    folder = tmp_path / "slides"
    folder.mkdir()
    for name in hostile_names():
        shutil.copy(slide_file, folder / f"{name}.tiff")
        (folder / f"bad{name}.svs").write_bytes(b"no slide")
    return folder


def test_file_names_in_a_submission(command: Commands, emulator: Emulator, slides: Path) -> None:
    store = ("--store", emulator.store_url)
    assert "‹U+" in command("submit", VERSION, slides, *store)
    assert "‹U+" in command("submit", VERSION, slides / hostile_names()[0], *store)


@pytest.mark.sampled(test=1)
@pytest.mark.parametrize("json_flag", [(), ("--json",)], ids=["text", "json"])
def test_file_names_in_a_preflight_and_a_job(
    command: Commands, emulator: Emulator, slides: Path, tmp_path: Path, json_flag: tuple[str, ...]
) -> None:
    arguments = (VERSION, slides, "--store", emulator.store_url)
    command("bulk", "plan", *arguments, *json_flag)
    quick = ("--poll-interval", "0.05")
    more = ("--quarantine-faulty", "--allow-rerun")
    command("bulk", "run", tmp_path / "job", *arguments, *more, *quick, *json_flag)
    command("bulk", "resume", tmp_path / "job", *quick, *json_flag)
    for verb in ("status", "watch"):
        command("bulk", verb, tmp_path / "job", *json_flag)


@pytest.fixture
def hostile_job(emulator: Emulator, tmp_path: Path) -> Path:
    """Give a job in which every text is hostile, with something to do for each command."""
    plan = evolve(PLAN, api_root=emulator.api_root, application_version=VERSION)
    folder = tmp_path / "job"
    folder.mkdir()
    with made_up_job(folder, plan) as job:
        done = job.add(*(f"done {text}" for text in TEXTS))
        job.upload(done)
        intent, _ = job.submit(done)
        job.finish(done)
        job.duplicate(intent)
        failed = job.add(*(f"failed {text}" for text in TEXTS))
        job.upload(failed)
        job.submit(failed)
        job.move(failed, ItemState.FAILED, status="ERROR_USER", error=ALL)
        job.move(job.add("aside"), ItemState.QUARANTINED, fault=ALL, remedy=ALL)
        doubtful = job.add(*(f"doubt {text}" for text in TEXTS))
        job.upload(doubtful)
        job.doubt(doubtful, reason=ALL)
    events = [JobEvent(type=EventType.ITEM_FAILED, reference=text, run_id=text, text=text) for text in TEXTS]
    lines = [event.to_json() for event in events]
    lines += [json.dumps({"at": text, "what": text, "text": [text]}) for text in TEXTS]
    (folder / "events.jsonl").write_text("".join(f"{line}\n" for line in lines))
    (folder / "lock").write_text(ALL)
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("status", "--json"),
        ("watch",),
        ("watch", "--json"),
        ("report",),
        ("retry",),
        ("retry", "--failed"),
        ("retry", "--failed", "--yes"),
        ("resolve",),
        ("resolve", "1", "--run", ALL),
        ("resolve", "3", "--run", ALL),
        ("resolve", "--duplicate", ALL, "--leave"),
        ("verify",),
        ("adopt",),
        ("cancel",),
        ("cancel", "--yes"),
        ("clean", "--yes"),
        ("clean",),
        ("pause",),
        ("resume", "--poll-interval", "0.05"),
    ],
    ids=lambda words: " ".join(words[:3]).encode("ascii", "replace").decode()[:20],
)
def test_a_job(command: Commands, hostile_job: Path, words: tuple[str, ...]) -> None:
    verb, *options = words
    assert command("bulk", verb, hostile_job, *options)


def test_arguments(command: Commands, tmp_path: Path) -> None:
    assert "‹U+001B›" in command("runs", ALL)
    command("runs", "list", f"--{ALL}")
    command("runs", "list", "--limit", ALL)
    command("bulk", "status", tmp_path / hostile_names()[0])
    command("submit", ALL, tmp_path / hostile_names()[0], "--store", ALL)
    command("bulk", "plan", VERSION, tmp_path, "--store", ALL, "--include", ALL, "--chunk-size", "0")


def test_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    logger = get_logger("aignostics_async")
    with caplog.at_level("INFO", logger="aignostics_async"):
        for text in TEXTS:
            logger.info("try %d failed: %s", 2, text)
    for record, text in zip(caplog.records, TEXTS, strict=True):
        assert steering(record.getMessage()) == []
        assert record.getMessage() == f"try 2 failed: {visible_lines(text)}"


def test_every_logger_of_the_package_is_one_of_these(root: Path) -> None:
    home = root / "src/aignostics_async/_core/_logging.py"
    others = [
        str(path)
        for path in (root / "src/aignostics_async").rglob("*.py")
        if path != home and 'getLogger("aignostics_async' in path.read_text(encoding="utf-8")
    ]
    assert others == []


def test_one_module_of_the_command_line_writes(root: Path) -> None:
    """Others neither print nor build what rich prints; `__init__` has to speak before rich is there."""
    folder = root / "src/aignostics_async/cli"
    for path in folder.glob("*.py"):
        if path.name in ("_output.py", "__init__.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            assert not (isinstance(called, ast.Name) and called.id == "print"), path
            assert not (isinstance(called, ast.Attribute) and called.attr == "write"), path
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(module.split(".")[0] == "rich" for module in modules), path
