"""A version's metadata schema, as somebody else wrote it: validated in bounded time, with the limit named.

A schema may refer to itself, be nested a thousand levels deep, double with each reference, list a million
values, or hold a pattern that takes forever. Each is a fault that is told; a pattern costs two seconds at
most. Nothing is fetched.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any

from ._patterns import PatternTooSlow, is_cheap, matches

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

_MAX_VALUES = 100_000  # JSON values in a schema, those of its enums included
_MAX_SCHEMAS = 8_000  # objects among them
_MAX_EXPANDED = 20_000  # schemas that one comes to, counted each time that one is referred to
_MAX_STEPS = 100_000  # keywords that are evaluated for the metadata of one artifact
_MAX_PROBLEMS = 100  # that are told of one artifact
_MAX_PATTERN = 1_000  # characters
_MAX_PROPERTY_NAME = 256  # characters for which a pattern of property names must be cheap
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")

_NONE_LEFT = object()
_steps: ContextVar[Iterator[None]] = ContextVar("steps")
"""One for each keyword that may still be evaluated."""


class _TooComplex(Exception):
    """A schema takes longer than it may."""


def schema_validator(schema: Any) -> Validator:
    """Return a validator for a schema, of the draft that it names.

    Raises ValueError for a schema that is none, or is too complex to be checked.
    """
    # Here, because most calls of a client never come this way.
    import jsonschema
    from referencing import Registry

    if not isinstance(schema, dict):
        raise ValueError(f"it is {_short(repr(schema))}, and a schema is an object")  # noqa: TRY004
    try:
        _check_values(schema)
        kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
        kind.check_schema(schema)
        schema = _without_dialects(schema)
        _check_references(schema)
    except jsonschema.SchemaError as error:
        raise ValueError(_short(error.message)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the library makes of what is no schema
        raise ValueError(f"it is malformed: {_short(str(error))}") from None
    keywords = {**kind.VALIDATORS, **_OWN_KEYWORDS}
    counted = {name: _counted(check) for name, check in keywords.items()}
    bounded = jsonschema.validators.extend(kind, counted)  # type: ignore[no-untyped-call]
    # An empty registry: the default one would fetch what a schema refers to.
    validator: Validator = bounded(schema, registry=Registry())
    return validator


def schema_problems(validator: Validator, metadata: Any) -> Iterator[str]:
    """Yield what is wrong with metadata, by the places in it."""
    from referencing.exceptions import Unresolvable

    _steps.set(iter([None] * _MAX_STEPS))
    try:
        found = list(islice(validator.iter_errors(metadata), _MAX_PROBLEMS))
    except Unresolvable as error:
        yield f"the version's schema refers to {_short(repr(error.ref))}, which it does not hold"
        return
    except RecursionError:
        yield "the version's schema refers to itself without end, so nothing can be checked by it"
        return
    except _TooComplex:
        yield "the version's schema takes too long to be evaluated, so nothing can be checked by it"
        return
    except Exception as error:  # noqa: BLE001 - whatever the library makes of a schema that is malformed
        yield f"the version's schema can't be applied to it: {_short(str(error))}"
        return
    for each in map(_deepest, sorted(found, key=lambda error: error.json_path)):
        yield f"{each.json_path.replace('$', 'metadata', 1)}: {_short(each.message)}"


def fits(validator: Validator, schema: Any, value: Any) -> bool:
    """Return whether a value fits a part of the schema; False where that can't be found out, or not soon."""
    _steps.set(iter([None] * _MAX_STEPS))
    try:
        return bool(validator.evolve(schema=_without_dialects(schema)).is_valid(value))
    except Exception:  # noqa: BLE001 - `schema_problems` tells it
        return False


def _without_dialects(schema: Any) -> Any:
    """Return a schema in which no part names its dialect: it would be checked by keywords of its own."""
    if isinstance(schema, list):
        return [_without_dialects(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _without_dialects(each)
        for name, each in schema.items()
        if name != "$schema" or not isinstance(each, str)
    }


def _counted(check: Any) -> Any:
    """Return a keyword of jsonschema that takes a step of the budget each time that it is evaluated."""

    def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if next(_steps.get(), _NONE_LEFT) is _NONE_LEFT:
            raise _TooComplex
        yield from check(validator, value, instance, schema) or ()

    return counted


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


def _check_unique(
    _validator: object, wanted: object, values: object, _schema: object
) -> Iterator[ValidationError]:
    """Check that the values of a list differ, in linear time; a keyword of jsonschema."""
    from jsonschema import ValidationError

    if wanted and isinstance(values, list) and len({_hashable(each) for each in values}) < len(values):
        yield ValidationError(f"{_short(repr(values))} has non-unique elements")


def _check_multiple(
    _validator: object, divisor: float, value: object, _schema: object
) -> Iterator[ValidationError]:
    """Check that a number is a multiple of another as they are written; a keyword of jsonschema.

    In binary, 0.29 is no multiple of 0.01.
    """
    from jsonschema import ValidationError

    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and Fraction(str(value)) % Fraction(str(divisor)):
        yield ValidationError(f"{value!r} is not a multiple of {divisor!r}")


_OWN_KEYWORDS = {"multipleOf": _check_multiple, "pattern": _check_pattern, "uniqueItems": _check_unique}


def _hashable(value: Any) -> Hashable:
    if isinstance(value, dict):
        return "object", frozenset((name, _hashable(each)) for name, each in value.items())
    if isinstance(value, list):
        return "array", tuple(map(_hashable, value))
    return isinstance(value, bool), value


def _check_values(root: Any) -> None:
    """Raise ValueError for a schema with too many values or objects, or with a costly pattern."""
    values = schemas = 0
    open_values = [root]
    while open_values:
        value = open_values.pop()
        values += 1
        if isinstance(value, list):
            open_values += value
        elif isinstance(value, dict):
            schemas += 1
            open_values += value.values()
            _check_pattern_length(value.get("pattern"))
            _check_names(value.get("patternProperties"))
        if values + len(open_values) > _MAX_VALUES or schemas > _MAX_SCHEMAS:
            raise ValueError("it is too complex to be checked")


def _check_references(root: Any) -> None:
    """Raise ValueError for a schema that comes to too many others by its references."""
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    whole = Resource.from_contents(root, default_specification=DRAFT202012)
    address = whole.id() or ""
    registry: Registry[Any] = Registry().with_resource(address, whole).crawl()
    count = 0
    open_schemas: list[tuple[Any, Any, frozenset[int]]] = [(root, registry.resolver(address), frozenset())]
    while open_schemas:
        schema, resolver, seen = open_schemas.pop()
        count += 1
        if count > _MAX_EXPANDED:
            raise ValueError("it is too complex to be checked")
        if isinstance(schema, dict):
            if isinstance(schema.get("$id"), str) and schema is not root:
                resolver = resolver.in_subresource(DRAFT202012.create_resource(schema))
            new = [found for found in _referred(schema, resolver) if id(found.contents) not in seen]
            open_schemas += [(each.contents, each.resolver, seen | {id(each.contents)}) for each in new]
        parts = schema.values() if isinstance(schema, dict) else schema
        open_schemas += [(each, resolver, seen) for each in parts if isinstance(each, dict | list)]


def _referred(schema: Mapping[str, Any], resolver: Any) -> Iterator[Any]:
    """Yield what the references of a schema lead to, inside the same document."""
    from referencing.exceptions import Unresolvable

    for name in _REFERENCES:
        # What can't be resolved is told when it is followed.
        with suppress(Unresolvable, ValueError):
            if isinstance(reference := schema.get(name), str):
                yield resolver.lookup(reference)


def _check_pattern_length(pattern: object) -> None:
    if isinstance(pattern, str) and len(pattern) > _MAX_PATTERN:
        raise ValueError(f"its pattern {_short(pattern)!r} is too long to be evaluated")


def _check_names(patterns: Any) -> None:
    for pattern in patterns if isinstance(patterns, dict) else ():
        _check_pattern_length(pattern)
        if not is_cheap(pattern, _MAX_PROPERTY_NAME):
            raise ValueError(f"its pattern {_short(pattern)!r} takes too long to evaluate")


def _short(text: str) -> str:
    return text if len(text) <= 300 else text[:299] + "…"
