"""Read a specification from a file or a deployment, or say why it is not one."""

from __future__ import annotations

import json
import math
import re
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import yaml

from .openapi_form import BadValue, NotASpecification, check_openapi

_OWN_DOCUMENT = "/api/v1/openapi.json"  # where a deployment shows its document, without a token
_MAX_SIZE = 32 * 1024 * 1024
_SECONDS = 60
_PIECE = 64 * 1024
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


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
        return check_openapi(name, document)
    except BadValue as error:
        reason = str(error)
    except RecursionError:
        reason = "is nested too deeply, or contains itself"
    except UnicodeEncodeError:
        reason = "contains half of a character, which no file can hold"
    except (TypeError, ValueError) as error:
        reason = f"has a value that JSON does not have: {error}"
    raise NotASpecification(f"{name} {reason}")


def _check_length(document: Any) -> None:
    """Raise BadValue for what is too long as JSON: a few aliases in YAML can stand for gigabytes."""
    is_short = _least_length(document, {}) <= _MAX_SIZE
    if not is_short or len(json.dumps(document, ensure_ascii=False).encode()) > _MAX_SIZE:
        raise BadValue(f"is longer than {_MAX_SIZE} bytes as JSON; does it repeat aliases?")


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


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise BadValue(f"has the key {key!r} twice in one object; delete one of them")
        found[key] = value
    return found


def _refuse_constant(name: str) -> None:
    raise BadValue(f"contains {name}, which is not JSON; use a number, or a string")


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
                raise BadValue(f"has the key {key!r} twice in one object; delete one of them")
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        for value in mapping.values():
            if isinstance(value, float) and not math.isfinite(value):
                _refuse_constant(str(value))
        # A status is a number in YAML unless it is quoted; in JSON all keys are texts.
        texts = {str(key) if type(key) is int else key: value for key, value in mapping.items()}
        for key in texts:
            if not isinstance(key, str):
                raise BadValue(f"has the key {key!r}, which is no text; quote it")
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
