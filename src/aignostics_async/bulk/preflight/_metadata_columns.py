"""From the cells of a table, which are all text, to metadata as a version's schema wants it. Pure.

`12` is a number where the schema wants one, and a text where it wants that; a spreadsheet's `TRUE` and `0,25`
count as what they mean. What the schema does not say is read as JSON if it is some.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ...submission._metadata import properties
from ...submission._schema import fits

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

# As spreadsheets of other languages write them.
_TRUTH = {"wahr": True, "falsch": False, "vrai": True, "faux": False, "verdadero": True, "falso": False}
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")


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
                if not isinstance(inner := place.get(step), dict):
                    inner = place[step] = {}
                place = inner
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
