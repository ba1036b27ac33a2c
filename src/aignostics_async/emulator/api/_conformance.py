"""Checks the emulator's API answers against the document of the contract that they are given under.

For tests. `--violations FILE` enables the check for one emulator, AIGNOSTICS_EMULATOR_VIOLATIONS for every
emulator that a process starts. Each violation appends one line to the file: a JSON object with `contract`,
`operation`, `status`, `path` (a JSON path in the body) and `message`. It is written before the end of the
answer is sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

import jsonschema_rs
from attrs import define, frozen
from starlette.datastructures import Headers
from starlette.routing import compile_path

from .._operations import API_PATH
from ._contract import DOCUMENT_PATH, load_document
from ._undocumented import BY_ITSELF

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Requests are checked by jsonschema, whose words the 422 repeats; a page takes it 25 times as long.
Validator = jsonschema_rs.Draft202012Validator


@frozen
class Schema:
    """A schema of the contract; `describes` is whether it says anything."""

    validator: Validator
    describes: bool


# Schemas by media type; empty if the contract documents no body.
Content = dict[str, Schema]

_MAX_MESSAGE = 500
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@frozen
class DocumentedOperation:
    """One operation of the contract, with the documented content of each status."""

    name: str
    answers: dict[int, Content]


@define
class ObservedResponse:
    """The answer to one request, as far as it was sent."""

    status: int = 0
    media_type: str = ""
    body: bytes = b""
    is_disconnected: bool = False


class Conformance:
    """The ASGI layer that checks API answers against the contract and records violations.

    It belongs below the fault injector, so that it sees no injected answers.
    """

    def __init__(self, app: ASGIApp, contract: str, violations: Path) -> None:
        self._app = app
        self._contract = contract
        self._violations = violations
        self._paths = _documented_paths(contract)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection event."""
        if not _is_in_contract(scope):
            await self._app(scope, receive, send)
            return
        operation = self._operation(scope["method"], scope["path"])
        answer = ObservedResponse()

        async def listen() -> Message:
            message = await receive()
            answer.is_disconnected |= message["type"] == "http.disconnect"
            return message

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                given = Headers(raw=message["headers"]).get("content-type", "")
                answer.media_type = given.partition(";")[0].strip().lower()
            elif message["type"] == "http.response.body":
                answer.body += message.get("body", b"")
                if not message.get("more_body") and not answer.is_disconnected:
                    self._judge(operation, answer)
            await send(message)

        await self._app(scope, listen, tell)

    def _operation(self, method: str, path: str) -> DocumentedOperation:
        for pattern, template, operations in self._paths:
            if pattern.match(path):
                return operations.get(method, DocumentedOperation(f"{method} {template}", {405: {}}))
        return DocumentedOperation(f"{method} {path}", {404: {}})

    def _judge(self, operation: DocumentedOperation, answer: ObservedResponse) -> None:
        lines = [
            json.dumps(
                {
                    "contract": self._contract,
                    "operation": operation.name,
                    "status": answer.status,
                    "path": path,
                    "message": message[:_MAX_MESSAGE],
                }
            )
            for path, message in find_violations(operation.answers, answer, BY_ITSELF[self._contract])
        ]
        if lines:
            with self._violations.open("a", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in lines))


def _is_in_contract(scope: Scope) -> bool:
    path: str = scope.get("path", "")
    return scope["type"] == "http" and path.startswith(f"{API_PATH}/") and path != API_PATH + DOCUMENT_PATH


def find_violations(
    documented: dict[int, Content], answer: ObservedResponse, undocumented: Container[int]
) -> Iterator[tuple[str, str]]:
    """Yield each violation as a JSON path in the body and a message; `undocumented` statuses are none."""
    content = documented.get(answer.status)
    if content is None:
        if answer.status not in undocumented:
            yield "$", "the status is neither documented nor in the list of undocumented ones"
    elif answer.status == 204:
        if answer.body:
            yield "$", "there is a body, and the status says that there is none"
    elif content:
        yield from _content_violations(content, answer)


def _content_violations(content: Content, answer: ObservedResponse) -> Iterator[tuple[str, str]]:
    schema = content.get(answer.media_type)
    if schema is None:
        if not any(each.describes for each in content.values()):
            # What the framework writes for an answer that nobody has described, such as the bytes of a file.
            return
        yield "$", f"the media type is {answer.media_type!r}; documented is {', '.join(content)}"
        return
    try:
        value = json.loads(answer.body)
    except ValueError as refused:
        yield "$", f"the body is not JSON: {refused}"
        return
    for error in schema.validator.iter_errors(value):
        yield _json_path(error.instance_path), error.message


def _json_path(steps: Iterable[str | int]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


@cache
def _documented_paths(
    contract: str,
) -> list[tuple[re.Pattern[str], str, dict[str, DocumentedOperation]]]:
    """Return each path of the contract as a pattern and a template, with its operations by method.

    Kept for the next one: emulators are reset by the thousand in tests.
    """
    document = load_document(contract)
    paths = []
    for template, operations in document["paths"].items():
        by_method = {}
        for method, operation in operations.items():
            answers = {
                int(status): {
                    media_type: Schema(
                        Validator(
                            {**kind["schema"], "components": document["components"]},
                            validate_formats=True,
                            formats=_FORMATS,
                        ),
                        describes=bool(kind["schema"]),
                    )
                    for media_type, kind in response.get("content", {}).items()
                }
                for status, response in operation["responses"].items()
            }
            by_method[method.upper()] = DocumentedOperation(f"{method.upper()} {template}", answers)
        paths.append((compile_path(API_PATH + template)[0], template, by_method))
    return paths


def _is_uuid(value: str) -> bool:
    # UUID also accepts braces and missing hyphens; the contract's format does not.
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


def _is_uri(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return (
        bool(parts.scheme and parts.netloc) and value.isascii() and not re.search(r"[\s<>\"{}|\\^`]", value)
    )


def _is_date_time(value: str) -> bool:
    try:
        return bool(_DATE_TIME.fullmatch(value) and datetime.fromisoformat(value))
    except ValueError:
        return False


_FORMATS = {"uuid": _is_uuid, "uri": _is_uri, "date-time": _is_date_time}
