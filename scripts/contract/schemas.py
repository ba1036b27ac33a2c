"""Changes of schemas: of components, parameters, bodies and responses."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from aignostics_async.contracts._drift import is_narrower
from contract.change import Change, Effect, Key, Pair, Subject, moved, requirement, words
from contract.names import Renaming, renamed_fields, renamed_schemas, renamed_values
from contract.shapes import (
    ANNOTATIONS,
    CONSTRAINTS,
    Schema,
    bare,
    merged,
    reference,
    same,
    type_text,
    without_null,
)

# Keywords that are compared by a rule of their own.
_RULED = frozenset(
    {
        "$ref",
        "type",
        "format",
        "nullable",
        "anyOf",
        "oneOf",
        "enum",
        "items",
        "prefixItems",
        "properties",
        "required",
    }
)
# The meaning of absent keywords.
_ABSENT = {"additionalProperties": True}


class Schemas:
    """The component schemas of two contracts; `sent` and `received` name those in requests and responses."""

    def __init__(
        self, ours: dict[str, Schema], theirs: dict[str, Schema], *, sent: set[str], received: set[str]
    ) -> None:
        self.schemas = ours, theirs
        removed = {name: schema for name, schema in ours.items() if name not in theirs}
        added = {name: schema for name, schema in theirs.items() if name not in ours}
        self.renamed = renamed_schemas(removed, added)
        self.sent, self.received = sent, received

    def components(self) -> Iterator[Change]:
        """Yield what changes in the component schemas."""
        ours, theirs = self.schemas
        for name, schema in ours.items():
            renaming = self.renamed.get(name)
            now = renaming.name if renaming else name
            pair = Pair(
                name, ("components", "schemas", name), ("components", "schemas", now), ("schema", name),
                sent=name in self.sent, received=name in self.received,
            )  # fmt: skip
            if name not in theirs and renaming is None:
                yield Change(
                    "removed", Subject.SCHEMA, name, Effect.BREAKS, was=pair.was, keys=_all_keys(name, schema)
                )
                continue
            if renaming is not None:
                keys = (pair.key,) if renaming.certain else _all_keys(name, schema)
                yield moved(pair, Subject.SCHEMA, renaming, Effect.BREAKS, *keys)
                if not renaming.certain:
                    continue
            yield from self.value(pair, Subject.SCHEMA, schema, theirs[now])
        taken = {renaming.name for renaming in self.renamed.values()}
        for name in theirs:
            if name not in ours and name not in taken:
                place = ("components", "schemas", name)
                yield Change("added", Subject.SCHEMA, name, Effect.EXTENDS, now=place)

    def value(self, pair: Pair, subject: Subject, ours: Schema, theirs: Schema) -> Iterator[Change]:
        """Compare two schemas of the same thing."""
        ours, theirs = merged(ours, self.schemas[0]), merged(theirs, self.schemas[1])
        yield from words(pair, subject, ours, theirs)
        yield from self._rest(pair, subject, ours, theirs)
        (mine, null_before), (yours, null_now) = without_null(ours), without_null(theirs)
        if null_before != null_now:
            yield self._nullability(pair, subject, now=null_now)
        if len(mine) != 1 or len(yours) != 1:
            if _texts(mine) != _texts(yours):
                yield self._retyped(pair, subject, ours, theirs)
            return
        one, other = mine[0], yours[0]
        if (name := reference(one)) and (now := reference(other)):
            if now not in (name, self.renamed.get(name, Renaming(None, certain=True)).name):
                yield self._retyped(pair, subject, ours, theirs)
        elif "enum" in one and "enum" in other:
            yield from self._values(pair, one["enum"], other["enum"])
        elif "items" in one and "items" in other:
            yield from self._constraints(pair, subject, one, other)
            yield from self.value(pair.at("items"), subject, one["items"], other["items"])
        elif "properties" in one and "properties" in other:
            yield from self._constraints(pair, subject, one, other)
            yield from self._fields(pair, one, other)
        elif type_text(one) == type_text(other):
            yield from self._constraints(pair, subject, one, other)
        else:
            yield self._retyped(pair, subject, ours, theirs)

    def _nullability(self, pair: Pair, subject: Subject, *, now: bool) -> Change:
        if now:
            effect = Effect.WIDENS if pair.received else Effect.EXTENDS
            return pair.change("changed", subject, effect, "may now be null")
        effect = Effect.BREAKS if pair.sent else Effect.EXTENDS
        return pair.change("changed", subject, effect, "may no longer be null")

    def _retyped(self, pair: Pair, subject: Subject, ours: Schema, theirs: Schema) -> Change:
        (mine, _), (yours, _) = without_null(ours), without_null(theirs)
        effect = Effect.BREAKS
        if _texts(mine) < _texts(yours):
            effect = Effect.WIDENS if pair.received else Effect.EXTENDS
        elif _texts(mine) > _texts(yours) and not pair.sent:
            effect = Effect.EXTENDS
        return pair.change("changed", subject, effect, f"{type_text(ours)} → {type_text(theirs)}")

    def _constraints(self, pair: Pair, subject: Subject, ours: Schema, theirs: Schema) -> Iterator[Change]:
        one = {word: ours[word] for word in ours if word in CONSTRAINTS}
        other = {word: theirs[word] for word in theirs if word in CONSTRAINTS}
        for word in sorted(one.keys() | other.keys()):
            before, after = one.get(word), other.get(word)
            if before != after:
                effect = Effect.EXTENDS
                if pair.sent and is_narrower(word, before, after):
                    effect = Effect.BREAKS
                yield pair.change("changed", subject, effect, f"{word} {before} → {after}")

    def _rest(self, pair: Pair, subject: Subject, ours: Schema, theirs: Schema) -> Iterator[Change]:
        """Yield changes of keywords without a rule of their own; they count as breaking."""
        for word in sorted((ours.keys() | theirs.keys()) - _RULED - CONSTRAINTS - ANNOTATIONS):
            before, after = ours.get(word, _ABSENT.get(word)), theirs.get(word, _ABSENT.get(word))
            if not word.startswith("x-") and not same(before, after):
                yield pair.change("changed", subject, Effect.BREAKS, word)

    def _values(self, pair: Pair, ours: list[str], theirs: list[str]) -> Iterator[Change]:
        removed = [value for value in ours if value not in theirs]
        added = [value for value in theirs if value not in ours]
        renamed = renamed_values(removed, added)
        for value in removed:
            at = Pair(f"{pair.name}: {value}", pair.was, pair.now, ("value", value), pair.sent, pair.received)
            # A response without the value breaks nothing by itself, but src may wait for that value.
            effect = Effect.BREAKS if pair.sent else Effect.WIDENS
            if value in renamed:
                yield moved(at, Subject.VALUE, renamed[value], effect)
            else:
                yield at.change("removed", Subject.VALUE, effect)
        taken = {renaming.name for renaming in renamed.values()}
        for value in added:
            if value not in taken:
                name = f"{pair.name}: {value}"
                yield Change("added", Subject.VALUE, name, Effect.EXTENDS, was=pair.was, now=pair.now)

    def _fields(self, pair: Pair, ours: Schema, theirs: Schema) -> Iterator[Change]:
        mine, yours = ours["properties"], theirs["properties"]
        removed = {name: schema for name, schema in mine.items() if name not in yours}
        added = {name: schema for name, schema in yours.items() if name not in mine}
        renamed = renamed_fields(removed, added)
        owner = pair.key[-1]
        for name, schema in mine.items():
            at = pair.at("properties", name, name=f"{pair.name}.{name}")
            if pair.key[0] == "schema":
                at = evolve(at, key=("field", owner, name))
            if name in yours:
                yield from self._required(at, name, ours, theirs)
                yield from self.value(at, Subject.FIELD, schema, yours[name])
            elif name in renamed:
                at = at.to(*pair.now, "properties", renamed[name].name)
                yield moved(at, Subject.FIELD, renamed[name], Effect.BREAKS)
            else:
                yield at.change("removed", Subject.FIELD, Effect.BREAKS)
        taken = {renaming.name for renaming in renamed.values()}
        for name in added:
            if name not in taken:
                required = pair.sent and name in theirs.get("required", ())
                yield Change(
                    "added", Subject.FIELD, f"{pair.name}.{name}",
                    Effect.BREAKS if required else Effect.EXTENDS,
                    "required in requests" if required else "", now=(*pair.now, "properties", name),
                    keys=(pair.key,) if required else (),
                )  # fmt: skip

    def _required(self, pair: Pair, name: str, ours: Schema, theirs: Schema) -> Iterator[Change]:
        before, after = name in ours.get("required", ()), name in theirs.get("required", ())
        if before == after:
            return
        if after:
            effect = Effect.BREAKS if pair.sent else Effect.EXTENDS
        else:
            effect = Effect.WIDENS if pair.received else Effect.EXTENDS
        yield pair.change("changed", Subject.FIELD, effect, requirement(after))


def _all_keys(name: str, schema: Schema) -> tuple[Key, ...]:
    """Return the keys of a schema, its fields and its values."""
    fields = (("field", name, each) for each in schema.get("properties", ()))
    values = (("value", str(each)) for each in schema.get("enum", ()))
    return (("schema", name), *fields, *values)


def _texts(options: list[Schema]) -> frozenset[str]:
    return frozenset(type_text(option) if reference(option) else str(bare(option)) for option in options)
