"""Validation of requests against the contract, with errors in the shape of the contract's 422."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

import jsonschema
from starlette.responses import JSONResponse, Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from starlette.datastructures import QueryParams
    from starlette.requests import Request


API_PATH = "/api"
"""The base path of the contract's `servers`."""


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


def load_contract() -> dict[str, Any]:
    """Return openapi.json."""
    here = Path(__file__).resolve()
    # Beside this file in an installed wheel, at the top of a checkout.
    for path in (here.with_name("openapi.json"), here.parents[3] / "openapi.json"):
        if path.is_file():
            contract: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return contract
    raise FileNotFoundError("openapi.json is missing; install the package again")


class RequestValidator:
    """Checks of parameters and bodies against openapi.json."""

    def __init__(self) -> None:
        self._document = load_contract()
        self._formats = jsonschema.FormatChecker(formats=())
        self._formats.checks("uuid", ValueError)(_is_uuid)
        self._formats.checks("uri", ValueError)(_is_uri)

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

    async def body(self, path: str, method: str, request: Request) -> Any:
        """Return the JSON body of a request; raises InvalidRequest."""
        try:
            body = json.loads(await request.body())
            json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair is valid JSON but not text
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
    kinds = [schema, *schema.get("anyOf", ())]
    if any(kind.get("type") == "array" for kind in kinds):
        return given
    if schema.get("type") == "integer":
        try:
            return int(given[-1])
        except ValueError:
            return given[-1]
    return given[-1]


def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or bool(UUID(value))


def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme and urlsplit(value).netloc)
