"""Regenerate the clients from the contracts, or check that they are up to date.

    openapi.json                 -> overlay -> validate -> generator -> generated/aignostics_api
    contracts/1.8/openapi.json   -> overlay -> validate -> generator -> generated/aignostics_api_1_8
    ...                                                              -> generated/stamp.json

Replaces generated/ but for its README, all or nothing. With --check nothing is written: the packages are
generated into a scratch folder and compared byte for byte with the committed ones. Some five seconds for each
contract.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from contract import document, lines, swap
from contract.lines import ContractLine
from contract.openapi_form import NotASpecification
from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext.parser import parse
from oas_patch.overlay import apply_overlay
from openapi_python_client.strings import ClassName, PythonIdentifier
from openapi_spec_validator import validate
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

ROOT = Path(__file__).resolve().parent.parent
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
    """Generate the package `target` for a mended contract, with the generator settings under `root`."""
    settings = generator_settings(root)
    with tempfile.TemporaryDirectory() as scratch:
        client, config = Path(scratch, "client.json"), Path(scratch, "generator.yaml")
        client.write_text(json.dumps(mended), encoding="utf-8")
        named = {**settings, "package_name_override": target.name}
        config.write_text(yaml.safe_dump(named), encoding="utf-8")
        command = [
            *(sys.executable, "-m", "openapi_python_client", "generate"),
            *("--path", str(client), "--output-path", str(target), "--overwrite"),
            # Otherwise a schema that the generator can't read is dropped with exit status 0.
            "--fail-on-warning",
            *("--meta", "none"),
            *("--config", str(config)),
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


def generator_settings(root: Path) -> dict[str, Any]:
    """Return the settings of the generator of the tree under `root`; raises RegenerationError."""
    try:
        settings = yaml.safe_load((root / "scripts/generator.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        settings, reason = None, " ".join(str(error).split())
    else:
        reason = f"it holds a {type(settings).__name__}"
    if not isinstance(settings, dict):
        raise RegenerationError(f"scripts/generator.yaml can't be used ({reason}); it maps options to values")
    return settings


def stamp(root: Path) -> str:
    """Return the text of stamp.json: the hashes and versions of everything that the packages depend on."""
    contracts = [name for line in lines.all_lines(root) for name in (line.document, line.overlay)]
    inputs = sorted([*contracts, "scripts/generator.yaml"])
    inputs += sorted(str(p.relative_to(root)) for p in (root / "scripts/templates").rglob("*.jinja"))
    record = {
        "inputs": {name: hashlib.sha256((root / name).read_bytes()).hexdigest() for name in inputs},
        "tools": {name: version(name) for name in ("oas-patch", "openapi-python-client", "ruff")},
    }
    return json.dumps(record, indent=2, sort_keys=True) + "\n"


def build(root: Path, target: Path) -> None:
    """Build packages and stamp for the contracts under `root` into `target`."""
    for line in lines.all_lines(root):
        build_package(root, line, target / line.package)
    (target / "stamp.json").write_text(stamp(root), encoding="utf-8")


def build_package(root: Path, line: ContractLine, target: Path) -> None:
    """Build the package of one contract under `root` as `target`."""
    mended, unmatched = apply_mends(document.read(root / line.document), overlay(root, line))
    if unmatched:
        raise RegenerationError(
            f"these actions of {line.overlay} match nothing in {line.document}; fix or delete them:\n  "
            + "\n  ".join(unmatched)
        )
    check_valid(mended, line)
    generate(mended, root, target)
    if missing := left_out(mended, target):
        raise RegenerationError("the generator silently left these out:\n  " + "\n  ".join(missing))


def left_out(mended: dict[str, Any], package: Path) -> list[str]:
    """Return the operations and schemas that a generated package lacks: two of one module are one too few."""
    modules = Counter(path.stem for path in package.glob("api/*/*.py"))
    models = Counter(path.stem for path in package.glob("models/*.py"))
    schemas = mended.get("components", {}).get("schemas", {})
    made = [name for name, schema in schemas.items() if "properties" in schema or "enum" in schema]
    operations = {name: str(PythonIdentifier(name, "")) for name in operation_ids(mended).values()}
    classes = {name: str(PythonIdentifier(ClassName(name, ""), "")) for name in made}
    return [*_missing("operation", operations, modules), *_missing("schema", classes, models)]


def _missing(kind: str, wanted: dict[str, str], there: Counter[str]) -> Iterator[str]:
    needed = Counter(wanted.values())
    for name, module in wanted.items():
        if there[module] < needed[module]:
            shared = f", whose module {module} is that of another {kind}" if there[module] else ""
            yield f"{kind} {name}{shared}"


def operation_ids(contract: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Return the id of each operation by method and path."""
    return {
        (method, path): operation["operationId"]
        for path, item in contract["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and "operationId" in operation
    }


def overlay(root: Path, line: ContractLine = lines.OLDEST) -> dict[str, Any]:
    """Return the overlay of a contract of the tree under `root`; raises RegenerationError if it is none."""
    try:
        actions: dict[str, Any] = yaml.safe_load((root / line.overlay).read_text(encoding="utf-8"))
        for action in actions["actions"]:
            parse(action["target"])
            if not {"update", "remove"} & action.keys():
                raise KeyError("update")
    except (AttributeError, LookupError, OSError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
    except (JSONPathError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
    else:
        return actions
    raise RegenerationError(
        f"{line.overlay} can't be used ({reason}); each of its `actions` has a `target`, which is a "
        "JSONPath, and `update` or `remove`"
    )


def check_valid(mended: dict[str, Any], line: ContractLine = lines.OLDEST) -> None:
    """Raise RegenerationError unless the contract with the overlay is valid OpenAPI."""
    try:
        validate(mended)
    except OpenAPIValidationError as error:
        places = ", ".join(_places(mended, error.schema)) or "/".join(map(str, error.absolute_path))
        raise RegenerationError(
            f"the contract with the overlay is not valid: {error.message}"
            + (f", at {places}" if places else "")
            + f"; fix it with an action in {line.overlay}"
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
    found = []
    for name in sorted(committed.keys() | expected.keys()):
        if name not in committed:
            found.append(f"missing:    generated/{name}")
        elif name not in expected:
            found.append(f"unexpected: generated/{name}")
        elif committed[name] != expected[name]:
            found.append(f"different:  generated/{name}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the tree and write nothing")
    parser.add_argument("--root", type=Path, default=ROOT, help="the tree to work on")
    arguments = parser.parse_args()
    swap.finish(arguments.root)
    generated = arguments.root / "generated"
    with tempfile.TemporaryDirectory() as scratch:
        built = Path(scratch, "generated")
        built.mkdir()  # with the usual mode, which a temporary folder lacks
        try:
            build(arguments.root, built)
        except (NotASpecification, RegenerationError, lines.UnknownLine) as error:
            print(error, file=sys.stderr)
            return 1
        if not arguments.check:
            if (generated / "README.md").is_file():
                shutil.copy(generated / "README.md", built)
            # The whole folder, so that what no contract gives is gone.
            swap.put(arguments.root, {"generated": built})
            return 0
        found = differences(contents(generated), contents(built))
    if found:
        print(*found, f"generated/ is out of date: {MEND}", sep="\n", file=sys.stderr)
        return 1
    print("generated/ is up to date")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; the tree is unchanged")
