"""How commands fail: exit statuses, errors as text and as JSON, and what is no failure."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import uuid
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from command_line import run_here
from cyclopts import App, Argument, CoercionError, Token
from support import pretend, result

from aignostics_async import AwsKey, Slide
from aignostics_async.cli import _app
from aignostics_async.emulator.process import Emulator

pytestmark = pytest.mark.both_contracts

UNKNOWN = str(uuid.UUID(int=404))


def cli(emulator: Emulator, *arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIGNOSTICS_")}
    return run_here(arguments, {**environment, **emulator.environment, **variables})


def error_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    error: dict[str, Any] = json.loads(line)["error"]
    assert error["exit_status"] == done.returncode
    return error


@pytest.mark.parametrize(
    "arguments",
    [
        ("runs", "show", UNKNOWN),
        ("runs", "cancel", UNKNOWN),
        ("runs", "watch", UNKNOWN),
        ("runs", "delete-results", UNKNOWN, "--yes"),
        ("applications", "he-tmee"),
        ("runs", "list", "--application", "he-tmee"),
        ("runs", "list", "--version", "he-tme:v9.9.9"),
        ("runs", "find", "a", "--version", "he-tme:v9.9.9"),
        ("bulk", "plan", "he-tmee:v1.0.0", ".", "--store", "STORE"),
        ("bulk", "plan", "he-tme:v9.9.9", ".", "--store", "STORE"),
    ],
    ids=" ".join,
)
def test_what_the_platform_does_not_have_is_status_7(emulator: Emulator, arguments: tuple[str, ...]) -> None:
    words = [emulator.store_url if word == "STORE" else word for word in arguments]
    done = cli(emulator, *words)
    assert done.returncode == 7, done.stderr
    assert done.stdout == ""
    error = error_of(cli(emulator, *words, "--json"))
    assert (error["type"] in ("NotFound", "RunVanished"), error["status"]) == (True, 404)


def test_a_mistyped_application_is_told_with_those_there_are(emulator: Emulator) -> None:
    done = cli(emulator, "applications", "he-tmee")
    assert "there is no application 'he-tmee'; your organization has he-tme, test-app" in done.stderr


@pytest.mark.one_contract("1.8")
def test_errors_name_what_the_command_line_has(emulator: Emulator, slide: Slide) -> None:
    select = cli(emulator, "runs", "cancel-matching")
    assert "give --application, --version, --reference or --since" in select.stderr
    assert "give the references of all items of the run" in cli(emulator, "runs", "find").stderr
    empty = cli(emulator, "runs", "list", "--application", "")
    assert "--application is a text that is not empty" in empty.stderr
    store = ("--store", emulator.store_url)
    unknown = cli(emulator, "submit", "he-tme:v9.9.9", slide.path, *store)
    assert unknown.returncode == 7
    assert "there is no version 'he-tme:v9.9.9'; there are he-tme:v1.0.0, he-tme:v1.1.0" in unknown.stderr
    pair = cli(emulator, "submit", "stain-pair:v1.0.0", slide.path, *store)
    assert pair.returncode == 2
    assert "in Python, submit Item(..., slide={'he_slide': ..., 'ihc_slide': ...})" in pair.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "kind"),
    [
        (("runs", "show"), 2, "MissingArgumentError"),
        (("runs", "fly"), 2, "UnknownCommandError"),
        (("runs", "list", "--limit", "x"), 2, "CoercionError"),
        (("bulk", "status", "nothing"), 2, "UsageError"),
        (("submit", "he-tme:v1.0.0", "--store", "s3://bucket"), 2, "UsageError"),
        (
            ("bulk", "plan", "he-tme:v1.0.0", ".", "--store", "s3://b", "--chunk-size", "0"),
            2,
            "ConfigurationError",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_use_is_json_too(
    emulator: Emulator, arguments: tuple[str, ...], status: int, kind: str
) -> None:
    error = error_of(cli(emulator, *arguments, "--json"))
    assert (error["exit_status"], error["type"]) == (status, kind)
    assert cli(emulator, *arguments).stderr == f"error: {error['message']}\n"


@pytest.mark.parametrize(
    ("answer", "status", "kind", "exit_status"),
    [
        ("quota_exceeded", 402, "QuotaExceeded", 8),
        ("forbidden", 403, "Forbidden", 1),
        ("jwt_missing", 401, "Unauthorized", 5),
        ("jwt_wrong_audience", 403, "Forbidden", 1),
        ("conflict", 409, "Conflict", 1),
        ("gone", 410, "Gone", 1),
        ("checksum_mismatch", 412, "PreconditionFailed", 1),
    ],
)
def test_an_answer_of_the_api_as_json(
    emulator: Emulator, answer: str, status: int, kind: str, exit_status: int
) -> None:
    emulator.set_faults({"path": "/api/.*", "answer": answer, "headers": {"x-request-id": "r-7"}})
    error = error_of(cli(emulator, "runs", "show", UNKNOWN, "--json"))
    assert (error["type"], error["status"], error["exit_status"]) == (kind, status, exit_status)
    place = urlsplit(emulator.root).path
    assert (error["method"], error["path"]) == ("GET", f"{place}/api/v1/runs/{UNKNOWN}")


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("--chunk-size", "0"), "--chunk-size"),
        (("--max-items", "0"), "--max-items"),
        (("--reference-from", "nothing"), "--reference-from"),
        (("--limit", "0"), "--limit is a whole number, at least 1"),
        (("--mpp", "-1"), "--mpp is"),
        (("--prefix", "/x/"), "--prefix is"),
        (("--endpoint", "http://127.0.0.1:1"), "leave out --endpoint"),
        (("--local-cluster", "0"), "--local-cluster is"),
        (("--identifying", "labels=allow"), "--identifying is one of warn, refuse, allow, or KIND=POLICY"),
    ],
)
def test_errors_name_options(emulator: Emulator, arguments: tuple[str, ...], option: str) -> None:
    done = cli(emulator, "bulk", "plan", "he-tme:v1.0.0", ".", "--store", emulator.store_url, *arguments)
    assert done.returncode == 2
    assert option in done.stderr
    assert not re.search(r"(?<!--)\b(chunk_size|max_items|reference_from)\b", done.stderr)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("runs", "list", "--version", "he-tme"), "'aignostics-async applications APPLICATION' lists them"),
        (("runs", "list", "--limit", "0"), "--limit must be 1 or more"),
        (("submit", "he-tme:v1.0.0", "nothing.svs", "--store", "s3://b"), "no file or folder nothing.svs"),
    ],
)
def test_advice_is_for_the_command_line(emulator: Emulator, arguments: tuple[str, ...], words: str) -> None:
    done = cli(emulator, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "client." not in done.stderr


@pytest.mark.parametrize("command", ["submit", "bulk run", "bulk resume"])
@pytest.mark.parametrize("option", ["--poll-interval=0", "--bwlimit=fast", "--deadline=tomorrow"])
def test_a_rehearsal_refuses_what_the_command_does(
    emulator: Emulator, slide: Slide, tmp_path: Path, command: str, option: str
) -> None:
    arguments = ["he-tme:v1.0.0", str(slide.path), "--store", emulator.store_url]
    if command != "submit":
        arguments = [str(tmp_path / "job"), *(arguments if command == "bulk run" else ())]
    done = cli(emulator, *command.split(), *arguments, option, "--dry-run")
    assert (done.returncode, done.stdout) == (2, "")
    assert option.partition("=")[2] in done.stderr


@pytest.mark.parametrize("arguments", [("slides/",), ("slides/", "he-tme:v1.0.0")])
def test_a_forgotten_version_is_told_before_its_slides(
    emulator: Emulator, arguments: tuple[str, ...]
) -> None:
    done = cli(emulator, "submit", *arguments, "--store", emulator.store_url)
    assert "'slides/' is no version id" in done.stderr


@pytest.mark.process
def test_a_place_that_can_not_be_is_told_in_words(slide: Slide, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.touch()
    command = [sys.executable, "-m", "aignostics_async.cli", "slides", "inspect", str(slide.path)]
    done = subprocess.run(
        [*command, "--thumbnails", str(taken)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {taken}: File exists\n"


def test_a_folder_for_the_table_is_made(emulator: Emulator, tmp_path: Path) -> None:
    (run_id,) = emulator.script({"items": ["a"], "steps": [(0, None, "COMPLETED")]})
    table = tmp_path / "tables/all.csv"
    cli(emulator, "runs", "download", run_id, tmp_path / "results", "--table", table)
    assert table.is_file()


def whole_numbers(group: App) -> Iterator[Argument]:
    """Yield every parameter that is a whole number."""
    for path in commands(group):
        command = reduce(App.__getitem__, path, group)
        if callable(command.default_command):
            for argument in command.assemble_argument_collection():
                if argument.hint in (int, int | None):
                    yield argument


def test_no_whole_number_is_rounded() -> None:
    found = list(whole_numbers(_app.app))
    assert {"--max-items", "--limit", "--port"} <= {argument.name for argument in found}
    for argument in found:
        argument.append(Token(keyword=argument.name, value="1.7", source="cli"))
        with pytest.raises(CoercionError, match=r"it takes a whole number, not '1\.7'"):
            argument.convert()


def test_an_empty_list_is_no_error(emulator: Emulator) -> None:
    emulator.set_faults({"path": "/api/v1/runs", "status": 200, "body": []})
    assert cli(emulator, "runs", "list", "--application", "he-tme", "--json").stdout == "[]\n"
    assert cli(emulator, "runs", "list", "--version", "he-tme:v1.0.0").returncode == 0


def test_cancelling_a_cancelled_run_is_no_failure(emulator: Emulator) -> None:
    (run_id,) = emulator.script({"items": ["a"]})
    for _ in range(2):
        done = cli(emulator, "runs", "cancel", run_id)
        assert (done.returncode, done.stdout) == (0, f"{run_id} is CANCELED_USER\n")
    (ended,) = emulator.script({"items": ["a"], "steps": [(0, None, "COMPLETED")]})
    refused = cli(emulator, "runs", "cancel", ended)
    assert refused.returncode == 1
    assert "409" in refused.stderr
    assert "It has ended: nothing is left to cancel." in refused.stderr


def test_an_endpoint_of_a_store(emulator: Emulator, slide: Slide) -> None:
    key = emulator.s3().key
    assert isinstance(key, AwsKey)
    keys = {"AWS_ACCESS_KEY_ID": key.name, "AWS_SECRET_ACCESS_KEY": key.secret, "AWS_REGION": key.region}
    arguments = ("submit", "he-tme:v1.0.0", slide.path, "--store", "s3://bucket/slides")
    done = cli(emulator, *arguments, "--endpoint", f"{emulator.api_root}/s3", **keys)
    assert done.returncode == 0, done.stderr
    assert any(each["path"].startswith("/s3/bucket/slides/") for each in emulator.requests())
    refused = cli(emulator, *arguments, "--endpoint", "no url", **keys)
    assert refused.returncode == 2


def test_the_exit_statuses_are_documented(root: Path) -> None:
    documented = re.findall(r"^\| (\d+) \| ", (root / "docs/command-line.md").read_text(), re.MULTILINE)
    told = re.findall(r"^(\d+)  ", _app.__doc__ or "", re.MULTILINE)
    assert documented[: len(told)] == told == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "75"]
    of_jobs = (root / "docs/how-to/bulk-jobs.md").read_text()
    assert re.findall(r"^\| (\d+) \| ", of_jobs, re.MULTILINE) == told


def test_the_python_of_the_how_to_is_true(root: Path) -> None:
    text = (root / "docs/how-to/bulk-jobs.md").read_text()
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(code, {})


def test_the_commands_of_the_documentation_exist(emulator: Emulator, root: Path) -> None:
    """Parse every command line of the documentation; what they would do is not done."""
    pages = [root / "README.md", *(root / "docs").rglob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages).replace("\\\n", "")
    found = re.findall(r"^ *\$ aignostics-async ([^#\n]*)", text, re.MULTILINE)
    assert len(found) > 50
    for line in found:
        if " ... " not in line:
            words = shlex.split(line.partition(" > ")[0])
            _app.app.parse_args(words, exit_on_error=False, print_error=False)


def commands(group: App, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command and of every group."""
    yield path
    for name, command in group.resolved_commands().items():
        if not name.startswith("-"):
            yield from commands(command, (*path, name))


@pytest.mark.long
def test_each_help_fits_80_columns_and_has_an_example() -> None:
    every = list(commands(_app.app))
    assert len(every) > 38
    for command in every:
        done = run_here([*command, "--help"], {**os.environ, "COLUMNS": "80"})
        assert done.returncode == 0
        assert max(map(len, done.stdout.splitlines())) <= 80, command
        assert not re.search(r"\[default: (False|True|None)\]|\[ARGS|\banew\b|\bheed\b", done.stdout), command
        (example,) = re.findall(
            r"^Example: aignostics-async ([^╭]*?)\n\n", f"{done.stdout}\n\n", re.MULTILINE
        )
        words = shlex.split(example.partition(">")[0])
        assert tuple(words[: len(command)]) == command
        _app.app.parse_args(words, exit_on_error=False, print_error=False)


@pytest.mark.parametrize("columns", ["0", "1", "12"])
def test_a_terminal_of_no_usable_width_gets_the_help(columns: str) -> None:
    done = run_here(["--help"], {**os.environ, "COLUMNS": columns})
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage" in done.stdout


def test_nothing_is_hidden_by_json(emulator: Emulator) -> None:
    run_id = pretend(emulator, result("a"))
    shown = cli(emulator, "runs", "show", run_id, "--json")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert json.loads(shown.stdout)["items"][0]["reference"] == "a"
