"""Validation of requests against the contract, with errors in the shape of the contract's 422."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

import jsonschema
from starlette.responses import JSONResponse, Response

from ._contract import load_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.datastructures import QueryParams
    from starlette.requests import Request


class InvalidRequest(Exception):
    """The request violates the contract; `faults` holds its ValidationErrors as JSON objects."""

    def __init__(self, faults: list[dict[str, Any]]) -> None:
        super().__init__(faults)
        self.faults = faults


async def answer_invalid(_request: Request, error: Exception) -> Response:
    """Return the 422 for an InvalidRequest; the exception handler of the application."""
    assert isinstance(error, InvalidRequest)  # noqa: S101 - Starlette's type for handlers is wider
    return JSONResponse({"detail": error.faults}, status_code=422)


def validation_error(location: list[str | int], message: str, kind: str = "value_error") -> dict[str, Any]:
    """Return a ValidationError of the contract."""
    return {"loc": location, "msg": message, "type": kind}


class RequestValidator:
    """Checks of parameters and bodies against the document of a contract."""

    def __init__(self, contract: str) -> None:
        self._document = load_document(contract)
        self._formats = jsonschema.FormatChecker(formats=())
        self._formats.checks("uuid", ValueError)(_is_uuid)
        self._formats.checks("uri", ValueError)(_is_uri)
        self._formats.checks("date-time", ValueError)(_is_date_time)

    def operations(self) -> Iterator[tuple[str, str]]:
        """Yield the path and the method of each operation."""
        for path, methods in self._document["paths"].items():
            for method in methods:
                yield path, method

    def parameters(
        self, path: str, method: str, query: QueryParams, path_params: Mapping[str, str]
    ) -> dict[str, Any]:
        """Return the parameters of a request with their defaults; raises InvalidRequest."""
        values: dict[str, Any] = {}
        faults: list[dict[str, Any]] = []
        for parameter in self._document["paths"][path][method].get("parameters", ()):
            name, place, schema = parameter["name"], parameter["in"], parameter["schema"]
            given = [path_params[name]] if place == "path" else query.getlist(name)
            if not given:
                values[name] = schema.get("default")
                continue
            values[name] = _coerced(given, schema)
            faults += [
                validation_error([place, name, *error.path], error.message, str(error.validator))
                for error in self._errors(schema, values[name])
            ]
        if faults:
            raise InvalidRequest(faults)
        return values

    def has_body(self, path: str, method: str) -> bool:
        """Return whether requests of an operation have a body."""
        return "requestBody" in self._document["paths"][path][method]

    async def body(self, path: str, method: str, request: Request) -> Any:
        """Return the JSON body of a request; raises InvalidRequest."""
        try:
            body = json.loads(await request.body())
            # NaN is no JSON, and half a surrogate pair is valid JSON but not text.
            json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        except (ValueError, RecursionError) as error:
            raise InvalidRequest(
                [validation_error(["body"], f"JSON decode error: {error}", "json_invalid")]
            ) from None
        content = self._document["paths"][path][method]["requestBody"]["content"]
        schema = content["application/json"]["schema"]
        faults = [
            validation_error(["body", *error.path], error.message, str(error.validator))
            for error in self._errors(schema, body)
        ]
        if faults:
            raise InvalidRequest(faults)
        return body

    def _errors(self, schema: dict[str, Any], value: Any) -> Iterator[jsonschema.ValidationError]:
        rooted = {**schema, "components": self._document["components"]}
        validator = jsonschema.Draft202012Validator(rooted, format_checker=self._formats)
        for error in validator.iter_errors(value):
            # Under `anyOf` with null the real error is one level down.
            yield min(error.context, key=lambda each: each.validator == "type") if error.context else error


def _coerced(given: list[str], schema: dict[str, Any]) -> Any:
    """Return the values of a parameter as its schema's type; unchanged if they do not convert."""
    kinds = {kind.get("type") for kind in (schema, *schema.get("anyOf", ()))}
    if "array" in kinds:
        return given
    if "boolean" in kinds:
        return {"true": True, "false": False}.get(given[-1].lower(), given[-1])
    if "integer" in kinds:
        try:
            return int(given[-1])
        except ValueError:
            return given[-1]
    return given[-1]


def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or bool(UUID(value))


def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme and urlsplit(value).netloc)


def _is_date_time(value: object) -> bool:
    # A time without an offset names no moment.
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None
