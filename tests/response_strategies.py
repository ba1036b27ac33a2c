"""Bodies of answers made from the contract's schemas, harm done to them, and what they say in our terms."""

from __future__ import annotations

import copy
import json
import re
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
    (Path(__file__).resolve().parent.parent / "openapi.json").read_text(encoding="utf-8")
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
    """Give values that fit a schema; full ones have every optional field and no empty list."""
    schema = resolved(schema)
    if "anyOf" in schema:
        return st.one_of([valid(each, full=full) for each in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "properties" in schema:
        fields = {name: valid(each, full=full) for name, each in schema["properties"].items()}
        required = {name: fields[name] for name in fields if full or name in schema.get("required", ())}
        return st.fixed_dictionaries(
            required, optional={n: v for n, v in fields.items() if n not in required}
        )
    kind = schema.get("type")
    if kind == "array":
        return st.lists(valid(schema["items"], full=full), min_size=full, max_size=2)
    if kind == "object":
        inner = schema.get("additionalProperties")
        return st.dictionaries(_TEXTS, valid(inner) if inner else _JSON, max_size=2)
    if kind == "string":
        return _strings(schema)
    return {"integer": st.integers(), "null": st.none(), None: _JSON}[kind]


def _strings(schema: Schema) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        return st.from_regex(re.compile(schema["pattern"]), fullmatch=True)
    times = st.datetimes() | st.datetimes(timezones=st.just(UTC))
    return {
        "uuid": st.uuids().map(str),
        "uri": st.sampled_from([SIGNED_URL, "https://storage.example.com/b/c.json?sig=PLANTED"]),
        "date-time": times.map(lambda time: time.isoformat().replace("+00:00", "Z")),
        None: _TEXTS,
    }[schema.get("format")]


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
    ours = {RENAMED.get(each.name, each.name) for each in attrs.fields(kind)}
    assert ours <= set(schema["properties"]), "the SDK reads a field that the contract lacks"
    return set(schema["properties"]) - ours


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of an annotated type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return any(fits(value, each) for each in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and all(fits(each, arguments[0]) for each in value)
    return isinstance(value, origin or hint)


def shown(name: str, value: Any) -> Any:
    """Return what is shown of a field: a text about an error may quote a URL that opens something."""
    return redact(value[:MAX_ERROR_LENGTH]) if name == "error" and isinstance(value, str) else value


def says(ours: Any, body: Any) -> bool:
    """Whether one of our values is what a body says, and of the type that our model promises."""
    if attrs.has(type(ours)):
        hints = get_type_hints(type(ours))
        return isinstance(body, dict) and all(
            fits(getattr(ours, each.name), hints[each.name])
            and says(getattr(ours, each.name), shown(each.name, body.get(RENAMED.get(each.name, each.name))))
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
