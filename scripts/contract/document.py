"""Read a specification from a file or a deployment, or say why it is not one."""

from __future__ import annotations

import json
import math
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

_OWN_DOCUMENT = "/api/v1/openapi.json"  # where a deployment shows its document, without a token
_MAX_SIZE = 32 * 1024 * 1024
_SECONDS = 60
_PIECE = 64 * 1024
_MAX_WORDS = 300
_VALUES = ("example", "examples", "default", "const", "enum")  # what is below them is no schema
_SCHEMAS = "#/components/schemas/"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class NotASpecification(Exception):
    """The file is not an OpenAPI 3 document; the text says what it is and what to do."""


def read_any(source: str) -> tuple[dict[str, Any], str]:
    """Return the document at a path or an address, and a name for it. Raises NotASpecification.

    An address is the root of a deployment, or that of a document, which ends with .json, .yaml or .yml.
    """
    if "://" not in source:
        return read(Path(source)), Path(source).name
    address, host = _address(source)
    return _document(address, _fetch(address)), host


def read(path: Path) -> dict[str, Any]:
    """Return the OpenAPI document in a JSON or YAML file. Raises NotASpecification."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NotASpecification(f"{path} can't be read: {error.strerror}") from error
    return _document(str(path), _text(str(path), content))


def _address(source: str) -> tuple[str, str]:
    """Return the address of a document, and the host it comes from."""
    try:
        parts = urlsplit(source)
        is_local = parts.scheme == "http" and parts.hostname in _LOOPBACK
        is_valid = parts.port != 0 and (parts.scheme == "https" or is_local)
    except ValueError:
        is_valid = False
    if not is_valid or not parts.hostname or "@" in parts.netloc or re.search(r"[\s?#]", source):
        # It may hold a password.
        raise NotASpecification(
            "it is no address of a deployment, such as https://platform.example.com: that has https, and "
            "neither a user nor a query"
        )
    if parts.path.endswith((".json", ".yaml", ".yml")):
        return source, parts.hostname
    return source.rstrip("/") + _OWN_DOCUMENT, parts.hostname


def _fetch(address: str) -> str:
    request = urllib.request.Request(address, headers={"Accept": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - http is loopback
            content = _read(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise NotASpecification(
                f"{address} answered {error.code}; is it the root, without /api?"
            ) from error
    except (OSError, ValueError, HTTPException) as error:
        raise NotASpecification(f"{address} can't be read: {getattr(error, 'reason', error)}") from error
    if len(content) > _MAX_SIZE:
        raise NotASpecification(f"{address} is larger than {_MAX_SIZE} bytes, and no specification is")
    return _text(address, content)


def _read(answer: HTTPResponse) -> bytes:
    """Return a body, or the beginning of one that is too large; raises TimeoutError for one that drips."""
    content, until = bytearray(), monotonic() + _SECONDS
    while len(content) <= _MAX_SIZE and (piece := answer.read1(_PIECE)):
        content += piece
        if monotonic() > until:
            raise TimeoutError(f"its body takes more than {_SECONDS} s")
    return bytes(content)


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotASpecification(f"{name} is not a text file: byte {error.start} is not UTF-8") from error


def _document(name: str, text: str) -> dict[str, Any]:
    try:
        document = _parse(name, text)
        _check_length(document)
        return _openapi(name, document)
    except _BadValue as error:
        reason = str(error)
    except RecursionError:
        reason = "is nested too deeply, or contains itself"
    except UnicodeEncodeError:
        reason = "contains half of a character, which no file can hold"
    except (TypeError, ValueError) as error:
        reason = f"has a value that JSON does not have: {error}"
    raise NotASpecification(f"{name} {reason}")


def _check_length(document: Any) -> None:
    """Raise _BadValue for what is too long as JSON: a few aliases in YAML can stand for gigabytes."""
    is_short = _least_length(document, {}) <= _MAX_SIZE
    if not is_short or len(json.dumps(document, ensure_ascii=False).encode()) > _MAX_SIZE:
        raise _BadValue(f"is longer than {_MAX_SIZE} bytes as JSON; does it repeat aliases?")


def _least_length(value: Any, known: dict[int, int]) -> int:
    """Return how long a value is as JSON at least; what aliases share is looked at once, and `known` then."""
    if not isinstance(value, dict | list):
        return len(value) if isinstance(value, str) else 1
    if id(value) not in known:
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        known[id(value)] = 2 + sum(_least_length(each, known) for each in parts)
    return known[id(value)]


def pretty(document: dict[str, Any]) -> str:
    """Return the text of a contract as it is committed, with sorted keys so that releases can be diffed."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _parse(path: str, text: str) -> Any:
    start = text.lstrip()
    if not start:
        raise NotASpecification(f"{path} is empty; was the download finished?")
    if re.search(r"^<{7} ", text, re.MULTILINE):
        raise NotASpecification(f"{path} has the conflict markers of git; finish the merge first")
    if start.startswith("<"):
        raise NotASpecification(
            f"{path} is HTML or XML, not an OpenAPI document; it may be a sign-in or an error page"
        )
    if "Traceback (most recent call last)" in text:
        raise NotASpecification(
            f"{path} is the traceback of a Python program instead of its output; "
            "generate the specification again"
        )
    if start[0] in "{[":
        return _parse_json(path, text)
    try:
        return yaml.load(text, _JsonLoader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise NotASpecification(f"{path} is neither JSON nor YAML: {_yaml_words(error)}") from error


def _yaml_words(error: yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return str(error).splitlines()[0]
    mark = error.problem_mark
    return f"{error.problem or error.context} at line {mark.line + 1} column {mark.column + 1}"


def _parse_json(path: str, text: str) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            raise NotASpecification(
                f"{path} is cut off: its JSON ends at {place} before it is complete; download it again"
            ) from error
        raise NotASpecification(f"{path} is not valid JSON at {place}: {error.msg}") from error


class _BadValue(Exception):
    """A parser accepts the value, but no two tools agree what it means."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _BadValue(f"has the key {key!r} twice in one object; delete one of them")
        found[key] = value
    return found


def _refuse_constant(name: str) -> None:
    raise _BadValue(f"contains {name}, which is not JSON; use a number, or a string")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse_constant(text)
    return number


class _JsonLoader(yaml.SafeLoader):
    """A safe loader of the YAML that OpenAPI allows: what means the same in JSON, and no key twice.

    PyYAML reads YAML 1.1, in which `on` and `no` are truth values, 010 is 8, and a date is no text.
    """

    yaml_implicit_resolvers = {}  # noqa: RUF012 - as its base has it

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """Return the mapping of a node."""
        keys = [key.value for key, _ in node.value if key.value != "<<"]
        for key in keys:
            if keys.count(key) > 1:
                raise _BadValue(f"has the key {key!r} twice in one object; delete one of them")
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        for value in mapping.values():
            if isinstance(value, float) and not math.isfinite(value):
                _refuse_constant(str(value))
        # A status is a number in YAML unless it is quoted; in JSON all keys are texts.
        texts = {str(key) if type(key) is int else key: value for key, value in mapping.items()}
        for key in texts:
            if not isinstance(key, str):
                raise _BadValue(f"has the key {key!r}, which is no text; quote it")
        return texts


for _kind, _pattern, _first in (
    ("null", r"~|null|", "~n"),
    ("bool", r"true|false", "tf"),
    ("int", r"-?(0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?|-?\.(inf|nan)", "-0123456789."),
    ("merge", r"<<", "<"),
):
    _resolver = re.compile(rf"(?:{_pattern})\Z")
    _JsonLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", _resolver, ["", *_first])


def _openapi(path: str, document: Any) -> dict[str, Any]:
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
        place = "/".join(map(str, error.absolute_path))
        words = error.message.splitlines()[0][:_MAX_WORDS]
        raise NotASpecification(f"{path} is no valid OpenAPI document: {words}, at {place}")
    _check_parts(path, document)
    _check_servers(path, document)
    return document


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
            raise _BadValue(f"has the $ref {target!r}, which is no text")
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
