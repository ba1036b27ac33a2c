"""generated/ is a pure function of contract, overlay, settings, templates and pinned tools."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.process


@pytest.fixture
def tree(root: Path, tmp_path: Path) -> Path:
    """Give a copy of everything that generation reads and writes."""
    for name in ("generated", "scripts"):
        shutil.copytree(
            root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules")
        )
    shutil.copytree(root / "contracts", tmp_path / "contracts")
    shutil.copy(root / "openapi.json", tmp_path)
    return tmp_path


def regenerate(tree: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(tree / "scripts/regenerate.py"), *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def files(tree: Path) -> dict[str, bytes]:
    generated = tree / "generated"
    return {
        str(path.relative_to(generated)): path.read_bytes()
        for path in generated.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_committed_package_is_what_the_contract_gives(root: Path) -> None:
    checked = regenerate(root, "--check")
    assert checked.returncode == 0, checked.stderr


def flip_a_byte(generated: Path) -> str:
    path = generated / "aignostics_api/models/item_status.py"
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    return "different:  generated/aignostics_api/models/item_status.py"


def add_a_stray(generated: Path) -> str:
    (generated / "aignostics_api/extra.py").write_text("")
    return "unexpected: generated/aignostics_api/extra.py"


def add_a_package(generated: Path) -> str:
    (generated / "aignostics_api_0_9").mkdir()
    (generated / "aignostics_api_0_9/client.py").write_text("")
    return "unexpected: generated/aignostics_api_0_9/client.py"


def delete_a_file(generated: Path) -> str:
    (generated / "aignostics_api/api/public/get_run.py").unlink()
    return "missing:    generated/aignostics_api/api/public/get_run.py"


def touch_the_stamp(generated: Path) -> str:
    stamp = generated / "stamp.json"
    stamp.write_text(stamp.read_text().replace("0.29.1", "0.29.0"))
    return "different:  generated/stamp.json"


@pytest.mark.slow
@pytest.mark.parametrize("harm", [flip_a_byte, add_a_stray, add_a_package, delete_a_file, touch_the_stamp])
def test_every_difference_is_caught_with_the_mending_command(
    root: Path, tree: Path, harm: Callable[[Path], str]
) -> None:
    line = harm(tree / "generated")
    checked = regenerate(tree, "--check")
    assert checked.returncode == 1
    assert line in checked.stderr
    assert "make generate" in checked.stderr
    mended = regenerate(tree)
    assert mended.returncode == 0, mended.stderr
    assert files(tree) == files(root)


def test_a_mend_that_matches_nothing_fails(tree: Path) -> None:
    overlay = tree / "scripts/overlay.yaml"
    document = yaml.safe_load(overlay.read_text())
    document["actions"].append({"target": "$.paths['/v9/gone'].get.operationId", "update": "gone"})
    overlay.write_text(yaml.safe_dump(document))
    before = (tree / "generated/stamp.json").read_bytes()
    done = regenerate(tree)
    assert done.returncode == 1
    assert "$.paths['/v9/gone'].get.operationId" in done.stderr
    assert (tree / "generated/stamp.json").read_bytes() == before


def test_nothing_is_dropped_in_silence(tree: Path) -> None:
    # Valid, but nothing that the generator can express: left to itself it drops the schema and ends with 0.
    contract = json.loads((tree / "openapi.json").read_text())
    contract["components"]["schemas"]["TransferUrls"]["properties"]["upload_url"] = {"enum": ["a", 1]}
    (tree / "openapi.json").write_text(json.dumps(contract))
    done = regenerate(tree)
    assert done.returncode == 1
    assert "openapi-python-client refused the contract" in done.stderr
    assert "TransferUrls" in done.stderr


def test_an_invalid_contract_is_told_as_such(tree: Path) -> None:
    contract = json.loads((tree / "openapi.json").read_text())
    contract["components"]["schemas"]["TransferUrls"]["properties"]["upload_url"]["default"] = 3
    (tree / "openapi.json").write_text(json.dumps(contract))
    done = regenerate(tree)
    assert done.returncode == 1
    assert "the contract with the overlay is not valid" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_line_is_added_beside_the_others(tree: Path, root: Path) -> None:
    command = [sys.executable, str(tree / "scripts/add_contract.py"), "2.0", str(root / "openapi.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    assert "add aignostics_api_2_0 to the wheel" in done.stdout
    assert regenerate(tree, "--check").returncode == 0
    assert (tree / "generated/aignostics_api_2_0/api/public/list_runs.py").is_file()
    before = files(tree)
    again = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert again.returncode == 1
    assert "there is a line 2.0 already" in again.stderr
    assert files(tree) == before
