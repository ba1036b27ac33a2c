"""From texts, as cells of a table and options of a command are, to metadata as a version's schema wants it.

`12` is a number where the schema wants one, and a text where it wants that; a spreadsheet's `TRUE` and `0,25`
count as what they mean. What the schema does not say is read as JSON if it is some.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ._metadata import properties
from ._schema import fits, schema_validator

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

    from ..models import ApplicationVersion

# As spreadsheets of other languages write them.
_TRUTH = {"wahr": True, "falsch": False, "vrai": True, "faux": False, "verdadero": True, "falso": False}
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")


def read_metadata(version: ApplicationVersion | None, texts: Mapping[str, str]) -> dict[str, Any]:
    """Convert metadata that are given as texts to JSON values, as the schema of a version requires them.

        facts = read_metadata(version, {"specimen.tissue": "LUNG", "resolution_mpp": "0.25"})
        slide = Slide("case-7.svs", metadata=facts)

    The keys of `texts` are names of properties. A dot leads into an object, unless the schema has a property
    of that very name; a key `a.b` replaces the value of a key `a` that is no object. A text that is JSON
    becomes that value if the schema accepts it: `"3"` is a number, or a text if the schema asks for one. A
    number with a decimal comma, such as `0,25`, and TRUE or FALSE in any case count as JSON; so do `wahr`,
    `vrai`, `verdadero` and their opposites if the schema asks for a boolean. Where the schema accepts neither
    value nor text, or says nothing of the property, every text that is JSON becomes its value; also for a
    version that does not have exactly one input or has an unusable schema, and with None, for custom
    metadata.

    Returns a new dict of JSON values. Sends no request, and blocks, for each pattern of a hostile schema some
    20 s at most. Faulty values and schemas raise nothing: `Runs.submit` reports them.
    """
    specs = () if version is None else version.input_artifacts
    schemas = [spec.metadata_schema for spec in specs]
    schema = schemas[0] if len(schemas) == 1 else {}
    try:
        validator = schema_validator(schema)
    except ValueError:  # `runs.submit` tells it
        return CellReader({}, None).read(texts)
    return CellReader(schema, validator).read(texts)


class CellReader:
    """Reads cells for one schema; remembers what it has read, for a column repeats itself."""

    def __init__(self, schema: Mapping[str, Any], validator: Validator | None) -> None:
        self._schema = schema
        self._validator = validator
        self._known: dict[tuple[str, str], Any] = {}

    def read(self, cells: Mapping[str, str]) -> dict[str, Any]:
        """Return the metadata that cells say, by the names of their columns."""
        metadata: dict[str, Any] = {}
        for column in sorted(cells, key=lambda name: name.count(".")):
            place = metadata
            *outer, name = self._steps(column)
            for step in outer:
                inner = place.get(step)
                # A copy: what is remembered of one cell must not grow by the next.
                place[step] = dict(inner) if isinstance(inner, dict) else {}
                place = place[step]
            place[name] = self._value(column, cells[column])
        return metadata

    def _steps(self, column: str) -> Sequence[str]:
        """Return the names that lead to a field; a dot may also belong to a name."""
        if any(name == column for name, _ in properties(self._schema, self._schema)):
            return [column]
        steps = column.split(".")
        return steps if all(steps) else [column]

    def _value(self, column: str, text: str) -> Any:
        key = (column, text)
        if key not in self._known:
            self._known[key] = self._fitting(self._schemas(self._steps(column)), list(_meanings(text)))
        return self._known[key]

    def _schemas(self, steps: Sequence[str]) -> list[Any]:
        found: list[Any] = [self._schema]
        for step in steps:
            found = [
                inner for outer in found for name, inner in properties(outer, self._schema) if name == step
            ]
        return found

    def _fitting(self, schemas: Sequence[Any], meanings: Sequence[Any]) -> Any:
        """Return the first meaning that fits one of the schemas; the likeliest if none does."""
        if self._validator is not None:
            # A schema that can't be applied is a fault of its own, told for each slide.
            for meaning in meanings:
                if any(fits(self._validator, schema, meaning) for schema in schemas):
                    return meaning
        return meanings[0]


def _meanings(text: str) -> Iterator[Any]:
    try:
        yield msgspec.json.decode(text)
    except (ValueError, RecursionError):
        if text.lower() in ("true", "false"):
            yield text.lower() == "true"
        if _DECIMAL_COMMA.fullmatch(text):
            yield float(text.replace(",", "."))
    yield text
    if text.lower() in _TRUTH:
        yield _TRUTH[text.lower()]
