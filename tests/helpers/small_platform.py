"""A platform of four operations with its own tree: contract, overlay, bridge, emulator, one contract test.

Small enough to be generated and type-checked for every way in which a specification has changed.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import spec_diff
from attrs import frozen
from contract import document, report

THING = {"$ref": "#/components/schemas/Thing"}
UUID = {"type": "string", "format": "uuid"}


def _answer(schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": "Fine", "content": {"application/json": {"schema": schema}}}


def _query(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"in": "query", "name": name, "required": False, "schema": schema}


def _path() -> dict[str, Any]:
    return {"in": "path", "name": "thing_id", "required": True, "schema": UUID}


CONTRACT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Small", "version": "1.0.0"},
    "paths": {
        "/v1/things": {
            "get": {
                "operationId": "list_things_v1_things_get",
                "tags": ["Public"],
                "parameters": [
                    _query("page_size", {"type": "integer", "maximum": 100, "default": 50}),
                    _query(
                        "status__in",
                        {"type": "array", "items": {"$ref": "#/components/schemas/ThingStatus"}},
                    ),
                ],
                "responses": {"200": _answer({"type": "array", "items": THING})},
            },
            "post": {
                "operationId": "create_thing_v1_things_post",
                "tags": ["Public"],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/ThingRequest"}}
                    },
                },
                "responses": {"201": _answer(THING)},
            },
        },
        "/v1/things/{thing_id}": {
            "get": {
                "operationId": "get_thing_v1_things__thing_id__get",
                "tags": ["Public"],
                "parameters": [_path()],
                "responses": {"200": _answer(THING)},
            }
        },
        "/v1/things/{thing_id}/results": {
            "delete": {
                "operationId": "delete_results_v1_things__thing_id__results_delete",
                "tags": ["Public"],
                "parameters": [_path()],
                "responses": {"204": {"description": "Gone"}},
            }
        },
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["thing_id", "status", "colour"],
                "properties": {
                    "thing_id": UUID,
                    "status": {"$ref": "#/components/schemas/ThingState"},
                    "colour": {"type": "string"},
                    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "weight": {"type": "integer"},
                },
            },
            "ThingRequest": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "size": {"type": "integer"}},
            },
            "ThingState": {"type": "string", "enum": ["READY", "DONE"]},
            "ThingStatus": {"type": "string", "enum": ["OPEN", "SHUT"]},
        }
    },
    "servers": [{"url": "/api"}],
}

OVERLAY = """\
overlay: 1.0.0
info: {title: Mends, version: 1.0.0}
actions:
  - target: $.paths["/v1/things"].get.operationId
    update: list_things
  - target: $.paths["/v1/things"].post.operationId
    update: create_thing
  - target: $.paths["/v1/things/{thing_id}"].get.operationId
    update: get_thing
  - target: $.paths["/v1/things/{thing_id}/results"].delete.operationId
    update: delete_results
"""

BRIDGE = """\
from __future__ import annotations

from typing import Any

from aignostics_api.api.public import create_thing as _create_thing
from aignostics_api.api.public import delete_results as _delete_results
from aignostics_api.api.public import get_thing as _get_thing
from aignostics_api.api.public import list_things as _list_things
from aignostics_api.models import Thing, ThingRequest
from aignostics_api.models import ThingStatus as _ThingStatus


def list_things(page_size: int, status: str) -> dict[str, Any]:
    return _list_things._get_kwargs(page_size=page_size, status_in=[_ThingStatus(status)])


def create_thing(name: str) -> dict[str, Any]:
    return _create_thing._get_kwargs(body=ThingRequest(name=name))


def get_thing(thing_id: Any) -> dict[str, Any]:
    return _get_thing._get_kwargs(thing_id)


def delete_results(thing_id: Any) -> dict[str, Any]:
    return _delete_results._get_kwargs(thing_id)


def thing(raw: dict[str, Any]) -> tuple[str, str, str]:
    wire = Thing.from_dict(raw)
    return str(wire.thing_id), wire.status.value, wire.colour
"""

EMULATOR = """\
from __future__ import annotations

from typing import Any

THING = "/v1/things/{thing_id}"


def shown(values: dict[str, Any]) -> dict[str, Any]:
    return {"thing_id": values["thing_id"], "status": "READY", "colour": "red"}
"""

TEST = """\
from aignostics_async.contracts import _requests


def test_the_bridge_asks_for_pages():
    assert _requests.list_things(5, "OPEN")["params"] == {"page_size": 5, "status__in": ["OPEN"]}
"""

PYPROJECT = """\
[tool.mypy]
strict = true
mypy_path = ["src", "generated"]
explicit_package_bases = true

[[tool.mypy.overrides]]
module = ["aignostics_api.*"]
follow_imports = "silent"
"""

CHANGELOG = "# Changelog\n\n## Unreleased\n\n## 0.1.0\n\n- It began.\n"


@frozen
class Outcome:
    """What `make update-spec` says of a specification."""

    status: int
    output: str
    errors: str


@frozen
class SmallPlatform:
    """A tree of its own; `cache` is what the type checker knows of the libraries."""

    root: Path
    cache: Path

    def changed(self) -> dict[str, Any]:
        """Return a copy of the contract, to be changed."""
        return copy.deepcopy(CONTRACT)

    def differences(self, new: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON report of a comparison with the contract."""
        base = document.read(self.root / "openapi.json")
        judged = spec_diff.differences(self.root, base, new)
        record: dict[str, Any] = json.loads(report.as_json(judged, "openapi.json", "new.json"))
        return record

    def update(self, new: dict[str, Any] | str, *flags: str) -> Outcome:
        """Run the update with a specification, or with any text."""
        path = self.root.parent / "new.json"
        path.write_text(new if isinstance(new, str) else json.dumps(new), encoding="utf-8")
        script = Path(spec_diff.__file__).with_name("update_spec.py")
        # A copy: the type checker would remember modules as missing that are there the next time.
        cache = self.root.parent / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        if self.cache.is_dir():
            shutil.copytree(self.cache, cache)
        done = subprocess.run(
            [sys.executable, script, path, "--root", self.root, *flags],
            env={**os.environ, "MYPY_CACHE_DIR": str(cache)},
            capture_output=True, text=True, check=False, timeout=110,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)

    def files(self) -> dict[str, bytes]:
        """Return every file of the tree."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }


def build(checkout: Path, root: Path, cache: Path) -> SmallPlatform:
    """Write the tree with the generator's settings and templates of the checkout, and generate its client."""
    for name, text in {
        "openapi.json": document.pretty(CONTRACT),
        "CHANGELOG.md": CHANGELOG,
        "pyproject.toml": PYPROJECT,
        "scripts/overlay.yaml": OVERLAY,
        "src/aignostics_async/__init__.py": "",
        "src/aignostics_async/contracts/_requests.py": BRIDGE,
        "src/aignostics_async/emulator/__init__.py": "",
        "src/aignostics_async/emulator/_api.py": EMULATOR,
        "tests/contract/test_bridge.py": TEST,
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    shutil.copy(checkout / "scripts/generator.yaml", root / "scripts")
    shutil.copytree(checkout / "scripts/templates", root / "scripts/templates")
    script = checkout / "scripts/regenerate.py"
    subprocess.run([sys.executable, script, "--root", root], check=True, timeout=100)
    return SmallPlatform(root, cache)
