"""Match removed things with added ones that are renames.

A rename is certain if only the spelling differs: the names of path parameters, case, hyphens. For names that
are merely similar it is a guess, and the report says "perhaps".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from contract.shapes import Schema, same, type_text, without_null

# The similarity from which a rename is guessed: `status` and `state` reach it, `error` and `output` do not.
_ALIKE = 0.55

Operation = tuple[str, str]


class Renaming(NamedTuple):
    """The new name of something, and whether that is certain."""

    name: Any
    certain: bool


def spelling(name: str) -> str:
    """Return a name without case, hyphens and underscores."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def path_shape(path: str) -> str:
    """Return a path without the names of its parameters."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def renamed_operations(removed: Iterable[Operation], added: Iterable[Operation]) -> dict[Operation, Renaming]:
    """Return the new method and path of removed operations."""
    left = list(added)
    found: dict[Operation, Renaming] = {}
    guesses = (_one_segment_differs, _other_method, _other_parents)
    for certain, fits in ((True, _same_shape), *((False, guess) for guess in guesses)):
        for operation in removed:
            candidates = [each for each in left if fits(operation, each)]
            if operation not in found and len(candidates) == 1:
                found[operation] = Renaming(candidates[0], certain)
                left.remove(candidates[0])
    return found


def _same_shape(one: Operation, other: Operation) -> bool:
    return one[0] == other[0] and path_shape(one[1]) == path_shape(other[1])


def _one_segment_differs(one: Operation, other: Operation) -> bool:
    ours, theirs = path_shape(one[1]).split("/"), path_shape(other[1]).split("/")
    if one[0] != other[0] or len(ours) != len(theirs):
        return False
    differing = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    return len(differing) == 1 and "{}" not in differing[0]


def _other_method(one: Operation, other: Operation) -> bool:
    return path_shape(one[1]) == path_shape(other[1])


def _other_parents(one: Operation, other: Operation) -> bool:
    """Whether one path lacks some segments of the other, and both end alike."""
    ours, theirs = path_shape(one[1]).split("/"), path_shape(other[1]).split("/")
    shorter, longer = sorted((ours, theirs), key=len)
    rest = iter(longer)
    ends_alike = ours[-1] == theirs[-1] != "{}"
    return one[0] == other[0] and ends_alike and all(segment in rest for segment in shorter)


def renamed_values(removed: Iterable[str], added: Iterable[str]) -> dict[str, Renaming]:
    """Return the new spelling of removed values of an enum."""
    return _respelled(removed, list(added))


def renamed_schemas(removed: Mapping[str, Schema], added: Mapping[str, Schema]) -> dict[str, Renaming]:
    """Return the new names of removed schemas: those with the same content, or with most of the fields."""
    left = list(added)
    found = {}
    for name, schema in removed.items():
        twin = next((each for each in left if same(schema, added[each])), None)
        if twin is not None:
            found[name] = Renaming(twin, certain=True)
            left.remove(twin)
    guesses = _guess(removed.keys() - found.keys(), left, lambda a, b: _overlap(removed[a], added[b]))
    return found | guesses


def renamed_fields(removed: Mapping[str, Schema], added: Mapping[str, Schema]) -> dict[str, Renaming]:
    """Return the new names of removed fields or parameters: the same spelling, or a similar name and type."""
    found = _respelled(removed, list(added))
    taken = {renaming.name for renaming in found.values()}

    def likeness(one: str, other: str) -> float:
        return _alike(one, other) if _kind(removed[one]) == _kind(added[other]) else 0

    left = [name for name in added if name not in taken]
    found |= _guess(removed.keys() - found.keys(), left, likeness)
    return found | _only_one_of_its_kind(removed, added, found)


def _only_one_of_its_kind(
    removed: Mapping[str, Schema], added: Mapping[str, Schema], found: Mapping[str, Renaming]
) -> dict[str, Renaming]:
    """Pair the one field of a type that is left over with the only new one of that type."""
    taken = {renaming.name for renaming in found.values()}
    gone, new = (
        Counter(_kind(schema) for name, schema in fields.items() if name not in known)
        for fields, known in ((removed, found), (added, taken))
    )
    return {
        name: Renaming(other, certain=False)
        for name, schema in removed.items()
        for other, its in added.items()
        if name not in found and other not in taken
        if _kind(schema) == _kind(its) and gone[_kind(schema)] == new[_kind(schema)] == 1
    }


def _respelled(removed: Iterable[str], added: list[str]) -> dict[str, Renaming]:
    by_spelling = {spelling(name): name for name in added}
    return {
        name: Renaming(by_spelling[spelling(name)], certain=True)
        for name in removed
        if spelling(name) in by_spelling
    }


def _guess(
    removed: Iterable[str], added: Iterable[str], likeness: Callable[[str, str], float]
) -> dict[str, Renaming]:
    """Pair the most similar names first; each is used once."""
    pairs = sorted(
        ((likeness(one, other), one, other) for one in removed for other in added),
        key=lambda pair: (-pair[0], pair[1:]),
    )
    found: dict[str, Renaming] = {}
    for score, one, other in pairs:
        if score >= _ALIKE and one not in found and other not in {each.name for each in found.values()}:
            found[one] = Renaming(other, certain=False)
    return found


def _alike(one: str, other: str) -> float:
    ours, theirs = set(re.split(r"[^a-z0-9]+", one.lower())), set(re.split(r"[^a-z0-9]+", other.lower()))
    shared = len(ours & theirs) / len(ours | theirs)
    return max(shared, SequenceMatcher(None, one, other).ratio())


def _kind(schema: Schema) -> str:
    """Return the type that a rename must keep; an enum counts as the string that it is on the wire."""
    options, null = without_null(schema)
    text = type_text(options[0]) if len(options) == 1 else "choice"
    kind = "string" if text.startswith("enum") or text[:1].isupper() else text
    return f"{kind} | null" if null else kind


def _overlap(one: Schema, other: Schema) -> float:
    ours, theirs = ({*each.get("properties", ()), *each.get("enum", ())} for each in (one, other))
    return len(ours & theirs) / len(ours | theirs) if ours and theirs else 0
