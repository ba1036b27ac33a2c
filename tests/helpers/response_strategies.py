"""Bodies of answers made from the contract's schemas, harm done to them, and what they say in our terms."""

from __future__ import annotations

import copy
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import attrs
from hypothesis import strategies as st

from aignostics_async._core._redaction import redact
from aignostics_async.contracts._decoding import MAX_ERROR_LENGTH

Schema = dict[str, Any]
Place = tuple[str | int, ...]

CONTRACT: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "openapi.json").read_text(encoding="utf-8")
)
SIGNED_URL = "https://storage.example.com/bucket/a%20b.tiff?X-Goog-Signature=PLANTED&se=PLANTED#PLANTED"
# Our two names that are not the contract's.
RENAMED = {"run_id": "application_run_id", "artifact_id": "output_artifact_id"}

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXTS, inner, max_size=2),
    max_leaves=4,
)


def resolved(schema: Schema) -> Schema:
    """Return the schema that a reference stands for."""
    while "$ref" in schema:
        schema = CONTRACT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def answers() -> dict[tuple[str, str], tuple[int, Schema | None]]:
    """Return status and schema of the 2xx answer of each operation, by method and path."""
    found = {}
    for path, methods in CONTRACT["paths"].items():
        for method, operation in methods.items():
            ((status, answer),) = [each for each in operation["responses"].items() if each[0].startswith("2")]
            content = answer.get("content", {}).get("application/json")
            found[method.upper(), path] = int(status), content and content["schema"]
    return found


def valid(schema: Schema, *, full: bool = False) -> st.SearchStrategy[Any]:
    """Return a strategy for values that fit a schema; full ones have every optional field and no empty list.

    Knows every type of OpenAPI 3.1, so that a new field of any type needs no change here. A format that it
    does not know gives any text, as a validator would accept it.
    """
    schema = resolved(schema)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        return st.one_of([valid(each, full=full) for each in alternatives])
    if "allOf" in schema:
        merged = [_object(each, full=full) for each in schema["allOf"]]
        return st.tuples(*merged).map(lambda parts: {k: v for part in parts for k, v in part.items()})
    if "properties" in schema:
        return _object(schema, full=full)
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return st.one_of([valid({**schema, "type": kind}, full=full) for kind in kinds])
    return _TYPES[kinds](schema, full)


def _object(schema: Schema, *, full: bool) -> st.SearchStrategy[dict[str, Any]]:
    schema = resolved(schema)
    fields = {name: valid(each, full=full) for name, each in schema.get("properties", {}).items()}
    required = {name: fields[name] for name in fields if full or name in schema.get("required", ())}
    return st.fixed_dictionaries(
        required, optional={name: each for name, each in fields.items() if name not in required}
    )


def _array(schema: Schema, full: bool) -> st.SearchStrategy[Any]:
    if "prefixItems" in schema:
        entries = [valid(each, full=full) for each in schema["prefixItems"]]
        return st.tuples(*entries).map(list)
    least = max(full, schema.get("minItems", 0))
    return st.lists(
        valid(schema.get("items", {}), full=full), min_size=least, max_size=max(least, 2),
        unique_by=json.dumps if schema.get("uniqueItems") else None,
    )  # fmt: skip


def _mapping(schema: Schema, full: bool) -> st.SearchStrategy[Any]:
    inner = schema.get("additionalProperties")
    return st.dictionaries(_TEXTS, valid(inner, full=full) if isinstance(inner, dict) else _JSON, max_size=2)


def _integer(schema: Schema) -> st.SearchStrategy[int]:
    return st.integers(schema.get("minimum"), schema.get("maximum"))


def _number(schema: Schema) -> st.SearchStrategy[float]:
    least, most = schema.get("minimum"), schema.get("maximum")
    return st.floats(least, most, allow_nan=False, allow_infinity=False) | _integer(schema)


def _string(schema: Schema) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        return st.from_regex(re.compile(schema["pattern"]), fullmatch=True)
    if (texts := _FORMATS.get(schema.get("format"))) is not None:
        return texts
    least = schema.get("minLength", 0)
    most = max(least, min(8, schema.get("maxLength", 8)))
    return st.text(st.characters(exclude_categories=["Cs"]), min_size=least, max_size=most)


_TYPES: dict[str | None, Callable[[Schema, bool], st.SearchStrategy[Any]]] = {
    "array": _array,
    "boolean": lambda _schema, _full: st.booleans(),
    "integer": lambda schema, _full: _integer(schema),
    "null": lambda _schema, _full: st.none(),
    "number": lambda schema, _full: _number(schema),
    "object": _mapping,
    "string": lambda schema, _full: _string(schema),
    None: lambda _schema, _full: _JSON,
}
_TIMES = st.datetimes() | st.datetimes(timezones=st.just(UTC))
_FORMATS: dict[str | None, st.SearchStrategy[str]] = {
    "byte": st.binary(max_size=8).map(lambda content: b64encode(content).decode()),
    "date": st.dates().map(str),
    "date-time": _TIMES.map(lambda time: time.isoformat().replace("+00:00", "Z")),
    "duration": st.integers(0, 10**6).map(lambda seconds: f"PT{seconds}S"),
    "email": st.emails(),
    "hostname": st.just("storage.example.com"),
    "ipv4": st.ip_addresses(v=4).map(str),
    "ipv6": st.ip_addresses(v=6).map(str),
    "time": st.times().map(lambda time: f"{time.isoformat()}Z"),
    "uri": st.sampled_from([SIGNED_URL, "https://storage.example.com/b/c.json?sig=PLANTED"]),
    "uuid": st.uuids().map(str),
}


def nodes(schema: Schema, value: Any, place: Place = ()) -> Iterator[tuple[Place, Schema]]:
    """Give the place of every value in a body, with the schema that it fits."""
    schema = resolved(schema)
    if "anyOf" in schema and value is not None:
        schema = resolved(schema["anyOf"][0])
    yield place, schema
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from nodes(schema.get("items", {}), each, (*place, index))
    elif isinstance(value, dict):
        properties = schema.get("properties", {})
        for name, each in value.items():
            inner = properties.get(name, schema.get("additionalProperties", {}))
            yield from nodes(inner, each, (*place, name))


def at(body: Any, place: Place) -> Any:
    """Return the value at a place of a body."""
    for key in place:
        body = body[key]
    return body


def put(body: Any, place: Place, value: Any) -> Any:
    """Return a copy of a body with another value at a place; the whole body if there is none."""
    return changed(body, place, lambda holder, key: holder.__setitem__(key, value)) if place else value


def without(body: Any, place: Place) -> Any:
    """Return a copy of a body without the field or entry at a place."""
    return changed(body, place, lambda holder, key: holder.__delitem__(key))


def changed(body: Any, place: Place, change: Callable[[Any, Any], None]) -> Any:
    """Return a copy of a body after a change of what holds a place."""
    body = copy.deepcopy(body)
    change(at(body, place[:-1]), place[-1])
    return body


# What JSON can say and no Python value does; the text takes the place of the marker.
RAW = {
    "@NaN@": "NaN",
    "@infinite@": "-1e999",
    "@digits@": "1" * 5000,
    "@surrogate@": '"\\ud800 ' + SIGNED_URL + '"',
    "@deep@": "[" * 5000 + "]" * 5000,
    "@deep object@": '{"a":' * 5000 + "1" + "}" * 5000,
    "@no JSON@": '{"a": nope, "b": "]}"}',
}
WRONG: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        1.5,
        "",
        [],
        {},
        [[]],
        [{}],
        {"a": []},
        "x" * 100_000,
        2**70,
        SIGNED_URL,
        [SIGNED_URL],
    ),
    *({SIGNED_URL: SIGNED_URL}, {"items": SIGNED_URL}, "\x00", "2026-13-45", "no uuid"),
]


def harm(body: Any, place: Place) -> Iterator[Any]:
    """Give copies of a body with one thing wrong at a place."""
    value = at(body, place)
    for wrong in [*WRONG, *RAW, {"entry": value} if isinstance(value, list) else [value]]:
        yield put(body, place, wrong)
    if place:
        yield without(body, place)


def wire(body: Any) -> bytes:
    """Return a body as bytes, with what only JSON can say."""
    text = json.dumps(body)
    for marker, raw in RAW.items():
        text = text.replace(json.dumps(marker), raw)
    return text.encode()


def internal(kind: type[Any], schema: Schema) -> set[str]:
    """Return the fields of a schema that our model does not have."""
    ours = {RENAMED.get(each.name, each.name): each.default is attrs.NOTHING for each in attrs.fields(kind)}
    # Fields with a default are None under a contract that does not have them.
    needed = {name for name, is_needed in ours.items() if is_needed}
    assert needed <= set(schema["properties"]), "the SDK reads a field that the contract lacks"
    return set(schema["properties"]) - ours.keys()


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type."""
    if hint is Any:
        return True
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return any(fits(value, each) for each in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and all(fits(each, arguments[0]) for each in value)
    return isinstance(value, origin or hint)


def shown(name: str, value: Any) -> Any:
    """Return what is shown of a field: a text about an error may quote a URL that opens something."""
    return redact(value[:MAX_ERROR_LENGTH]) if name == "error" and isinstance(value, str) else value


def told(body: dict[str, Any], name: str) -> Any:
    """Return what a body says of one of our fields."""
    if name == "is_available":
        return body.get("download_url") is not None
    if name == "deleted_by":
        return None  # 1.0 does not say
    return body.get(RENAMED.get(name, name))


def says(ours: Any, body: Any) -> bool:
    """Whether one of our values is what a body says, and of the type that our model promises."""
    if attrs.has(type(ours)):
        hints = get_type_hints(type(ours))
        return isinstance(body, dict) and all(
            fits(getattr(ours, each.name), hints[each.name])
            and says(getattr(ours, each.name), shown(each.name, told(body, each.name)))
            for each in attrs.fields(type(ours))
        )
    if isinstance(ours, tuple):
        return isinstance(body, list) and len(ours) == len(body) and all(map(says, ours, body))
    if isinstance(ours, datetime):
        moment = datetime.fromisoformat(body)
        return ours == (moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    if isinstance(ours, StrEnum):
        return bool(str(ours) == body and ours == body and ours.value == body)
    if isinstance(ours, Mapping) and body is None:
        return not ours
    return type(ours) is type(body) and bool(ours == body)
