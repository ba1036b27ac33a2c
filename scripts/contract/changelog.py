"""The changelog entry for an updated contract."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from contract.change import Subject
from contract.report import summary
from contract.severity import Judged, Severity

_HEAD = "## Unreleased\n"


def add(path: Path, name: str, judged: list[Judged]) -> None:
    """Add an entry under "Unreleased" to the changelog in `path`."""
    text = path.read_text(encoding="utf-8")
    if _HEAD not in text:
        raise ValueError(f"{path.name} has no line {_HEAD.strip()!r}")
    path.write_text(text.replace(_HEAD, f"{_HEAD}\n{entry(name, judged)}", 1), encoding="utf-8")


def entry(name: str, judged: list[Judged]) -> str:
    """Return the entry: how bad it is, and the operations that came, went or changed."""
    lines = [f"### Contract: {name}", "", f"- The contract was updated: {summary(judged)}."]
    told = [each for each in judged if each.severity is not Severity.COSMETIC]
    for subject in Subject:
        lines += _lines([each for each in told if each.change.subject is subject])
    return "\n".join(lines) + "\n"


def _lines(judged: Iterable[Judged]) -> Iterable[str]:
    for each in judged:
        change = each.change
        detail = f": {change.detail}" if change.detail else ""
        yield f"- {change.subject.value.capitalize()} `{change.name}` {change.kind}{detail}."
