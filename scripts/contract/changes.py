"""What is added, removed, renamed and changed between two contracts, and the effect of each change.

The inventory lists operations, parameters, bodies, responses, component schemas, fields and enum values. Each
change has its general effect on a client; `severity` combines that with Redocly's verdict and with what src
reads.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from aignostics_async.contracts._drift import takes_token
from contract.change import Change, Effect, Pair, Place, Subject, moved, requirement, words
from contract.names import Operation, Renaming, renamed_fields, renamed_operations
from contract.schemas import Schemas
from contract.shapes import Schema, pointers, reference, type_text

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def compare(base: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Return every change from one contract to another, in the order of the old one."""
    # A parameter and its schema often have the same description.
    return list(dict.fromkeys(_Comparison(base, new).changes()))


class _Comparison:
    def __init__(self, base: dict[str, Any], new: dict[str, Any]) -> None:
        self.base, self.new = base, new
        self.schemas = Schemas(
            _schemas(base),
            _schemas(new),
            sent=_reachable(base, sent=True) | _reachable(new, sent=True),
            received=_reachable(base, sent=False) | _reachable(new, sent=False),
        )

    def changes(self) -> Iterator[Change]:
        yield from self.document()
        yield from self.operations()
        yield from self.schemas.components()

    def document(self) -> Iterator[Change]:
        for place in (("openapi",), ("info",), ("servers",), ("tags",), ("components", "securitySchemes")):
            one, other = _at(self.base, place), _at(self.new, place)
            if one != other:
                # The host of a server is a setting; the path that it prefixes to operations is not.
                moved_paths = place == ("servers",) and _server_paths(one) != _server_paths(other)
                effect = Effect.BREAKS if moved_paths else Effect.NOTHING
                detail = f"{_server_paths(one)} → {_server_paths(other)}" if moved_paths else ""
                keys = (("servers",),) if moved_paths else ()
                yield Change("changed", Subject.DOCUMENT, place[-1], effect, detail, place, place, keys)

    def operations(self) -> Iterator[Change]:
        ours, theirs = operations_of(self.base), operations_of(self.new)
        removed = [each for each in ours if each not in theirs]
        added = [each for each in theirs if each not in ours]
        renamed = renamed_operations(removed, added)
        for operation in ours:
            pair = _pair(operation, operation)
            if operation in theirs:
                yield from self.operation(operation, operation)
            elif operation in renamed:
                new, certain = renamed[operation]
                renaming = Renaming(_title(new), certain)
                yield moved(pair.to(*_place(new)), Subject.OPERATION, renaming, Effect.BREAKS)
                yield from self.operation(operation, new)
            else:
                yield pair.change("removed", Subject.OPERATION, Effect.BREAKS)
        taken = {renaming.name for renaming in renamed.values()}
        for operation in added:
            if operation not in taken:
                place = _place(operation)
                yield Change("added", Subject.OPERATION, _title(operation), Effect.EXTENDS, now=place)

    def operation(self, old: Operation, new: Operation) -> Iterator[Change]:
        ours, theirs = operations_of(self.base)[old], operations_of(self.new)[new]
        pair = _pair(old, new)
        if old == new and ours.get("operationId") != theirs.get("operationId"):
            detail = f"operationId {ours.get('operationId')} → {theirs.get('operationId')}"
            # It names a module of the generated package, unless the overlay sets it.
            yield pair.at("operationId").change("changed", Subject.OPERATION, Effect.BREAKS, detail)
        tag, now = ((each.get("tags") or [None])[0] for each in (ours, theirs))
        if tag != now:
            yield pair.at("tags").change(
                "changed", Subject.OPERATION, Effect.BREAKS, f"first tag {tag} → {now}"
            )
        yield from words(pair, Subject.OPERATION, ours, theirs)
        here, there = _own_servers(self.base, old), _own_servers(self.new, new)
        if here != there:
            yield pair.at("servers").change(
                "changed", Subject.OPERATION, Effect.BREAKS, f"servers {here} → {there}"
            )
        if takes_token(self.base, ours) and not takes_token(self.new, theirs):
            yield pair.at("security").change(
                "changed", Subject.OPERATION, Effect.BREAKS, "an access token alone does not open it any more"
            )
        yield from self.parameters(pair, old, new)
        yield from self.body(pair, ours, theirs)
        yield from self.responses(pair, ours, theirs)

    def parameters(self, pair: Pair, old: Operation, new: Operation) -> Iterator[Change]:
        ours, theirs = parameters_of(self.base, old), parameters_of(self.new, new)
        removed = {name: p["schema"] for (_, name), p in ours.items() if (p["in"], name) not in theirs}
        added = {name: p["schema"] for (_, name), p in theirs.items() if (p["in"], name) not in ours}
        elsewhere = {
            name: p["in"] for (_, name), p in theirs.items() if name in removed.keys() & added.keys()
        }
        renamed = renamed_fields(_without(removed, elsewhere), _without(added, elsewhere))
        # Path parameters are matched by position; their names are never sent.
        mine, yours = (re.findall(r"{([^}]*)}", path) for _, path in (old, new))
        if len(mine) == len(yours):
            renamed |= {
                one: Renaming(other, certain=True)
                for one, other in zip(mine, yours, strict=True)
                if one != other
            }
        for (place, name), parameter in ours.items():
            at = Pair(
                f"{pair.name} ?{name}", (*pair.was, "parameters", name), (*pair.now, "parameters", name),
                ("parameter", *old, name), sent=True, received=False,
            )  # fmt: skip
            if (place, name) in theirs:
                yield from self.parameter(at, parameter, theirs[place, name])
            elif name in elsewhere:
                detail = f"from {place} to {elsewhere[name]}"
                yield at.change("changed", Subject.PARAMETER, Effect.BREAKS, detail)
                yield from self.parameter(at, parameter, theirs[elsewhere[name], name])
            elif name in renamed:
                at = at.to(*pair.now, "parameters", renamed[name].name)
                hidden = place == "path" and renamed[name].certain
                yield moved(at, Subject.PARAMETER, renamed[name], Effect.NOTHING if hidden else Effect.BREAKS)
                if renamed[name].certain and (place, renamed[name].name) in theirs:
                    yield from self.parameter(at, parameter, theirs[place, renamed[name].name])
            else:
                yield at.change("removed", Subject.PARAMETER, Effect.BREAKS)
        taken = {*elsewhere, *(renaming.name for renaming in renamed.values())}
        for (place, name), parameter in theirs.items():
            if (place, name) not in ours and name not in taken:
                required = parameter.get("required", False)
                yield Change(
                    "added", Subject.PARAMETER, f"{pair.name} ?{name}",
                    Effect.BREAKS if required else Effect.EXTENDS,
                    "required" if required else "optional", now=(*pair.now, "parameters", name),
                    keys=(pair.key,) if required else (),
                )  # fmt: skip

    def parameter(self, pair: Pair, ours: Schema, theirs: Schema) -> Iterator[Change]:
        yield from words(pair, Subject.PARAMETER, ours, theirs)
        if ours.get("required", False) != theirs.get("required", False):
            now_required = theirs.get("required", False)
            effect = Effect.BREAKS if now_required else Effect.EXTENDS
            yield pair.change("changed", Subject.PARAMETER, effect, requirement(now_required))
        before, after = (_writing(each) for each in (ours, {**theirs, "in": ours["in"]}))
        for word in sorted(before):
            if before[word] != after[word]:
                detail = f"{word} {before[word]} → {after[word]}"
                yield pair.change("changed", Subject.PARAMETER, Effect.BREAKS, detail)
        yield from self.schemas.value(pair.at("schema"), Subject.PARAMETER, ours["schema"], theirs["schema"])

    def body(self, pair: Pair, ours: Schema, theirs: Schema) -> Iterator[Change]:
        at = pair.at("requestBody", name=f"{pair.name} body")
        mine, yours = (
            _resolve(document, each.get("requestBody", {}))
            for document, each in ((self.base, ours), (self.new, theirs))
        )
        one, other = _content(mine), _content(yours)
        if (one is None) != (other is None):
            required = other is not None and yours.get("required", False)
            effect = Effect.BREAKS if one is not None or required else Effect.EXTENDS
            yield at.change("removed" if other is None else "added", Subject.BODY, effect)
        elif one is not None and other is not None:
            yield from _media_types(at, Subject.BODY, mine, yours)
            yield from self.schemas.value(at, Subject.BODY, one, other)

    def responses(self, pair: Pair, ours: Schema, theirs: Schema) -> Iterator[Change]:
        mine, yours = (
            {status: _resolve(document, answer) for status, answer in each.get("responses", {}).items()}
            for document, each in ((self.base, ours), (self.new, theirs))
        )
        for status in dict.fromkeys([*mine, *yours]):
            at = Pair(
                f"{pair.name} → {status}", (*pair.was, "responses", status),
                (*pair.now, "responses", status), pair.key, sent=False, received=True,
            )  # fmt: skip
            success = status.startswith(("2", "3"))
            if status not in yours:
                yield at.change("removed", Subject.RESPONSE, Effect.BREAKS if success else Effect.EXTENDS)
            elif status not in mine:
                yield at.change("added", Subject.RESPONSE, Effect.BREAKS if success else Effect.EXTENDS)
            else:
                yield from words(at, Subject.RESPONSE, mine[status], yours[status])
                one, other = _content(mine[status]), _content(yours[status])
                if (one is None) != (other is None):
                    effect = Effect.BREAKS if one else Effect.WIDENS
                    detail = "without a body now" if other is None else f"now with a body, {type_text(other)}"
                    yield at.change("changed", Subject.RESPONSE, effect, detail)
                elif one is not None and other is not None:
                    yield from _media_types(at, Subject.RESPONSE, mine[status], yours[status])
                    yield from self.schemas.value(at, Subject.RESPONSE, one, other)


def _at(document: dict[str, Any], place: Place) -> Any:
    for step in place:
        document = document.get(step, {})
    return document


def _without(schemas: dict[str, Schema], names: Container[str]) -> dict[str, Schema]:
    return {name: schema for name, schema in schemas.items() if name not in names}


def _writing(parameter: Schema) -> dict[str, Any]:
    """Return how the value of a parameter is written into a request."""
    style = parameter.get("style", "form" if parameter["in"] in ("query", "cookie") else "simple")
    explode = parameter.get("explode", style == "form")
    return {"style": style, "explode": explode, "allowReserved": parameter.get("allowReserved", False)}


def _media_types(pair: Pair, subject: Subject, ours: Schema, theirs: Schema) -> Iterator[Change]:
    """Yield a change if two bodies have no media type in common."""
    mine, yours = (sorted(map(_media_type, each["content"])) for each in (ours, theirs))
    if not set(mine) & set(yours):
        yield pair.change("changed", subject, Effect.BREAKS, f"{', '.join(mine)} → {', '.join(yours)}")


def _server_paths(servers: list[dict[str, Any]]) -> list[str]:
    return sorted({urlsplit(server.get("url", "")).path.rstrip("/") for server in servers})


def _own_servers(document: dict[str, Any], operation: Operation) -> list[str]:
    """Return the paths of the servers that an operation has instead of those of the document."""
    method, path = operation
    item = document["paths"][path]
    return _server_paths(item[method].get("servers") or item.get("servers") or [])


def operations_of(document: Mapping[str, Any]) -> dict[Operation, dict[str, Any]]:
    return {
        (method, path): item[method]
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    }


def parameters_of(document: Mapping[str, Any], operation: Operation) -> dict[Operation, dict[str, Any]]:
    """Return the parameters of an operation by place and name, those of its path included."""
    method, path = operation
    item = document["paths"][path]
    found = {}
    for parameter in [*item.get("parameters", ()), *item[method].get("parameters", ())]:
        whole = _resolve(document, parameter)
        found[whole["in"], whole["name"]] = {"schema": {}, **whole}
    return found


def _resolve(document: Mapping[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    for _ in range(10):  # a reference to a reference is rare, a circle is a fault
        if "$ref" not in node:
            break
        found: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        node = found
    return node


def _content(holder: dict[str, Any] | None) -> Schema | None:
    """Return the schema of a body: as JSON, else of its first media type."""
    content = (holder or {}).get("content") or {}
    for name in sorted(content, key=lambda name: _media_type(name) != "application/json"):
        schema: Schema = content[name].get("schema", {})
        return schema
    return None


def _media_type(name: str) -> str:
    """Return a media type without its parameters, such as a charset."""
    return name.partition(";")[0].strip().lower()


def _schemas(document: dict[str, Any]) -> dict[str, Schema]:
    schemas: dict[str, Schema] = document.get("components", {}).get("schemas", {})
    return schemas


def _reachable(document: dict[str, Any], *, sent: bool) -> set[str]:
    """Return the names of the schemas that requests, or answers, can hold."""
    halves = ("parameters", "requestBody") if sent else ("responses",)
    holders = [*document["paths"].values(), *operations_of(document).values()]
    waiting = [*pointers([holder.get(half) for holder in holders for half in halves])]
    seen: set[str] = set()
    while waiting:
        pointer = waiting.pop()
        # Examples may hold schemas with references of their own.
        if pointer not in seen and pointer.startswith("#/components/"):
            seen.add(pointer)
            waiting += pointers(_resolve(document, {"$ref": pointer}))
    return {name for pointer in seen if (name := reference({"$ref": pointer})) is not None}


def _pair(old: Operation, new: Operation) -> Pair:
    return Pair(_title(old), _place(old), _place(new), ("operation", *old), sent=True, received=False)


def _title(operation: Operation) -> str:
    return f"{operation[0].upper()} {operation[1]}"


def _place(operation: Operation) -> Place:
    return ("paths", operation[1], operation[0])
