"""A version's metadata schema, as somebody else wrote it: validated in bounded time, with the limit named.

A schema may refer to itself, be nested a thousand levels deep, or hold a pattern that takes forever. Each is
a fault that is told; a pattern costs two seconds at most. Nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ._metadata import referred
from ._patterns import PatternTooSlow, is_cheap, matches

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

_MAX_SCHEMAS = 20_000  # that one comes to, counted each time that one is referred to
_MAX_PROPERTY_NAME = 256  # characters for which a pattern of property names must be cheap
_NO_SCHEMAS = frozenset({"$defs", "definitions", "enum", "const", "default", "examples", "required"})


def schema_validator(schema: Any) -> Validator:
    """Return a validator for a schema, of the draft that it names.

    Raises ValueError for a schema that is none, or is too complex to be checked.
    """
    # Here, because most calls of a client never come this way.
    import jsonschema
    from referencing import Registry

    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        _check_size(schema)
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise ValueError(_short(error.message)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    bounded = jsonschema.validators.extend(kind, {"pattern": _check_pattern})  # type: ignore[no-untyped-call]
    # An empty registry: the default one would fetch what a schema refers to.
    validator: Validator = bounded(schema, registry=Registry())
    return validator


def schema_problems(validator: Validator, metadata: Any) -> Iterator[str]:
    """Yield what is wrong with metadata, by the places in it."""
    from referencing.exceptions import Unresolvable

    try:
        errors = sorted(validator.iter_errors(metadata), key=lambda error: error.json_path)
    except Unresolvable as error:
        yield f"the version's schema refers to {error.ref!r}, which it does not hold"
        return
    except RecursionError:
        yield "the version's schema refers to itself without end, so nothing can be checked by it"
        return
    for each in map(_deepest, errors):
        yield f"{each.json_path.replace('$', 'metadata', 1)}: {_short(each.message)}"


def _deepest(error: ValidationError) -> ValidationError:
    """Return the error that names the limit, where none of several alternatives fits."""
    while error.context:
        # An alternative of another type, such as null, is not the one that was meant.
        error = max(error.context, key=lambda each: (each.validator != "type", len(each.absolute_path)))
    return error


def _check_pattern(
    _validator: object, pattern: str, text: object, _schema: object
) -> Iterator[ValidationError]:
    """Check a text against a pattern; a keyword of jsonschema."""
    from jsonschema import ValidationError

    if not isinstance(text, str):
        return
    try:
        if not matches(pattern, text):
            yield ValidationError(f"{text!r} does not match {pattern!r}")
    except PatternTooSlow:
        yield ValidationError(f"whether it matches {pattern!r} takes too long to find out")
    except (re.error, RecursionError, OverflowError) as error:
        yield ValidationError(f"the version's pattern {pattern!r} can't be used: {error}")


def _check_size(root: Any) -> None:
    """Raise ValueError for a schema that comes to too many others, or has a costly pattern for names."""
    count = 0
    open_schemas: list[tuple[Any, frozenset[str]]] = [(root, frozenset())]
    while open_schemas:
        schema, references = open_schemas.pop()
        count += 1
        if count > _MAX_SCHEMAS:
            raise ValueError("it is too complex to be checked")
        if isinstance(schema, list):
            open_schemas += [(each, references) for each in schema]
        if not isinstance(schema, dict):
            continue
        _check_names(schema.get("patternProperties"))
        open_schemas += [(each, references) for name, each in schema.items() if name not in _NO_SCHEMAS]
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference not in references:
            open_schemas.append((referred(reference, root), references | {reference}))


def _check_names(patterns: Any) -> None:
    for pattern in patterns if isinstance(patterns, dict) else ():
        if not is_cheap(pattern, _MAX_PROPERTY_NAME):
            raise ValueError(f"its pattern {_short(pattern)!r} takes too long to evaluate")


def _short(text: str) -> str:
    return text if len(text) <= 300 else text[:299] + "…"
