"""`make spec-diff` and `make update-spec` with the real specifications that came later."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from contract import redocly

BRIDGE = "src/aignostics_async/contracts/v1_0/_requests.py"

pytestmark = [
    pytest.mark.node,
    pytest.mark.skipif(
        not redocly.SCRIPT.is_file(), reason="the Node tools are not installed; run `make node-tools`"
    ),
]


def run(script: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=115)


@pytest.fixture
def diff(root: Path) -> Path:
    return root / "scripts/spec_diff.py"


@pytest.fixture
def committed(root: Path) -> dict[str, Any]:
    contract: dict[str, Any] = json.loads((root / "openapi.json").read_text(encoding="utf-8"))
    if "x-reconstructed-from" not in contract["info"]:
        pytest.skip("openapi.json is a later specification than those that these are compared with")
    return contract


def report(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(done.stdout)
    return record


@pytest.mark.slow
def test_the_next_release_only_adds(diff: Path, shared: Path, committed: dict[str, Any]) -> None:
    done = run(diff, shared / "specs/platform-1.0.0-plus-me.json", "--format", "json")
    assert done.returncode == 2, done.stderr
    record = report(done)
    assert record["counts"]["breaking"] == 0
    added = {each["name"] for each in record["changes"] if each["kind"] == "added"}
    assert added == {"GET /v1/me", "MeReadResponse", "OrganizationReadResponse", "UserReadResponse"}
    assert {each["severity"] for each in record["changes"] if each["name"] in added} == {"additive"}
    assert not any(each["code"] for each in record["changes"])


@pytest.mark.slow
@pytest.mark.parametrize("release", ["1.7.0", "1.8.0"])
def test_later_releases_break(
    diff: Path, root: Path, shared: Path, committed: dict[str, Any], release: str
) -> None:
    specification = shared / f"specs/platform-{release}.json"
    new = json.loads(specification.read_text(encoding="utf-8"))
    done = run(diff, specification, "--format", "json")
    assert done.returncode == 3, done.stderr
    told = {each["name"]: each for each in report(done)["changes"] if each["severity"] == "breaking"}
    # All that is gone under its old name, found in another way.
    for path, methods in committed["paths"].items():
        for method, operation in methods.items():
            name = f"{method.upper()} {path}"
            if method not in new["paths"].get(path, {}):
                assert {use["file"] for use in told[name]["code"]} >= {BRIDGE}, name
                continue
            there = {each["name"] for each in new["paths"][path][method].get("parameters", ())}
            for parameter in operation.get("parameters", ()):
                assert (f"{name} ?{parameter['name']}" in told) == (parameter["name"] not in there)
    schemas, later = committed["components"]["schemas"], new["components"]["schemas"]
    for name, schema in schemas.items():
        assert (name in told) == (name not in later), name
        if name in later:
            for field in schema.get("properties", {}):
                if field not in later[name].get("properties", {}):
                    assert f"{name}.{field}" in told
    # A line of the report is the line of the code.
    lines = (root / BRIDGE).read_text(encoding="utf-8").splitlines()
    for name, word in (
        ("GET /v1/runs/{application_run_id}", "_get_run"),
        ("GET /v1/runs/{application_run_id}/results ?status__in", "status_in="),
        ("RunCreationRequest.application_version_id", "application_version_id="),
    ):
        (use,) = (use for use in told[name]["code"] if use["file"] == BRIDGE)
        assert word in lines[use["line"] - 1]


@pytest.mark.slow
def test_the_newest_line_against_its_releases(diff: Path, shared: Path) -> None:
    """It is 1.8.0, and what 1.7.0 lacks are statuses of errors."""
    same, older = (
        run(diff, shared / f"specs/platform-{release}.json", "--contract", "1.8", "--format", "json")
        for release in ("1.8.0", "1.7.0")
    )
    assert (same.returncode, report(same)["changes"]) == (0, [])
    assert older.returncode == 2, older.stderr
    told = {
        (each["kind"], each["name"]) for each in report(older)["changes"] if each["severity"] != "cosmetic"
    }
    delete = "DELETE /v1/runs/{run_id}/artifacts"
    gone = ["POST /v1/runs → 402", *(f"{delete} → {status}" for status in (403, 409, 410))]
    assert told == {("removed", name) for name in gone}


@pytest.mark.slow
def test_a_contract_against_itself_is_no_change(diff: Path, root: Path) -> None:
    done = run(diff, root / "openapi.json")
    assert done.returncode == 0, done.stderr
    assert "(0 breaking, 0 additive, 0 cosmetic)" in done.stdout


@pytest.mark.slow
def test_other_words_are_cosmetic(diff: Path, root: Path, tmp_path: Path) -> None:
    text = (root / "openapi.json").read_text(encoding="utf-8")
    copy = tmp_path / "copy.json"
    copy.write_text(re.sub(r'"description": "', r'"description": "Also: ', text), encoding="utf-8")
    done = run(diff, copy, "--format", "json")
    assert done.returncode == 0, done.stderr
    counts = report(done)["counts"]
    assert counts["breaking"] == counts["additive"] == 0
    assert counts["cosmetic"] > 20


def test_errors_end_with_one(diff: Path, root: Path, tmp_path: Path) -> None:
    for arguments in ((), ("--format", "poem", root / "openapi.json"), (tmp_path / "none.json",)):
        done = run(diff, *arguments)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr


def test_without_node_tools_it_says_what_to_run(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("node_modules"))
    done = run(tmp_path / "scripts/spec_diff.py", root / "openapi.json", "--root", root)
    assert done.returncode == 1
    assert "make node-tools" in done.stderr


@pytest.mark.slow
def test_the_newest_release_stops_at_the_type_check(
    root: Path, shared: Path, tmp_path: Path, committed: dict[str, Any]
) -> None:
    tree = tmp_path / "tree"
    for name in ("src", "generated", "scripts", "contracts", "tests/contract"):
        ignored = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(root / name, tree / name, ignore=ignored)
    for name in ("openapi.json", "pyproject.toml", "CHANGELOG.md"):
        shutil.copy(root / name, tree / name)
    before = {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()}
    new = shared / "specs/platform-1.7.0.json"
    done = run(root / "scripts/update_spec.py", new, "--root", tree, "--write")
    assert done.returncode == 1
    assert "no warning, nothing left out" in done.stdout
    assert "the façade does not fit the new client" in done.stderr
    assert "Bridge10.get_run in src/aignostics_async/contracts/v1_0/_requests.py" in done.stderr
    assert "RunReadResponse.triggered_by" in done.stderr
    assert {path: path.read_bytes() for path in tree.rglob("*") if path.is_file()} == before


@pytest.mark.slow
def test_the_how_to_shows_what_the_commands_print(
    root: Path, shared: Path, tmp_path: Path, committed: dict[str, Any]
) -> None:
    text = (root / "docs/how-to/update-the-contract.md").read_text(encoding="utf-8")
    command = r"make (spec-diff|update-spec)(?: CONTRACT=(\S+))? NEW=\S+/specs/(\S+)(?: WRITE=1)?"
    blocks = re.findall(rf"```console\n\$ {command}\n(.*?)```", text, re.DOTALL)
    assert [name for name, *_ in blocks] == ["spec-diff", "update-spec", "spec-diff"]
    tree = before_the_update(root, shared, tmp_path / "tree")
    for name, line, new, shown in blocks:
        arguments = [shared / "specs" / new, "--root", tree, "--contract", line or "1.0"]
        arguments += ["--write"] if name == "update-spec" else []
        done = run(root / f"scripts/{name.replace('-', '_')}.py", *arguments)
        # Line numbers move with every change of the code; what stands at them is what counts.
        printed = without_numbers(done.stdout + done.stderr)
        for each in without_numbers(shown):
            assert each in printed, f"the how-to shows what {name} does not print: {each}"
    updated = json.loads((tree / "contracts/1.8/openapi.json").read_text(encoding="utf-8"))
    assert updated["info"]["version"] == "1.8.0"


def before_the_update(root: Path, shared: Path, tree: Path) -> Path:
    """Return a tree whose line 1.8 is still 1.7.0, with one test instead of all contract tests."""
    for name in ("src", "generated", "scripts", "contracts"):
        ignored = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(root / name, tree / name, ignore=ignored)
    for name in ("openapi.json", "pyproject.toml", "CHANGELOG.md"):
        shutil.copy(root / name, tree / name)
    shutil.copy(shared / "specs/platform-1.7.0.json", tree / "contracts/1.8/openapi.json")
    test = tree / "tests/contract/test_nothing.py"
    test.parent.mkdir(parents=True)
    test.write_text("def test_nothing() -> None: ...\n", encoding="utf-8")
    return tree


def test_the_lines_to_look_at_are_named_for_a_new_status(diff: Path, root: Path, tmp_path: Path) -> None:
    contract = json.loads((root / "contracts/1.8/openapi.json").read_text(encoding="utf-8"))
    new = tmp_path / "new.json"
    contract["paths"]["/v1/runs"]["post"]["responses"]["451"] = {"description": "No"}
    new.write_text(json.dumps(contract), encoding="utf-8")
    done = run(diff, new, "--contract", "1.8", "--format", "json")
    assert done.returncode == 2, done.stderr
    (change,) = report(done)["changes"]
    assert (change["name"], change["severity"]) == ("POST /v1/runs → 451", "additive")
    files = {use["file"] for use in change["code"]}
    assert "src/aignostics_async/contracts/v1_8/_requests.py" in files
    assert not any("v1_0" in file for file in files)


def without_numbers(text: str) -> list[str]:
    lines = (re.sub(r"\d+", "#", line).strip() for line in text.splitlines())
    return [line for line in lines if line not in ("", "…")]
