"""Hostile texts through every command, with and without a terminal: none steers it, and no file holds one.

A command that is new has to be added to the table, or the last test fails.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import define, evolve, field
from bulk_jobs import PLAN, made_up_job
from cyclopts import App
from hostile_texts import HOSTILE, LITERAL, steering, terminal
from support import details, result

from aignostics_async import FileStore, IdentityProvider, Token, TokenSet
from aignostics_async._core._secret import Secret
from aignostics_async.bulk import EventType, JobEvent
from aignostics_async.bulk.database._states import ItemState
from aignostics_async.cli._app import app, run
from aignostics_async.emulator.process import Emulator

TEXTS = HOSTILE + LITERAL
ALL = " ".join(TEXTS)
RUN_ID = str(uuid.UUID(int=1))
VERSION = "test-app:v0.0.2"


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


def rule(path: str, body: Any, status: int = 200, **more: Any) -> dict[str, Any]:
    return {"path": f".*/{path}", "status": status, "body": body, **more}


@define
class Scene:
    """What the commands meet: each method prepares one kind of hostility."""

    emulator: Emulator
    slide_file: Path
    folder: Path
    patch: pytest.MonkeyPatch
    slides: Path = field(init=False)

    def __attrs_post_init__(self) -> None:
        for name in [
            name for name in os.environ if name.startswith("AIGNOSTICS_") and "EMULATOR" not in name
        ]:
            self.patch.delenv(name)
        self.patch.setenv("XDG_STATE_HOME", str(self.folder / "state"))
        self.patch.chdir(self.folder)
        self.set_variables(self.emulator.environment)
        self.slides = self.folder / "slides"

    def set_variables(self, variables: dict[str, str]) -> None:
        for name, value in variables.items():
            self.patch.setenv(name, value)

    @property
    def words(self) -> dict[str, object]:
        """The values of placeholders in the table."""
        return {
            "all": ALL,
            "name": hostile_names()[0],
            "run": RUN_ID,
            "then": "2020-01-01T00:00+00:00",
            "version": VERSION,
            "store": self.emulator.store_url,
            "slides": self.slides,
            "one": self.slides / f"{hostile_names()[0]}.tiff",
            "job": self.folder / "job",
            "manifest": self.folder / "manifest.csv",
        }

    def nothing(self) -> None:
        """Have the arguments alone be hostile."""

    def names(self) -> None:
        """Have a readable and an unreadable slide under each hostile name."""
        self.slides.mkdir()
        for name in hostile_names():
            shutil.copy(self.slide_file, self.slides / f"{name}.tiff")
            (self.slides / f"bad{name}.svs").write_bytes(b"no slide")

    def cells(self) -> None:
        """Have a manifest whose cells are hostile."""
        self.slides.mkdir()
        shutil.copy(self.slide_file, self.slides / "a.tiff")
        cells = [text.replace('"', '""') for text in TEXTS]
        lines = [f'slides/a.tiff,"{text}","{text}"' for text in cells]
        lines += [f'"slides/{text}.svs","missing {text}",x' for text in cells]
        manifest = "\n".join([f'path,reference,"{ALL}"', *lines])
        (self.folder / "manifest.csv").write_bytes(manifest.encode("utf-8", "surrogateescape"))

    def errors(self) -> None:
        """Let every answer of the API be an error that quotes some of the texts."""
        body = {"detail": " ".join(TEXTS[:8])}
        self.emulator.set_faults({"path": ".*/api/v1/.*", "status": 422, "body": body})

    def catalogue(self) -> None:
        """Let all texts of the catalogue be hostile."""
        listed = [
            {"application_id": text, "name": text, "description": text, "regulatory_classes": [text]}
            for text in TEXTS
        ]
        version = {
            "application_version_id": f"{ALL}:v1.0.0",
            "application_id": ALL,
            "version": "1.0.0",
            "changelog": ALL,
            "input_artifacts": [{"name": text, "mime_type": text, "metadata_schema": {}} for text in TEXTS],
            "output_artifacts": [
                {"name": text, "mime_type": text, "metadata_schema": {}, "scope": "item"} for text in TEXTS
            ],
        }
        self.emulator.set_faults(
            rule("applications", listed), rule("applications/evil/versions", [version], method="GET")
        )

    def results(self) -> None:
        """Let all texts of a run be hostile."""
        items = [{**result(text), "error": text, "status": "ERROR_USER"} for text in TEXTS]
        told = {**details("COMPLETED_WITH_ERROR"), "application_version_id": f"{ALL}:v1.0.0"}
        self.emulator.set_faults(
            rule(f"runs/{RUN_ID}/results", items, method="GET"),
            rule(f"runs/{RUN_ID}/results", None, 204, method="DELETE"),
            rule(f"runs/{RUN_ID}", told),
            rule(f"runs/{RUN_ID}/cancel", None, 202),
            rule("runs", [{**told, "status": "RUNNING"}]),
        )

    def claims(self) -> None:
        """Have an access token with hostile claims."""
        self.patch.setenv("AIGNOSTICS_ACCESS_TOKEN", hostile_token())

    def login(self) -> None:
        """Have a login with hostile claims, at a provider that refuses in hostile words."""
        self.set_variables(self.emulator.login_environment)
        self.patch.delenv("AIGNOSTICS_ACCESS_TOKEN", raising=False)
        self.patch.setenv("DISPLAY", "")
        provider = IdentityProvider.beside(self.emulator.token_url, client_id=self.emulator.client_id)
        tokens = TokenSet(access=Token(hostile_token(), lifetime=0), refresh=Secret("emulator-refresh-x"))
        asyncio.run(FileStore().save(provider.key, tokens))
        refused = {"error": "unauthorized_client", "error_description": " ".join(TEXTS[:8])}
        self.emulator.set_faults({"path": ".*/oauth/.*", "status": 400, "body": refused})

    def device(self) -> None:
        """Have a provider whose device code is hostile, and that nobody signs in at."""
        self.login()
        code = {
            "device_code": "x",
            "user_code": ALL,
            "verification_uri": f"https://login.example.com/{ALL}",
            "verification_uri_complete": f"https://login.example.com/{ALL}?code",
            "interval": 0.01,
        }
        denied = {"error": "access_denied", "error_description": " ".join(TEXTS[:8])}
        self.emulator.set_faults(
            rule("oauth/device/code", code), {"path": ".*/oauth/token", "status": 403, "body": denied}
        )

    def papers(self) -> None:
        """Have an application version with documents of hostile names, which contract 1.8 has."""
        self.set_variables(
            {"AIGNOSTICS_API_ROOT": self.emulator.api_roots["1.8"], "AIGNOSTICS_CONTRACT": "1.8"}
        )
        at = "2026-01-01T00:00:00Z"
        listed = [
            {"id": str(uuid.UUID(int=number)), "name": text, "mime_type": text, "visibility": "public",
             "created_at": at, "updated_at": at}
            for number, text in enumerate(TEXTS)
        ]  # fmt: skip
        self.emulator.set_faults(rule("documents", listed))

    def document(self) -> None:
        """Let a deployment describe itself in hostile words."""
        operation = {"operationId": ALL, "summary": ALL, "responses": {ALL: {"description": ALL}}}
        paths = {f"/v1/{text}": {"get": operation} for text in TEXTS} | {"/v1/runs": {"get": operation}}
        document = {"openapi": "3.1.0", "info": {"title": ALL, "version": ALL}, "paths": paths}
        self.emulator.set_faults(rule("openapi.json", document))

    def finished(self) -> None:
        """Have a job that was run with slides of hostile names."""
        self.names()
        more = ("--quarantine-faulty", "--allow-rerun", "--poll-interval", "0.05")
        where = ("--store", self.emulator.store_url)
        run(["bulk", "run", str(self.folder / "job"), VERSION, str(self.slides), *where, *more])

    def job(self) -> None:
        """Have a job in which every text is hostile, with something to do for each command."""
        plan = evolve(
            PLAN,
            api_root=self.emulator.api_root,
            application_version=VERSION,
            store=self.emulator.store_url,
        )
        folder = self.folder / "job"
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
        events = [
            JobEvent(type=EventType.ITEM_FAILED, reference=text, run_id=text, text=text).to_json()
            for text in TEXTS
        ]
        events += [json.dumps({"at": text, "what": text, "text": [text]}) for text in TEXTS]
        (folder / "events.jsonl").write_text("".join(f"{line}\n" for line in events))
        (folder / "lock").write_text(ALL)


def hostile_token() -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"sub": ALL, "org_id": ALL}).encode()).decode().rstrip("=")
    return f"e30.{claims}.c2ln"


BULK = "{version} {slides} --store {store}"
QUICK = "--poll-interval 0.05"
FORMS = {
    # For each command: what is prepared, and its arguments; with a - before if nothing of it is shown.
    "login": ["device --device", "login --device", "-login --browser --timeout 0.01", "nothing {all}"],
    "logout": ["login", "nothing {all}"],
    "whoami": ["claims", "claims --json", "login", "login --json"],
    "token": ["login", "nothing {all}"],
    "applications": [
        "catalogue", "catalogue --json", "catalogue evil", "catalogue evil --json", "catalogue unknown",
        "errors", "errors --json",
    ],
    "documents": [
        "papers {version}", "papers {version} --json", "papers {version} {all} --download out",
        "papers {version} --download out", "nothing {all}",
    ],
    "submit": [
        "names {version} {slides} --store {store}", "names {version} {one} --store {store}",
        "names {version} {one} --store {store} --json", "-errors {version} {slides} --store {store}",
        "nothing {all} {name} --store {all}", "nothing {version} {name} --store {store}",
        "names {version} {one} --store {store} --metadata {all}={all}",
        "names {version} {one} --store {store} --download results --poll-interval 0.05",
    ],
    "runs list": ["results", "results --json", "errors", "nothing --limit {all}", "nothing --{all}"],
    "runs show": ["results {run}", "results {run} --json", "errors {run}", "errors {run} --json",
                  "nothing {all}"],
    "runs find": ["-results {all}", "-results {all} --json", "errors {all}"],
    "runs watch": [f"results {{run}} {QUICK}", f"results {{run}} {QUICK} --json", "errors {run}"],
    "runs cancel": ["-results {run}", "results {run} --json", "errors {run}"],
    "runs cancel-matching": ["results --since {then}", "results --since {then} --yes",
                             "results --since {then} --yes --json", "errors --since {then} --yes",
                             "nothing --since {all}"],
    "runs delete-results": ["-results {run} --yes", "-results {run} --yes --json", "results {all} --yes",
                            "results {all}", "errors {run} --yes"],
    "runs download": ["results {run} .", "results {run} . --json", "errors {run} {name}",
                      "results {run} {name}"],
    "slides inspect": ["names {slides}", "names {slides} --json", "names {slides} --thumbnails {name}",
                       "nothing {name}"],
    "slides manifest": [
        "names {slides} --application-version {version} --output out.csv",
        "names {slides} --application-version {version} --fields fields.csv --semicolons",
        "names {slides} --application-version {version} --output {name}.csv",
        "nothing {name} --application-version {version}",
    ],
    "bulk plan": [f"names {BULK}", f"names {BULK} --json", "errors {version} {name} --store {store}",
                  "cells {version} --manifest {manifest} --store {store}",
                  "cells {version} --manifest {manifest} --store {store} --json",
                  "-nothing {version} . --store {all} --include {all} --chunk-size 0"],
    "bulk run": [f"names {{job}} {BULK} --quarantine-faulty {QUICK}",
                 f"names {{job}} {BULK} --quarantine-faulty {QUICK} --json",
                 f"names {{job}} {BULK}", f"errors {{name}} {BULK}"],
    "bulk resume": [f"finished {{job}} {QUICK}", f"-job {{job}} {QUICK}", f"-job {{job}} {QUICK} --json",
                    "nothing {name}"],
    "bulk list": ["-job", "-job --json", "-finished --all"],
    "bulk pause": ["-job {job}", "nothing {name}"],
    "bulk status": ["-job {job}", "-job {job} --json", "finished {job}", "nothing {name}"],
    "bulk watch": ["job {job}", "job {job} --json", "finished {job}", "nothing {name}"],
    "bulk report": ["-job {job}", "-job {job} out.html items.csv", "-finished {job}", "nothing {name}"],
    "bulk results": ["-job {job} results.csv", "-finished {job} results.csv", "nothing {name} results.csv"],
    "bulk retry": ["-job {job}", "-job {job} --failed", "-job {job} --failed --yes",
                   "-job {job} --only {all}", "-cells {job} --manifest {manifest}", "nothing {name}"],
    "bulk resolve": ["job {job}", "job {job} 1 --run {all}", "job {job} 3 --run {all}",
                     "job {job} --duplicate {all} --leave", "nothing {name}"],
    "bulk adopt": ["-job {job}", "errors {name}", "nothing {name}"],
    "bulk verify": ["-job {job}", "-finished {job}", "nothing {name}"],
    "bulk cancel": ["-job {job}", "-job {job} --yes", "nothing {name}"],
    "bulk clean": ["-job {job}", "-job {job} --yes", "nothing {name}"],
    "doctor": ["claims --folder {name}", "errors", "errors --json", "nothing --store {all}"],
    "contract check": ["document", "document --json", "errors", "-nothing {all}", "nothing --contract {all}"],
    "emulator": ["nothing --contract {all}", "nothing --port {all}", "nothing --host {all}"],
}  # fmt: skip
CASES = [
    pytest.param(command, form, id=f"{command} {number}")
    for command, forms in FORMS.items()
    for number, form in enumerate(forms)
]


@pytest.fixture
def scene(emulator: Emulator, slide_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(emulator, slide_file, tmp_path, monkeypatch)


@pytest.mark.sampled(test=len(FORMS), fast=4)
@pytest.mark.parametrize(("command", "form"), CASES)
def test_no_text_steers_a_terminal_or_a_file(
    command: str, form: str, scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    preparation, *options = form.split()
    getattr(scene, preparation.removeprefix("-"))()
    words = [*command.split(), *(each.format_map(scene.words) for each in options)]
    capsys.readouterr()
    run(words)
    out, err = capsys.readouterr()
    assert steering(out.removeprefix("\ufeff")) == steering(err) == []
    with terminal() as screen:
        run(words)
    assert steering(screen.output) == []
    assert list(steering_files(scene)) == []
    is_shown = any(mark in out + err for mark in ("‹U+", "\\u", "\\x1b", "\ufffd"))
    assert is_shown != preparation.startswith("-"), out + err


def steering_files(scene: Scene) -> Iterator[str]:
    """Yield what steers in files that commands wrote for people, and in their names."""
    for path in scene.folder.rglob("*"):
        if path.is_relative_to(scene.slides) or path == scene.folder / "manifest.csv":
            continue
        if path.suffix in (".html", ".csv", ".json", ".md", ".txt"):
            yield from (f"{path.name}: {place}" for place in steering(path.read_text("utf-8-sig")))


def commands_of(group: App, path: tuple[str, ...] = ()) -> Iterator[str]:
    for name in group.resolved_commands():
        if name.startswith("-"):
            continue
        if group[name].default_command is None:
            yield from commands_of(group[name], (*path, name))
        else:
            yield " ".join((*path, name))


def test_the_table_has_every_command() -> None:
    assert set(FORMS) == set(commands_of(app))
