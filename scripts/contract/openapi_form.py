"""What makes a document OpenAPI that the generator can read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, ValidationError
from openapi_spec_validator import OpenAPIV31SpecValidator

_MAX_WORDS = 300
_VALUES = ("example", "examples", "default", "const", "enum")  # what is below them is no schema
_SCHEMAS = "#/components/schemas/"


class NotASpecification(Exception):
    """The file is not an OpenAPI 3 document; the text says what it is and what to do."""


class BadValue(Exception):
    """A parser accepts the value, but no two tools agree what it means."""


def check_openapi(path: str, document: Any) -> dict[str, Any]:
    """Return a document that is OpenAPI 3.1 and that the generator can read; raises NotASpecification."""
    if not isinstance(document, dict):
        raise NotASpecification(f"{path} contains a {type(document).__name__}, not an OpenAPI document")
    if "swagger" in document:
        raise NotASpecification(f"{path} is Swagger {document['swagger']}; convert it to OpenAPI 3.1")
    if not str(document.get("openapi", "")).startswith("3."):
        raise NotASpecification(f"{path} is not an OpenAPI 3 document: it has no `openapi: 3.x`")
    if not isinstance(document.get("info"), dict) or not isinstance(document.get("paths"), dict):
        raise NotASpecification(f"{path} is an incomplete OpenAPI document: it lacks `info` or `paths`")
    if not document["paths"]:
        raise NotASpecification(f"{path} is an incomplete OpenAPI document: its `paths` are empty")
    if not str(document["openapi"]).startswith("3.1."):
        told = f"{path} is OpenAPI {document['openapi']}, and these tools read 3.1"
        if str(document["openapi"]) == "3.1":
            raise NotASpecification(f"{told}; write the whole version, such as 3.1.0")
        raise NotASpecification(f"{told}; convert it, or ask the platform for the 3.1 document")
    _check_form(path, document)
    for reference in _references(document):
        _check_reference(path, document, reference)
    error = next(OpenAPIV31SpecValidator(document).schema_validator.iter_errors(document), None)
    if error is not None:
        raise _invalid(path, error)
    _check_schemas(path, document)
    _check_parts(path, document)
    _check_servers(path, document)
    return document


def _invalid(path: str, error: ValidationError, *above: object) -> NotASpecification:
    place = "/".join(map(str, (*above, *error.absolute_path)))
    words = error.message.splitlines()[0][:_MAX_WORDS]
    return NotASpecification(f"{path} is no valid OpenAPI document: {words}, at {place}")


def _check_schemas(path: str, document: dict[str, Any]) -> None:
    """Raise NotASpecification for a schema that is none: OpenAPI's own leaves open what a schema contains."""
    meta_schema = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    for place, schema in _schemas(document, ()):
        error = next(meta_schema.iter_errors(schema), None)
        if error is not None:
            raise _invalid(path, error, *place)


def _schemas(node: Any, place: tuple[object, ...]) -> Iterator[tuple[tuple[object, ...], Any]]:
    """Yield the place and the content of each schema that is not part of another one."""
    if isinstance(node, list):
        node = dict(enumerate(node))
    if not isinstance(node, dict):
        return
    for key, child in node.items():
        if key == "schema" or place == ("components", "schemas"):
            yield (*place, key), child
        elif key not in _VALUES and not str(key).startswith("x-"):
            yield from _schemas(child, (*place, key))


def _check_servers(path: str, document: dict[str, Any]) -> None:
    holders = [document, *(each for item in document["paths"].values() for each in (item, *item.values()))]
    for holder in holders:
        for server in holder.get("servers", ()) if isinstance(holder, dict) else ():
            try:
                urlsplit(server["url"])
            except ValueError:
                raise NotASpecification(f"{path} has the server {server['url']!r}, which is no URL") from None


def _check_form(path: str, document: dict[str, Any]) -> None:
    """Raise NotASpecification for what OpenAPI allows and the generator can't read."""
    for name in _booleans(document):
        raise NotASpecification(
            f"{path} has a truth value as the schema of {name}, which the generator can't read; write {{}} "
            "for any value"
        )
    for place, item in document["paths"].items():
        if isinstance(item, dict) and "$ref" in item:
            raise NotASpecification(
                f"{path} refers to the operations of {place} instead of listing them, which the generator "
                "can't follow; write them there"
            )


def _check_parts(path: str, document: dict[str, Any]) -> None:
    """Raise NotASpecification for a schema that has itself as a part, without an end."""
    schemas = document.get("components", {}).get("schemas", {})
    parts = {f"{_SCHEMAS}{name}": set(_parts(schema)) for name, schema in schemas.items()}
    for name, found in parts.items():
        waiting = [*found]
        seen: set[str] = set()
        while waiting and name not in seen:
            part = waiting.pop()
            if part not in seen:
                seen.add(part)
                waiting += parts.get(part, ())
        if name in seen:
            told = "which consists of itself; the generator can't follow that"
            raise NotASpecification(f"{path} has the schema {name.removeprefix(_SCHEMAS)}, {told}")


def _parts(schema: Any) -> Iterator[str]:
    """Yield the targets of the references that a schema consists of."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"]
        for word in ("allOf", "anyOf", "oneOf"):
            for part in schema.get(word, ()):
                yield from _parts(part)


def _booleans(node: Any) -> Iterator[str]:
    """Yield the names of schemas that are true or false, which JSON Schema allows."""
    if isinstance(node, list):
        for child in node:
            yield from _booleans(child)
    if not isinstance(node, dict):
        return
    for key, child in node.items():
        if key in ("properties", "schemas") and isinstance(child, dict):
            yield from (name for name, schema in child.items() if isinstance(schema, bool))
            yield from _booleans(list(child.values()))
        elif key == "schema" and isinstance(child, bool):
            yield key
        elif key in ("anyOf", "oneOf", "allOf") and isinstance(child, list):
            yield from (key for schema in child if isinstance(schema, bool))
            yield from _booleans(child)
        elif key not in _VALUES:
            yield from _booleans(child)


def _references(node: Any) -> Iterator[str]:
    """Yield the targets of all `$ref`s, without those in examples."""
    if isinstance(node, dict):
        target = node.get("$ref", {})  # an object is the schema of a field of that name
        if isinstance(target, str):
            yield target
        elif not isinstance(target, dict):
            raise BadValue(f"has the $ref {target!r}, which is no text")
        for key, child in node.items():
            if key not in _VALUES:
                yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)


def _check_reference(path: str, document: dict[str, Any], reference: str) -> None:
    if not reference.startswith("#/"):
        raise NotASpecification(
            f"{path} refers to another file, {reference!r}; bundle the specification into one document"
        )
    seen: set[str] = set()
    target = reference
    while target.startswith("#/"):
        if target in seen:
            raise NotASpecification(f"{path} refers to {reference!r}, which refers to itself")
        seen.add(target)
        node = _at(document, target)
        if node is None:
            raise NotASpecification(f"{path} refers to {target!r}, which it does not contain")
        target = str(node.get("$ref", "")) if isinstance(node, dict) else ""


def _at(document: dict[str, Any], reference: str) -> Any:
    node: Any = document
    for step in reference[2:].split("/"):
        step = step.replace("~1", "/").replace("~0", "~")  # noqa: PLW2901
        node = node.get(step) if isinstance(node, dict) else None
    return node
