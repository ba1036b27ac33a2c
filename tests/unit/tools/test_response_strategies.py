"""Response strategies know every type and format, so that a new field needs no change of the tests."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from jsonschema import Draft202012Validator
from response_strategies import valid

FORMATS = (
    *("binary", "byte", "date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time"),
    *("uri", "uuid", "password", "one of the future"),
)
SCHEMAS: list[dict[str, Any]] = [
    {},
    *({"type": kind} for kind in ("array", "boolean", "integer", "null", "number", "object", "string")),
    *({"type": "string", "format": each} for each in FORMATS),
    {"type": ["string", "null"]},
    {"type": "number", "minimum": 0, "maximum": 1},
    {"type": "integer", "minimum": 5, "maximum": 6},
    {"type": "string", "minLength": 12},
    {"type": "string", "pattern": "^[a-z]{3}$"},
    {"type": "array", "items": {"type": "number"}, "minItems": 3},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
    {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
    {"type": "object", "additionalProperties": {"type": "boolean"}},
    {"type": "object", "additionalProperties": True},
    {"anyOf": [{"type": "number"}, {"type": "null"}]},
    {"oneOf": [{"type": "boolean"}, {"type": "string"}]},
    {"allOf": [{"properties": {"a": {"type": "number"}}, "required": ["a"]}, {"properties": {}}]},
    {"const": 7},
    {"enum": ["a", None]},
]


@pytest.mark.long
@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_values_fit_their_schema(schema: dict[str, Any], data: st.DataObject) -> None:
    Draft202012Validator(schema).validate(data.draw(valid(schema)))
    data.draw(valid(schema, full=True))
