"""Read a specification, or say why the file is not one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml


class NotASpecification(Exception):
    """The file is not an OpenAPI 3 document; the text says what it is and what to do."""


def read(path: Path) -> dict[str, Any]:
    """Return the OpenAPI document in a JSON or YAML file. Raises NotASpecification."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise NotASpecification(f"{path} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise NotASpecification(f"{path} is not a text file: byte {error.start} is not UTF-8") from error
    return _openapi(path, _parse(path, text))


def pretty(document: dict[str, Any]) -> str:
    """Return the text of a contract as it is committed, with sorted keys so that releases can be diffed."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _parse(path: Path, text: str) -> Any:
    start = text.lstrip()
    if not start:
        raise NotASpecification(f"{path} is empty; was the download finished?")
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
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise NotASpecification(f"{path} is neither JSON nor YAML: {str(error).splitlines()[0]}") from error


def _parse_json(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}"
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            raise NotASpecification(
                f"{path} is cut off: its JSON ends at {place} before it is complete; download it again"
            ) from error
        raise NotASpecification(f"{path} is not valid JSON at {place}: {error.msg}") from error
    except RecursionError as error:
        raise NotASpecification(f"{path} is nested too deeply") from error


def _openapi(path: Path, document: Any) -> dict[str, Any]:
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
    return document
