"""Defaults: those that the documentation of fields names, and those that commands repeat."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from aignostics_async import Run, Settings, Slide, login_browser
from aignostics_async.bulk import BulkJob, JobPlan, Sources, create_job
from aignostics_async.cli import _emulator, _login, _submit
from aignostics_async.cli.bulk import _manage as _bulk_manage, _run as _bulk_run
from aignostics_async.cli.bulk._job_options import JobOptions
from aignostics_async.cli.runs import _download, _watch
from aignostics_async.emulator import EmulatorOptions, serve
from aignostics_async.resources._runs import Runs

SOURCES = Path(__file__).parents[3] / "src"
TOLD = re.compile(r"([Ee]mpty|None|True|False|`[^`]+`|\d[\d.]*(?: MiB| days)?),? by default")


def documented_fields() -> Iterator[tuple[str, object, str]]:
    """Give each field whose documentation names its default, with that default."""
    for path in sorted(SOURCES.rglob("*.py")):
        for group in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(group, ast.ClassDef):
                continue
            for node, after in zip(group.body, group.body[1:], strict=False):
                match node, after:
                    case (
                        ast.AnnAssign(target=ast.Name(id=name)),
                        ast.Expr(value=ast.Constant(value=str(text))),
                    ) if TOLD.search(text):
                        module = ".".join(path.relative_to(SOURCES).with_suffix("").parts)
                        kind = getattr(importlib.import_module(module), group.name)
                        yield f"{group.name}.{name}", getattr(attrs.fields(kind), name).default, text


def words_for(default: Any) -> set[str]:
    """Return the ways to name a default in a sentence."""
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        default = default.factory()
    if default in ("", (), {}):
        return {"empty", "Empty"}
    if type(default) in (int, float):
        return {f"{default:g}", f"{default / 2**20:g} MiB", f"{default / 86_400:g} days"}
    return {f"{default}", f"`{default}`"}


def test_fields_have_the_defaults_that_are_documented() -> None:
    found = list(documented_fields())
    assert len(found) >= 50
    assert [name for name, default, text in found if not words_for(default) & {*TOLD.findall(text)}] == []


def defaults(called: Callable[..., object]) -> dict[str, object]:
    """Return the defaults of a call; what is empty counts as not given."""
    parameters = inspect.signature(called).parameters.values()
    return {each.name: each.default or None for each in parameters if each.default is not each.empty}


@pytest.mark.parametrize(
    ("command", "called", "at_least"),
    [
        (_submit.submit, Settings, 1),
        (_submit.submit, Runs.submit, 5),
        (_submit.submit, Slide, 3),
        (_watch.watch, Settings, 1),
        (_download.download, Settings, 1),
        (_download.download, Run.download, 1),
        (_bulk_run.run, Settings, 1),
        (_bulk_run.run, create_job, 1),
        (_bulk_run.resume, Settings, 1),
        (_bulk_run.resume, BulkJob.run, 1),
        (_bulk_manage.retry, BulkJob.retry, 3),
        (_bulk_manage.retry, BulkJob.correct, 5),
        (_login.login, login_browser, 1),
        (_emulator.emulator, EmulatorOptions, 11),
        (_emulator.emulator, serve, 4),
        (JobOptions, JobPlan, 8),
        (JobOptions, Sources, 8),
    ],
)
def test_a_command_has_the_defaults_of_what_it_calls(
    command: Callable[..., object], called: Callable[..., object], at_least: int
) -> None:
    own, those = defaults(command), defaults(called)
    common = own.keys() & those.keys()
    assert {name: own[name] for name in common} == {name: those[name] for name in common}
    assert len(common) >= at_least
