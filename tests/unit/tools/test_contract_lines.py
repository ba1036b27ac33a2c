"""Several contracts in the tooling: their names, their places, and where a specification comes from."""

from __future__ import annotations

import http.server
import json
import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import add_contract
import pytest
import regenerate
import small_platform
from attrs import define
from contract import changes, document, lines, usage
from contract.openapi_form import NotASpecification

SPEC = json.dumps(small_platform.CONTRACT)


def test_every_line_has_its_document_overlay_and_package(root: Path) -> None:
    found = lines.all_lines(root)
    assert [line.name for line in found] == ["1.0", "1.8"]
    for line in found:
        for name in (line.document, line.overlay, f"generated/{line.package}/py.typed"):
            assert (root / name).is_file(), name


def test_the_settings_know_every_package(root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    packages = [line.package for line in lines.all_lines(root)]
    assert settings["importlinter"]["root_packages"] == ["aignostics_async", *packages]
    wheel = settings["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert wheel == ["src/aignostics_async", *(f"generated/{name}" for name in packages)]
    by_id = {each["id"]: each for each in settings["importlinter"]["contracts"]}
    assert by_id["only-contracts-sees-generated"]["forbidden_modules"] == packages
    assert by_id["generated-imports-nothing-of-ours"]["source_modules"] == packages
    assert by_id["generated-packages-are-independent"]["modules"] == packages


@pytest.mark.parametrize("name", ["1", "1.8.0", "../1.8", "v1.8", ""])
def test_a_line_is_named_after_a_release(name: str) -> None:
    with pytest.raises(lines.UnknownLine, match="named after a release"):
        lines.later_line(name)


def test_an_unknown_line_is_told_with_those_that_are_there(root: Path) -> None:
    with pytest.raises(lines.UnknownLine, match=r"there is 1\.0, 1\.8"):
        lines.find_line(root, "1.9")


def test_a_module_of_another_line_is_not_read_for_this_one(root: Path, tmp_path: Path) -> None:
    (tmp_path / "contracts/1.8").mkdir(parents=True)
    (tmp_path / "contracts/1.8/openapi.json").write_text(SPEC)
    for name in ("contracts/v1_0/_requests.py", "contracts/v1_8/_requests.py", "emulator/_api_v1_8.py"):
        path = tmp_path / usage.FACADE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    shared = tmp_path / usage.FACADE / "contracts/_decoding.py"
    shared.write_text("")
    oldest, later = lines.all_lines(tmp_path)
    own = [
        path.relative_to(tmp_path / usage.FACADE).as_posix() for path in usage.own_modules(tmp_path, oldest)
    ]
    assert own == ["contracts/_decoding.py", "contracts/v1_0/_requests.py"]
    assert len(usage.own_modules(tmp_path, later)) == 3


def test_a_package_is_not_taken_for_one_whose_name_begins_alike() -> None:
    assert usage.is_of("aignostics_api.models", "aignostics_api")
    assert not usage.is_of("aignostics_api_1_8.models", "aignostics_api")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"actions: [",
        b"- a",
        b"actions:",
        b"actions: [a]",
        b"actions: [{update: a}]",
        b"actions: [{target: $.info}]",
        b"actions: [{target: '$.paths[[', update: a}]",
        b"\xff",
        None,
    ],
)
def test_what_is_no_overlay_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / lines.OLDEST.overlay
    path.parent.mkdir()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(regenerate.RegenerationError, match=r"^scripts/overlay\.yaml can't be used"):
        regenerate.overlay(tmp_path)


@pytest.mark.parametrize("content", [b"", b"a: [", b"- a", b"\xff", None])
def test_what_are_no_settings_of_the_generator_is_told(tmp_path: Path, content: bytes | None) -> None:
    (tmp_path / "scripts").mkdir()
    if content is not None:
        (tmp_path / "scripts/generator.yaml").write_bytes(content)
    with pytest.raises(regenerate.RegenerationError, match=r"^scripts/generator\.yaml can't be used"):
        regenerate.generate({}, tmp_path, tmp_path / "package")


def test_the_ids_of_the_framework_are_shortened() -> None:
    actions = list(add_contract.short_ids(small_platform.CONTRACT))
    assert [action["update"] for action in actions] == [
        *("list_things", "create_thing", "get_thing", "delete_results"),
    ]
    own = {"paths": {"/v1/me": {"get": {"operationId": "whoami"}}}}
    assert list(add_contract.short_ids(own)) == []


def test_an_id_is_not_shortened_to_that_of_another_operation() -> None:
    ids = {"/v1/runs": "list_v1_runs_get", "/v1/apps": "list_v1_apps_get", "/v1/me": "me_v1_me_get"}
    paths = {path: {"get": {"operationId": name}} for path, name in ids.items()}
    assert [action["update"] for action in add_contract.short_ids({"paths": paths})] == ["me"]


def test_an_operation_whose_module_another_one_has_is_left_out(tmp_path: Path) -> None:
    for name in ("api/public/get_run.py", "api/public/get_me.py", "models/run.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    ids = ("get_run", "getRun", "get_me", "list_runs")
    contract = {
        "paths": {f"/{name}": {"get": {"operationId": name}} for name in ids},
        "components": {"schemas": {"Run": {"properties": {}}, "Item": {"enum": ["a"]}}},
    }
    assert regenerate.left_out(contract, tmp_path) == [
        "operation get_run, whose module get_run is that of another operation",
        "operation getRun, whose module get_run is that of another operation",
        "operation list_runs",
        "schema Item",
    ]


def test_another_media_type_of_a_body_breaks() -> None:
    new = json.loads(SPEC)
    body = new["paths"]["/v1/things"]["post"]["requestBody"]
    body["content"] = {"multipart/form-data": body["content"]["application/json"]}
    (change,) = changes.compare(small_platform.CONTRACT, new)
    assert (change.effect, change.detail) == ("breaks", "application/json → multipart/form-data")
    assert change.keys == (("operation", "post", "/v1/things"),)


# A deployment's own document


@define
class Deployment:
    """An HTTP server with one answer."""

    root: str
    status: int = 200
    body: bytes = SPEC.encode()
    asked: str = ""


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            place.asked = self.path
            self.send_response(place.status)
            self.send_header("Content-Length", str(len(place.body)))
            self.end_headers()
            self.wfile.write(place.body)

        def log_message(self, *_: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        place = Deployment(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield place
        server.shutdown()
        thread.join()


def test_a_deployment_shows_its_own_document(deployment: Deployment) -> None:
    for address in (deployment.root, f"{deployment.root}/"):
        assert document.read_any(address) == (small_platform.CONTRACT, "127.0.0.1")
        assert deployment.asked == "/api/v1/openapi.json"
    document.read_any(f"{deployment.root}/other.json")
    assert deployment.asked == "/other.json"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, b"", "answered 404; is it the root, without /api?"),
        (200, b"<html></html>", "is HTML or XML"),
        (200, SPEC.encode()[:500], "is cut off"),
        (200, b"\xff\xfe", "is not a text file"),
    ],
)
def test_what_a_deployment_shows_instead_is_told(
    deployment: Deployment, status: int, body: bytes, words: str
) -> None:
    deployment.status, deployment.body = status, body
    with pytest.raises(NotASpecification, match=words.replace("?", r"\?")):
        document.read_any(deployment.root)


@pytest.mark.parametrize(
    "address",
    [
        "http://platform.example.com",
        "ftp://127.0.0.1",
        "https://",
        "https://user:word@host",
        "https://host/?token=word",
        "https://plat form",
        "http://[::1",
        "http://127.0.0.1:port",
    ],
)
def test_an_address_is_that_of_a_deployment(address: str) -> None:
    with pytest.raises(NotASpecification, match="is no address of a deployment") as caught:
        document.read_any(address)
    assert "word" not in str(caught.value)
