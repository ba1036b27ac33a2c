"""Regenerate the client from the contract, or check that it is up to date.

    openapi.json -> overlay -> validate -> openapi-python-client -> generated/aignostics_api + stamp.json

Replaces generated/aignostics_api. With --check nothing is written: the package is generated into a scratch
folder and compared byte for byte with the committed one.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from contract import swap
from jsonpath_ng.ext.parser import parse
from oas_patch.overlay import apply_overlay
from openapi_spec_validator import validate
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "aignostics_api"
MEND = "run `make generate` and commit the result; generated/ is never edited by hand"


class RegenerationError(Exception):
    """The client can't be generated; the text says why."""


def apply_mends(contract: dict[str, Any], actions: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the contract with the overlay applied, and the targets that matched no node."""
    mended = copy.deepcopy(contract)
    unmatched = []
    for action in actions["actions"]:
        # oas-patch ignores a target that matches nothing, so check it first.
        if parse(action["target"]).find(mended):
            mended = apply_overlay(mended, {"actions": [action]})
        else:
            unmatched.append(action["target"])
    return mended, unmatched


def _places(node: Any, wanted: Any, path: str = "#") -> Iterator[str]:
    """Yield where a document contains a schema; the validator gives no path for an invalid default."""
    if isinstance(node, dict):
        if node == wanted:
            yield path
        for name, child in node.items():
            yield from _places(child, wanted, f"{path}/{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _places(child, wanted, f"{path}/{index}")


def generate(mended: dict[str, Any], root: Path, target: Path) -> None:
    """Generate the package for a mended contract into `target`, with the generator settings under `root`."""
    with tempfile.TemporaryDirectory() as scratch:
        document = Path(scratch, "client.json")
        document.write_text(json.dumps(mended), encoding="utf-8")
        command = [
            *(sys.executable, "-m", "openapi_python_client", "generate"),
            *("--path", str(document), "--output-path", str(target), "--overwrite"),
            # Otherwise a schema that the generator can't read is dropped with exit status 0.
            "--fail-on-warning",
            *("--meta", "none"),
            *("--config", str(root / "scripts/generator.yaml")),
            *("--custom-template-path", str(root / "scripts/templates")),
        ]
        # The formatter lies beside this interpreter, which may not be on the PATH.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        done = subprocess.run(
            command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise RegenerationError(f"openapi-python-client refused the contract:\n{done.stdout}{done.stderr}")
    (target / "py.typed").touch()


def stamp(root: Path) -> str:
    """Return the text of stamp.json: the hashes and versions of everything that the package depends on."""
    inputs = ["openapi.json", "scripts/overlay.yaml", "scripts/generator.yaml"]
    inputs += sorted(str(p.relative_to(root)) for p in (root / "scripts/templates").rglob("*.jinja"))
    record = {
        "inputs": {name: hashlib.sha256((root / name).read_bytes()).hexdigest() for name in inputs},
        "tools": {name: version(name) for name in ("oas-patch", "openapi-python-client", "ruff")},
    }
    return json.dumps(record, indent=2, sort_keys=True) + "\n"


def build(root: Path, target: Path) -> None:
    """Build package and stamp for the contract under `root` into `target`."""
    contract = json.loads((root / "openapi.json").read_text(encoding="utf-8"))
    mended, unmatched = apply_mends(contract, overlay(root))
    if unmatched:
        raise RegenerationError(
            "these actions of scripts/overlay.yaml match nothing in openapi.json; fix or delete them:\n  "
            + "\n  ".join(unmatched)
        )
    check_valid(mended)
    generate(mended, root, target / PACKAGE)
    (target / "stamp.json").write_text(stamp(root), encoding="utf-8")


def overlay(root: Path) -> dict[str, Any]:
    """Return the overlay of the tree under `root`."""
    actions: dict[str, Any] = yaml.safe_load((root / "scripts/overlay.yaml").read_text(encoding="utf-8"))
    return actions


def check_valid(mended: dict[str, Any]) -> None:
    """Raise RegenerationError unless the contract with the overlay is valid OpenAPI."""
    try:
        validate(mended)
    except OpenAPIValidationError as error:
        places = ", ".join(_places(mended, error.schema)) or "/".join(map(str, error.absolute_path))
        raise RegenerationError(
            f"the contract with the overlay is not valid: {error.message}"
            + (f", at {places}" if places else "")
            + "; fix it with an action in scripts/overlay.yaml"
        ) from error
    except (LookupError, ValueError) as error:
        raise RegenerationError(f"the contract with the overlay is not valid: {error}") from error


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file in a folder by relative name, without its README and caches."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path != folder / "README.md"
    }


def differences(committed: dict[str, bytes], expected: dict[str, bytes]) -> list[str]:
    """Return a line for each file that is missing, unexpected or different."""
    lines = []
    for name in sorted(committed.keys() | expected.keys()):
        if name not in committed:
            lines.append(f"missing:    generated/{name}")
        elif name not in expected:
            lines.append(f"unexpected: generated/{name}")
        elif committed[name] != expected[name]:
            lines.append(f"different:  generated/{name}")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the tree and write nothing")
    parser.add_argument("--root", type=Path, default=ROOT, help="the tree to work on")
    arguments = parser.parse_args()
    swap.finish(arguments.root)
    with tempfile.TemporaryDirectory() as scratch:
        built = Path(scratch)
        try:
            build(arguments.root, built)
        except RegenerationError as error:
            print(error, file=sys.stderr)
            return 1
        if not arguments.check:
            names = {f"generated/{name}": built / name for name in (PACKAGE, "stamp.json")}
            swap.put(arguments.root, names)
            return 0
        lines = differences(contents(arguments.root / "generated"), contents(built))
    if lines:
        print(*lines, f"generated/ is out of date: {MEND}", sep="\n", file=sys.stderr)
        return 1
    print("generated/ is up to date")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; the tree is unchanged")
