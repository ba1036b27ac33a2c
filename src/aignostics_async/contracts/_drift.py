"""How the document that a deployment shows differs from what the façade reads and sends. Pure.

`inventory.json` says what that is: scripts/inventory.py makes it from the contracts and the code of their
translations. So the check needs no other tool, and no second copy of a contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from attrs import frozen

from ..errors import InvalidResponse

Severity = Literal["breaking", "additive"]
_METHODS = ("get", "put", "post", "delete", "patch")
_MAX_DEPTH = 8
_LIMITS = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern"),
        *("minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
    }
)
_PREFIX = "/api"  # what the client puts before the path of an operation; a gateway may put more before it
Fields = Mapping[str, Mapping[str, Any]]


@frozen
class ContractDrift:
    """A difference between a deployment's OpenAPI document and what this release was built for.

        for drift in await check_contract("https://platform.aignostics.com"):
            print(drift.severity, drift.operation, drift.detail)

    `severity` is `"breaking"` if something that the SDK reads or sends has gone or changed, or it would have
    to send something more, or within narrower limits; else `"additive"`. `operation` is method and path, such
    as `POST /v1/runs`, and `detail` what differs, for people. `str(drift)` has all three in one line.
    """

    severity: Severity
    """`breaking` if something that the SDK reads or sends has gone or changed, or it would have to send
    something more, or within narrower limits; else `additive`.
    """
    operation: str
    """The operation, such as `POST /v1/runs`."""
    detail: str
    """What differs, for people."""

    def __str__(self) -> str:
        return f"{self.severity}: {self.operation}: {self.detail}"


def compare(inventory: Mapping[str, Any], document: Any) -> list[ContractDrift]:
    """Return the differences of a document, the breaking ones first; raises InvalidResponse if it is none."""
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        reason = "it is no OpenAPI document"
        raise InvalidResponse(reason, operation="read the contract")
    found: list[ContractDrift] = []
    try:
        found = list(_compare(inventory, document))
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        reason = "it is a broken OpenAPI document"
        raise InvalidResponse(reason, operation="read the contract") from None
    return sorted(found, key=lambda each: (each.severity != "breaking", each.operation))


def _compare(inventory: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[ContractDrift]:
    theirs = {_shape(method, path): (method, path) for method, path in operations(document)}
    known = {_shape(*name.split(" ", 1)) for name in (*inventory["operations"], *inventory["others"])}
    places = [urlsplit(server["url"]).path.rstrip("/") for server in document.get("servers", ())]
    for name, ours in inventory["operations"].items():
        if places and not any(each.endswith(_PREFIX) for each in places):
            yield ContractDrift("breaking", name, f"it lies below {places[0] or '/'}, not {_PREFIX}")
        place = theirs.get(_shape(*name.split(" ", 1)))
        if place is None:
            yield ContractDrift("breaking", name, "it is gone")
            continue
        now = describe(document, *place)
        yield from (ContractDrift(how, name, detail) for how, detail in _differences(ours, now))
    for shape, (method, path) in theirs.items():
        if shape not in known:
            yield ContractDrift("additive", f"{method.upper()} {path}", "it is new")


def _shape(method: str, path: str) -> str:
    """Return an operation without the names of path parameters, which are never sent."""
    return f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path)}"


def _differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[tuple[Severity, str]]:
    for name, parameter in ours["sent"].items():
        now = theirs["parameters"].get(name)
        if now is None:
            yield "breaking", f"the parameter {name} is gone"
        else:
            yield from _parameter_differences(parameter, now, f"the parameter {name}")
    for name in theirs["needed"]:
        if not ours["sent"].get(name, {"required": False})["required"]:
            yield "breaking", f"it needs the parameter {name}"
    if not set(ours["success"]) & set(theirs["success"]):
        yield "breaking", f"it succeeds with {', '.join(theirs['success'])}"
    yield from _protocol_differences(ours, theirs)
    for status in sorted(set(theirs["statuses"]) - set(ours["statuses"])):
        yield "additive", f"it may answer {status}"
    yield from _field_differences(ours["answer"], theirs["answer"], "answers")
    yield from _field_differences(ours["body"], theirs["body"], "requests")


def _parameter_differences(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], what: str
) -> Iterator[tuple[Severity, str]]:
    mine, yours = (set(each["kind"].split(" or ")) for each in (ours, theirs))
    if mine - yours - {"null"}:  # which no query can have
        yield "breaking", f"{what} was {ours['kind']}, and is {theirs['kind']}"
    yield from _value_differences(ours.get("values"), theirs.get("values"), what, is_sent=True)
    yield from _limit_differences(ours, theirs, what)


def _limit_differences(
    ours: Mapping[str, Any], theirs: Mapping[str, Any], what: str
) -> Iterator[tuple[Severity, str]]:
    """Yield what narrows something that is sent."""
    before, after = ours.get("limits", {}), theirs.get("limits", {})
    for word in sorted(after):
        if is_narrower(word.rpartition(".")[2], before.get(word), after[word]):
            yield "breaking", f"{word} of {what} was {before.get(word, 'not set')}, and is {after[word]}"


def is_narrower(word: str, before: Any, after: Any) -> bool:
    """Whether a keyword of a schema allows less than before; None for no such keyword."""
    if after is None or after is False or word == "default":
        return False
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (before, after))
    if not numbers:
        return bool(after != before)
    if word == "multipleOf":
        return bool(before % after)
    is_lowest = word.lower().removeprefix("exclusive").startswith("min")
    return bool(after > before if is_lowest else after < before)


def _protocol_differences(
    ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> Iterator[tuple[Severity, str]]:
    if ours["takes_token"] and not theirs["takes_token"]:
        yield "breaking", "an access token alone does not open it"
    for status in ours["success"]:
        if status.startswith("3") and status not in theirs["success"]:
            yield "breaking", f"it answers {status} no more"
    for side, words in (("body", "requests"), ("answer", "answers")):
        mine, yours = ours["types"][side], theirs["types"][side]
        if mine and yours and not set(mine) & set(yours):
            yield "breaking", f"{words} were {', '.join(mine)}, and are {', '.join(yours)}"


def _field_differences(ours: Fields, theirs: Fields, where: str) -> Iterator[tuple[Severity, str]]:
    for name, field in ours.items():
        if field["used"]:
            yield from _used_field_differences(field, theirs.get(name), name, where)
    holders = {"", *(name for name, field in ours.items() if field["used"])}
    for name, now in theirs.items():
        if name.rpartition(".")[0] not in holders:
            continue
        before = ours.get(name)
        if where == "requests" and now["required"] and not (before and before["required"]):
            yield "breaking", f"{name} is needed in {where}"
        elif before is None:
            yield "additive", f"{name} is new in {where}"


def _used_field_differences(
    ours: Mapping[str, Any], theirs: Mapping[str, Any] | None, name: str, where: str
) -> Iterator[tuple[Severity, str]]:
    what, is_sent = f"{name} in {where}", where == "requests"
    if theirs is None:
        yield "breaking", f"{name} is gone from {where}"
        return
    if ours["kind"] != theirs["kind"]:
        yield "breaking", f"{what} was {ours['kind']}, and is {theirs['kind']}"
    elif not is_sent and ours["required"] and not theirs["required"]:
        yield "breaking", f"{name} may be missing in {where}"
    yield from _value_differences(ours.get("values"), theirs.get("values"), what, is_sent=is_sent)
    if is_sent:
        yield from _limit_differences(ours, theirs, what)


def _value_differences(
    ours: list[str] | None, theirs: list[str] | None, what: str, *, is_sent: bool
) -> Iterator[tuple[Severity, str]]:
    if ours is None and theirs is not None and is_sent:
        yield "breaking", f"{what} is nothing but {', '.join(theirs)}"
    if ours is None or theirs is None:
        return
    for value in ours:
        if value not in theirs:
            yield "breaking", f"{what} is never {value}"
    for value in theirs:
        if value not in ours:
            yield "additive", f"{what} may be {value}"


# What a document says of an operation; scripts/inventory.py reads the contracts by it, too.


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield method and path of each operation."""
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield method, path


def describe(document: Mapping[str, Any], method: str, path: str) -> dict[str, Any]:
    """Return parameters, statuses and fields of an operation."""
    item = document["paths"][path]
    operation = item[method]
    given = (*item.get("parameters", ()), *operation.get("parameters", ()))
    listed = [resolve(document, each) for each in given]
    answers = {status: resolve(document, each) for status, each in operation["responses"].items()}
    success = {status: each for status, each in answers.items() if status[:1] in "23"}
    answer = next((each for each in success.values() if each.get("content")), {})
    body = resolve(document, operation.get("requestBody", {}))
    return {
        "parameters": {
            each["name"]: _description(document, each.get("schema", {}), needed=each.get("required", False))
            for each in listed
            if each["in"] == "query"
        },
        "needed": [each["name"] for each in listed if each["in"] != "path" and each.get("required")],
        "statuses": sorted(answers),
        "success": sorted(success),
        "types": {"body": sorted(body.get("content", ())), "answer": sorted(answer.get("content", ()))},
        "takes_token": takes_token(document, operation),
        "body": dict(_fields(document, _schema(body), "", 0)),
        "answer": {
            # Limits of what is read do not matter.
            name: {word: value for word, value in field.items() if word != "limits"}
            for name, field in _fields(document, _schema(answer), "", 0)
        },
    }


def resolve(document: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a reference refers to."""
    for _ in range(_MAX_DEPTH):
        if "$ref" not in node:
            break
        found: Any = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/").replace("~0", "~")]
        node = found
    return node


def takes_token(document: Mapping[str, Any], operation: Mapping[str, Any]) -> bool:
    """Return whether an operation can be called with an access token alone."""
    wanted = operation.get("security", document.get("security", []))
    schemes = document.get("components", {}).get("securitySchemes", {})

    def is_token(name: str) -> bool:
        scheme = resolve(document, schemes.get(name, {}))
        is_bearer = scheme.get("scheme", "").lower() == "bearer"
        return is_bearer or scheme.get("type") in ("oauth2", "openIdConnect")

    return not wanted or any(all(map(is_token, each)) for each in wanted)


def _schema(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    for media in holder.get("content", {}).values():
        schema: Mapping[str, Any] = media.get("schema", {})
        return schema
    return {}


def _fields(
    document: Mapping[str, Any], schema: Mapping[str, Any], place: str, depth: int
) -> Iterator[tuple[str, dict[str, Any]]]:
    if depth > _MAX_DEPTH:
        return
    for each in _objects(document, schema):
        for name, inner in each.get("properties", {}).items():
            at = f"{place}.{name}" if place else name
            yield at, _description(document, inner, needed=name in each.get("required", ()))
            yield from _fields(document, inner, at, depth + 1)


def _description(document: Mapping[str, Any], schema: Mapping[str, Any], *, needed: bool) -> dict[str, Any]:
    """Return what is known of a field or parameter."""
    values = sorted(_values(document, schema))
    limits = dict(_limits(document, schema))
    return {
        "kind": _kind(document, schema),
        "required": needed,
        **({"values": values} if values else {}),
        **({"limits": limits} if limits else {}),
    }


def _values(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the values of an enumeration, or of a list of them."""
    for _, each in _nested(document, schema):
        yield from map(str, each.get("enum", ()))


def _limits(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the keywords that narrow a schema, those of the entries of a list with `items.` before them."""
    for depth, each in _nested(document, schema):
        yield from (("items." * depth + word, each[word]) for word in sorted(each.keys() & _LIMITS))


def _nested(
    document: Mapping[str, Any], schema: Mapping[str, Any], lists: tuple[Mapping[str, Any], ...] = ()
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the alternatives of a schema and of the entries of its lists, with the number of lists around.

    A list can hold itself, as that of any JSON values does; it is entered once.
    """
    for each in _alternatives(document, schema):
        yield len(lists), each
        if "items" in each and not any(each is above for above in lists):
            yield from _nested(document, each["items"], (*lists, each))


def _alternatives(document: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    whole = resolve(document, schema)
    if len(whole.get("allOf", ())) == 1:
        return _alternatives(document, whole["allOf"][0])
    inner = [*whole.get("anyOf", ()), *whole.get("oneOf", ())]
    return [each for option in inner for each in _alternatives(document, option)] or [whole]


def _objects(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for _, each in _nested(document, schema):
        if "items" not in each:
            yield each
            for part in each.get("allOf", ()):
                yield from _objects(document, part)


def _kind(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return the JSON types of a schema as text; what narrows them is no matter of the façade's."""
    kinds: set[str] = set()
    for depth, each in _nested(document, schema):
        if "items" in each:
            continue
        default = "string" if "enum" in each else "object" if "allOf" in each else "any"
        told = each.get("type", default)
        kinds.update("list of " * depth + kind for kind in ([told] if isinstance(told, str) else told))
    return " or ".join(sorted(kinds))
