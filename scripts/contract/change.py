"""A change from one contract to another: its subject, kind, places and effect."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from attrs import evolve, frozen

from contract.names import Renaming
from contract.shapes import Schema

Place = tuple[str, ...]
Key = tuple[str, ...]


class Effect(StrEnum):
    """What a change does to a client of the old contract."""

    BREAKS = "breaks"  # something that worked fails
    WIDENS = "widens"  # a response may contain more than before: a new value, null, or nothing
    EXTENDS = "extends"  # something new can be used
    DEPRECATES = "deprecates"  # works today, and will be removed
    NOTHING = "nothing"  # documentation only


class Subject(StrEnum):
    """What a change is about."""

    OPERATION = "operation"
    PARAMETER = "parameter"
    BODY = "request body"
    RESPONSE = "response"
    SCHEMA = "schema"
    FIELD = "field"
    VALUE = "enum value"
    DOCUMENT = "document"


@frozen
class Change:
    """One change: its subject and kind, its places in the old and the new document, its effect."""

    kind: str
    subject: Subject
    name: str
    effect: Effect
    detail: str = ""
    was: Place = ()
    now: Place = ()
    # Keys for `usage`, in terms of the old contract: ("operation", "get", "/v1/runs"), ...
    keys: tuple[Key, ...] = ()


@frozen
class Pair:
    """The same thing in both documents: its display name, its places, and the key for `usage`."""

    name: str
    was: Place
    now: Place
    key: Key
    sent: bool
    received: bool

    def at(self, *steps: str, name: str | None = None) -> Pair:
        """Return the pair below this one, after the same steps in both documents."""
        return evolve(self, name=name or self.name, was=(*self.was, *steps), now=(*self.now, *steps))

    def to(self, *now: str) -> Pair:
        """Return the pair with another place in the new document."""
        return evolve(self, now=now)

    def change(self, kind: str, subject: Subject, effect: Effect, detail: str = "") -> Change:
        """Return a change of this pair."""
        return Change(kind, subject, self.name, effect, detail, self.was, self.now, (self.key,))


def moved(pair: Pair, subject: Subject, renaming: Renaming, effect: Effect, *keys: Key) -> Change:
    """Return the change of something that moved from `pair.was`, certainly or perhaps."""
    kind, detail = ("renamed", "now") if renaming.certain else ("removed", "perhaps now")
    return Change(
        kind, subject, pair.name, effect, f"{detail} {renaming.name}", pair.was, pair.now, keys or (pair.key,)
    )


def words(pair: Pair, subject: Subject, ours: Schema, theirs: Schema) -> Iterator[Change]:
    """Yield one change for all documentation fields that differ."""
    if bool(theirs.get("deprecated")) != bool(ours.get("deprecated")):
        kind, effect = (
            ("deprecated", Effect.DEPRECATES) if theirs.get("deprecated") else ("restored", Effect.NOTHING)
        )
        yield pair.change(kind, subject, effect)
    words = ("title", "summary", "description", "examples", "example")
    changed = [word for word in words if ours.get(word) != theirs.get(word)]
    # The first tag of an operation names a package, which is no matter of words.
    if (ours.get("tags") or [])[1:] != (theirs.get("tags") or [])[1:]:
        changed.append("tags")
    if changed:
        yield pair.change("changed", subject, Effect.NOTHING, ", ".join(changed))


def requirement(required: bool) -> str:  # noqa: FBT001 - the only argument
    return "optional → required" if required else "required → optional"
