"""Schemas as values: what a schema accepts, its text in a line, its references."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

# Documentation, on which no value depends.
ANNOTATIONS = frozenset(
    {"title", "description", "summary", "examples", "example", "externalDocs", "tags", "deprecated"}
)
# Keywords that only narrow a type.
CONSTRAINTS = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems"),
        *("minProperties", "maxProperties", "default"),
    }
)
_ANYTHING_MORE = ("additionalProperties", True)
_NULL = {"type": "null"}
_PREFIX = "#/components/schemas/"

Schema = dict[str, Any]


def reference(schema: Schema) -> str | None:
    """Return the name of the component that a schema is, if it is one."""
    pointer = schema.get("$ref", "")
    return pointer.removeprefix(_PREFIX) if pointer.startswith(_PREFIX) else None


def pointers(node: Any) -> Iterator[str]:
    """Yield the targets of all references below a node of a document."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from pointers(child)
    elif isinstance(node, list):
        for child in node:
            yield from pointers(child)


def bare(node: Any) -> Any:
    """Return a node without documentation, and with sets of names in order."""
    if isinstance(node, list):
        return [bare(child) for child in node]
    if not isinstance(node, dict):
        return node
    stripped: Schema = {}
    for key, child in node.items():
        if key in ("properties", "patternProperties") and isinstance(child, dict):
            # These keys are the platform's names, not keywords of JSON schema.
            stripped[key] = {name: bare(each) for name, each in child.items()}
        elif key in ("required", "enum", "anyOf", "oneOf") and isinstance(child, list):
            stripped[key] = sorted((bare(each) for each in child), key=_text)
        elif key not in ANNOTATIONS and not key.startswith("x-") and (key, child) != _ANYTHING_MORE:
            stripped[key] = bare(child)
    return stripped


def same(one: Any, other: Any) -> bool:
    """Whether two nodes mean the same on the wire; an absent `additionalProperties` means true."""
    return _text(bare(one)) == _text(bare(other))


def _text(node: Any) -> str:
    return json.dumps(node, sort_keys=True)


def merged(schema: Schema, components: Mapping[str, Schema], depth: int = 8) -> Schema:
    """Return a schema whose `allOf` is resolved: the one part itself, or the fields of all parts together."""
    rest = {word: value for word, value in schema.items() if word != "allOf"}
    parts: list[Schema] = schema.get("allOf", [])
    if not parts or not depth:
        return schema
    if len(parts) == 1:
        return merged({**parts[0], **rest}, components, depth - 1)
    whole: Schema = {}
    for part in [*(components.get(reference(each) or "", each) for each in parts), rest]:
        one = merged(part, components, depth - 1)
        fields = {**whole.get("properties", {}), **one.get("properties", {})}
        required = [*whole.get("required", ()), *one.get("required", ())]
        whole = {**whole, **one, "properties": fields, "required": required}
    return whole


def alternatives(schema: Schema) -> list[Schema]:
    """Return the schemas of which one must match; just the schema if it has no alternatives."""
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return [each for option in schema[word] for each in alternatives(option)]
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return [{**schema, "type": kind} for kind in kinds]
    if schema.get("nullable"):
        return [{key: value for key, value in schema.items() if key != "nullable"}, _NULL]
    return [schema]


def without_null(schema: Schema) -> tuple[list[Schema], bool]:
    """Return the alternatives other than null, and whether null is one."""
    options = alternatives(schema)
    real = [option for option in options if option.get("type") != "null"]
    return real, len(real) < len(options)


def type_text(schema: Schema) -> str:
    """Return a schema's type as text."""
    options = alternatives(schema)
    if len(options) > 1:
        return " | ".join(dict.fromkeys(type_text(option) for option in options))
    (one,) = options
    if name := reference(one):
        return name
    if one.get("type") == "array" or "items" in one or "prefixItems" in one:
        if "prefixItems" in one:
            return f"tuple[{', '.join(type_text(each) for each in one['prefixItems'])}]"
        return f"list[{type_text(one.get('items', {}))}]"
    if "enum" in one:
        return f"enum of {len(one['enum'])}"
    kind = str(one.get("type", "any"))
    return f"{kind}({one['format']})" if "format" in one else kind
