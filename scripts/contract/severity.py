"""Breaking, deprecated, additive or cosmetic, by our inventory, Redocly's verdicts and what src reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum

from attrs import evolve, frozen
from openapi_python_client.strings import PythonIdentifier

from contract.change import Change, Effect, Subject
from contract.redocly import Verdict
from contract.usage import EMULATOR, Key, Use


class Severity(IntEnum):
    """How much a change matters; the worst one decides the exit status."""

    COSMETIC = 0
    ADDITIVE = 1
    DEPRECATED = 2
    BREAKING = 3

    @property
    def exit_status(self) -> int:
        """The exit status of a comparison with this verdict; 1 is left to errors."""
        return {Severity.COSMETIC: 0, Severity.BREAKING: 3}.get(self, 2)


@frozen
class Judged:
    """A change with its severity, the reason for an exception, and the lines of src that it touches."""

    change: Change
    severity: Severity
    why: str = ""
    uses: tuple[Use, ...] = ()


_OF_EFFECT = {
    Effect.BREAKS: Severity.BREAKING,
    Effect.WIDENS: Severity.BREAKING,
    Effect.EXTENDS: Severity.ADDITIVE,
    Effect.DEPRECATES: Severity.DEPRECATED,
    Effect.NOTHING: Severity.COSMETIC,
}
_OF_IMPACT = {"major": Severity.BREAKING, "minor": Severity.ADDITIVE}


def judge(
    changes: Iterable[Change],
    verdicts: Iterable[Verdict],
    uses: Mapping[Key, list[Use]],
    named: frozenset[Key],
) -> list[Judged]:
    """Return the changes with their severities; `named` are what the overlay names.

    The worse of our rule and Redocly's counts, with two exceptions that this client tolerates: a response
    that may contain more than before where nothing in src reads it, and operation ids that the overlay
    replaces. What Redocly calls breaking and the inventory lacks is added unchanged.
    """
    inventory = list(changes)
    words: dict[int, list[Verdict]] = {}
    for verdict in verdicts:
        words.setdefault(_owner(verdict, inventory), []).append(verdict)
    judged = [_judged(change, words.get(index, ()), uses, named) for index, change in enumerate(inventory)]
    return [*judged, *_left_over(words.get(_NOBODY, ()), judged)]


_NOBODY = -1


def _owner(verdict: Verdict, inventory: list[Change]) -> int:
    """Return the index of the change that a verdict is about: the nearest one above it in the document."""
    best, depth = _NOBODY, 0
    for index, change in enumerate(inventory):
        if change.effect is Effect.NOTHING:
            continue
        for place, pointer in ((change.was, verdict.was), (change.now, verdict.now)):
            if place and place == pointer[: len(place)] and len(place) > depth:
                best, depth = index, len(place)
    return best


def _judged(
    change: Change, words: Iterable[Verdict], uses: Mapping[Key, list[Use]], named: frozenset[Key]
) -> Judged:
    lines = _lines(change, uses)
    # A new error status breaks nothing, and whoever sends the request may have to do something about it.
    is_new_answer = change.subject is Subject.RESPONSE and change.kind == "added"
    touching = lines if change.effect in (Effect.BREAKS, Effect.WIDENS) or is_new_answer else ()
    if (exception := _generated_name(change, named, lines) or _tolerated(change, lines)) is not None:
        return exception
    severity = _OF_EFFECT[change.effect]
    if change.kind == "changed":
        # Redocly pairs removed and added things on its own; its verdicts on these pairs do not apply here.
        severity = max([severity, *(_OF_IMPACT.get(word.impact, severity) for word in words)])
        reasons = [reason for word in words for reason in word.reasons]
        change = change if change.detail else evolve(change, detail="; ".join(reasons))
    why = ""
    if change.subject is Subject.PARAMETER and change.kind == "renamed" and _same_in_python(change):
        why = "its Python name stays the same, so regenerating is enough"
    return Judged(change, severity, why, lines if severity >= Severity.DEPRECATED else touching)


_GENERATED_NAMES = {
    "operationId": "a module of the generated package",
    "tags": "the package of the generated module",
}


def _generated_name(change: Change, named: frozenset[Key], lines: tuple[Use, ...]) -> Judged | None:
    """Return the severity of a new operation id or tag, which the overlay may replace."""
    word = change.was[-1] if change.was else ""
    if change.subject is not Subject.OPERATION or word not in _GENERATED_NAMES:
        return None
    key = change.keys[0] if word == "operationId" else ("tags", *change.keys[0][1:])
    if key in named:
        return Judged(change, Severity.COSMETIC, "the overlay names this operation")
    return Judged(change, Severity.BREAKING, f"it names {_GENERATED_NAMES[word]}", lines)


def _tolerated(change: Change, lines: tuple[Use, ...]) -> Judged | None:
    """Return the severity of a change that this client tolerates."""
    read = [use for use in lines if not use.file.startswith(EMULATOR)]
    if change.effect is Effect.WIDENS and not read:
        why = "responses may contain more, but the SDK does not read it"
        return Judged(change, Severity.ADDITIVE, why, lines)
    if change.subject is Subject.VALUE and change.effect is Effect.EXTENDS:
        return Judged(change, Severity.ADDITIVE, "enums are open: a new value keeps its text")
    if change.subject is Subject.VALUE and change.kind == "renamed" and change.effect is Effect.WIDENS:
        return Judged(change, Severity.ADDITIVE, "enums are read in any case", lines)
    return None


def _lines(change: Change, uses: Mapping[Key, list[Use]]) -> tuple[Use, ...]:
    keys = change.keys
    if change.subject is Subject.SCHEMA and not any(uses.get(key) for key in keys[:1]):
        # No code uses this schema, so a field name found in the code belongs to another schema.
        keys = tuple(key for key in keys if key[0] != "field")
    return tuple(sorted({use for key in keys for use in uses.get(key, ())}))


def _same_in_python(change: Change) -> bool:
    return len({str(PythonIdentifier(place[-1], "")) for place in (change.was, change.now)}) == 1


def _left_over(words: Iterable[Verdict], judged: list[Judged]) -> Iterable[Judged]:
    broken = [each.change for each in judged if each.severity is Severity.BREAKING]
    for word in words:
        place = word.was or word.now
        parent = place[:-1]
        covered = any(parent in (change.was[: len(parent)], change.now[: len(parent)]) for change in broken)
        # The host of a server is a setting; the inventory reports the paths that a server adds.
        if word.impact == "major" and not covered and place[:1] != ("servers",):
            change = Change(
                "changed",
                Subject.DOCUMENT,
                "/".join(place),
                Effect.BREAKS,
                "; ".join(word.reasons),
                word.was,
                word.now,
            )
            yield Judged(change, Severity.BREAKING, "reported by Redocly only")
