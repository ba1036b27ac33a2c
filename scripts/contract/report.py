"""The report of a comparison: markdown for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from contract.change import Subject
from contract.severity import Judged, Severity
from contract.usage import Use

_TITLES = {
    Severity.BREAKING: "Breaking",
    Severity.DEPRECATED: "Deprecated",
    Severity.ADDITIVE: "Additive",
    Severity.COSMETIC: "Cosmetic",
}
_VERDICTS = {
    Severity.BREAKING: "breaking: something that works today would fail or change its meaning",
    Severity.DEPRECATED: "deprecated: everything works today, but something in use will be removed",
    Severity.ADDITIVE: "additive: something is new, and everything that works today keeps working",
    Severity.COSMETIC: "cosmetic: no program can notice a difference",
}


def verdict(judged: Iterable[Judged]) -> Severity:
    """Return the worst severity of all changes."""
    return max((each.severity for each in judged), default=Severity.COSMETIC)


def summary(judged: list[Judged]) -> str:
    """Return the counts in a line, the worst first."""
    levels = [
        level for level in reversed(Severity) if level is not Severity.DEPRECATED or _count(judged, level)
    ]
    return ", ".join(f"{_count(judged, level)} {level.name.lower()}" for level in levels)


def markdown(judged: list[Judged], base: str, new: str) -> str:
    """Return the report for people."""
    return "\n".join(_lines(judged, base, new)) + "\n"


def as_json(judged: list[Judged], base: str, new: str) -> str:
    """Return the report as JSON: `base`, `new`, `verdict`, `counts` by severity, and `changes`."""
    worst = verdict(judged)
    record = {
        "base": base,
        "new": new,
        "verdict": worst.name.lower(),
        "counts": {level.name.lower(): _count(judged, level) for level in Severity},
        "changes": [
            {
                "severity": each.severity.name.lower(),
                "kind": each.change.kind,
                "subject": each.change.subject.value,
                "name": each.change.name,
                "detail": each.change.detail,
                "why": each.why,
                "was": list(each.change.was),
                "now": list(each.change.now),
                "code": [{"file": use.file, "line": use.line, "function": use.function} for use in each.uses],
            }
            for each in judged
        ],
    }
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def _count(judged: Iterable[Judged], level: Severity) -> int:
    return sum(each.severity is level for each in judged)


def _lines(judged: list[Judged], base: str, new: str) -> Iterator[str]:
    worst = verdict(judged)
    yield f"# {base} → {new}"
    yield ""
    yield f"**{_VERDICTS[worst]}** ({summary(judged)})"
    for level in reversed(Severity):
        chosen = [each for each in judged if each.severity is level]
        if chosen:
            yield ""
            yield f"## {_TITLES[level]}"
            for subject in Subject:
                yield from _section(subject, [each for each in chosen if each.change.subject is subject])
    yield ""
    yield from _touched(judged)


def _section(subject: Subject, chosen: list[Judged]) -> Iterator[str]:
    if chosen:
        yield ""
        yield f"### {subject.value.capitalize()}: {len(chosen)}"
        yield ""
    for each in chosen:
        change = each.change
        detail = f": {change.detail}" if change.detail else ""
        why = f" ({each.why})" if each.why else ""
        yield f"- {change.kind} `{change.name}`{detail}{why}"
        for file, uses in _by_file(each.uses).items():
            places = ", ".join(f"{use.line} `{use.function}`" for use in uses)
            yield f"  - {file}: {places}"


def _touched(judged: Iterable[Judged]) -> Iterator[str]:
    uses = {use for each in judged for use in each.uses}
    yield "## Code that is affected"
    yield ""
    if not uses:
        yield "None."
    for file, lines in _by_file(sorted(uses)).items():
        functions = ", ".join(f"`{name}`" for name in dict.fromkeys(use.function for use in lines))
        yield f"- {file}, {len(lines)} line{'s'[: len(lines) > 1]}: {functions}"


def _by_file(uses: Iterable[Use]) -> dict[str, list[Use]]:
    grouped: dict[str, list[Use]] = {}
    for use in uses:
        grouped.setdefault(use.file, []).append(use)
    return grouped
