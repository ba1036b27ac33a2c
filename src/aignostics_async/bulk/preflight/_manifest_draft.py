"""A manifest to fill in: a line for each slide, and a column for each field that a version asks for.

Written for spreadsheets, which change what looks like a number, a date or a formula: paths are absolute,
references that they would change begin with `./`, and numbers have the decimal sign of the spreadsheet.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from attrs import evolve, frozen

from ..._core._display_text import visible
from ...models import ApplicationVersion
from ...submission._metadata import properties, referred, slide_metadata
from ._findings import Finding
from ._inspection import InspectedSlide, inspect_slides
from ._manifest_paths import manifest_path
from ._requirements import Requirements

if TYPE_CHECKING:
    from ..._client import Client
    from ...slides import SlideInfo

_KNOWN = ("path", "reference", "mpp", "mpp_source")
# What a spreadsheet computes, or takes for a number, a date or a truth value.
_CHANGED = re.compile(
    r"[=+\-@\t\r'].*|[\d\s.,:;/\\%eE+\-]+|(?:true|false|wahr|falsch|vrai|faux)"
    r"|(?=.*\d)\d{0,4}\W?(?:jan(?:uary?)?|feb(?:ruary?)?|mar(?:ch)?|märz?|apr(?:il)?|may|mai|june?|juni|july?"
    r"|juli|aug(?:ust)?|sept?(?:ember)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)\W?\d{0,4}",
    re.IGNORECASE | re.DOTALL,
)


@frozen
class MetadataField:
    """A field of an application version's metadata schema, as a column of a manifest.

        for field in draft.fields:
            print(field.column, field.type, field.allowed, field.limits)

    `column` has dots for fields of objects, such as `specimen.tissue`. `is_required` tells if the version
    requires it. `type` is the JSON type, or several joined by `or`. `allowed` is a tuple of the allowed
    values as texts, empty if the schema lists none. `limits` and `description` are texts for people. All
    texts but `column` may be empty.
    """

    column: str
    """The name of the column."""
    is_required: bool
    """Whether the version requires it."""
    type: str
    """The JSON type, such as `string`; several joined by `or`, and empty if the schema names none."""
    allowed: tuple[str, ...]
    """The allowed values; empty if the schema lists none."""
    limits: str
    """Further limits, such as `at least 0.05, at most 5`; may be empty."""
    description: str
    """The description in the schema; may be empty."""


@frozen
class ManifestDraft:
    """A manifest to fill in, for `Sources(manifest=...)`.

        draft = await draft_manifest(client, "he-tme:v1.1.0", "lab/")
        Path("slides.csv").write_text(draft.slides_csv(), encoding="utf-8-sig", newline="")

    `rows` has a mapping for each slide, in the order of `Inspection.slides`, from column to text or number; a
    column whose value is not known is absent. `fields` has a `MetadataField` for each metadata column, and
    `faults` a `Finding` for what is wrong with the slides, such as a missing resolution. All are tuples, and
    may be empty.
    """

    rows: tuple[Mapping[str, Any], ...]
    """A mapping for each slide, from column to the text or number that is known."""
    fields: tuple[MetadataField, ...]
    """The columns for metadata."""
    faults: tuple[Finding, ...]
    """What is wrong with the slides, such as a missing resolution; empty if nothing is."""

    def slides_csv(self, *, semicolons: bool = False) -> str:
        """Return the manifest as CSV, with a line per slide after the one with the columns.

            Path("slides.csv").write_text(draft.slides_csv(), encoding="utf-8-sig", newline="")

        The columns are `path`, `reference`, `mpp`, `mpp_source` and those of `fields`; lines end with CR LF.
        With `semicolons=True` (False by default), cells are separated by semicolons and numbers have decimal
        commas, as spreadsheets of some countries expect. Fractions are rounded to 10 significant digits. A
        text that a spreadsheet would change, such as a number or a formula, gets `./` in front. Control and
        invisible characters are written as `‹U+200B›`, which is read back as the character.
        """
        columns = [*_KNOWN, *(each.column for each in self.fields)]
        rows = ([_cell(row.get(column), semicolons=semicolons) for column in columns] for row in self.rows)
        return _csv([columns, *rows], semicolons=semicolons)

    def fields_csv(self, *, semicolons: bool = False) -> str:
        """Return a table of the metadata columns as CSV, with a line per `MetadataField`.

            Path("fields.csv").write_text(draft.fields_csv(), encoding="utf-8-sig", newline="")

        The columns are `column`, `required` (yes or no), `type`, `allowed values` (separated by ` | `),
        `limits` and `description`; lines end with CR LF. With `semicolons=True` (False by default), cells are
        separated by semicolons. Texts are written as by `slides_csv`.
        """
        head = ["column", "required", "type", "allowed values", "limits", "description"]
        rows = [
            (
                each.column,
                "yes" if each.is_required else "no",
                each.type,
                " | ".join(each.allowed),
                each.limits,
                each.description,
            )
            for each in self.fields
        ]
        return _csv([head, *([_harmless(cell) for cell in row] for row in rows)], semicolons=semicolons)


async def draft_manifest(
    client: Client, application_version: str, *places: str | os.PathLike[str], artifact: str | None = None
) -> ManifestDraft:
    """Read slides, and return a manifest with a column for each metadata field of an application version.

        draft = await draft_manifest(client, "he-tme:v1.1.0", "lab/")
        Path("slides.csv").write_text(draft.slides_csv(), encoding="utf-8-sig", newline="")

    `places` are those of `inspect_slides`. Values that can be read from a slide are filled in, apart from its
    checksum, which is computed when the file is sent. Slides with faults have a line, too. `artifact` names
    the input artifact; None, the default, uses the version's only one.

    Costs one request, and what `inspect_slides` costs. Raises UsageError for a text that is not a version id;
    NotFound if there is no such version; ConfigurationError for one that needs several inputs per item or has
    an unusable schema, or for an unknown `artifact`; the errors of requests that `Pager` names; and what
    `inspect_slides` raises.
    """
    version = await client.applications.version(application_version)
    spec = _spec(version, artifact)
    inspection = await inspect_slides(*places)
    fields = tuple(metadata_fields(spec))
    rows, faults = [], list(inspection.faults)
    for slide in inspection.slides:
        path = await anyio.to_thread.run_sync(manifest_path, slide, inspection.slides)
        faults += [*slide.faults, *([path] if isinstance(path, Finding) else [])]
        named = slide if isinstance(path, Finding) else evolve(slide, path=path)
        rows.append(_row(named, spec, {each.column for each in fields}))
    return ManifestDraft(tuple(rows), fields, tuple(faults))


def _spec(version: ApplicationVersion, artifact: str | None) -> Mapping[str, Any]:
    return Requirements(version, artifact).spec.metadata_schema


def metadata_fields(schema: Mapping[str, Any]) -> Iterator[MetadataField]:
    """Give the fields of a schema that a person can fill in, those of objects with dots. Pure."""
    yield from _fields(schema, schema, "", frozenset(), is_required=True)


def _fields(
    schema: Any, root: Mapping[str, Any], prefix: str, above: frozenset[int], *, is_required: bool
) -> Iterator[MetadataField]:
    required = {name for each in _parts(schema, root) for name in _list(each.get("required"))}
    by_name: dict[str, list[Any]] = {}
    for name, inner in properties(schema, root):
        by_name.setdefault(name, []).append(inner)
    for name, schemas in by_name.items():
        parts = [part for each in schemas for part in _parts(each, root)]
        is_needed = is_required and name in required
        inner = {"allOf": schemas}
        own = frozenset(map(id, parts))
        # A schema that refers to itself is one column, of JSON.
        if own.isdisjoint(above) and any(True for _ in properties(inner, root)):
            yield from _fields(inner, root, f"{prefix}{name}.", above | own, is_required=is_needed)
        elif "checksum" not in name:
            yield _field(f"{prefix}{name}", parts, is_required=is_needed)


def _parts(schema: Any, root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a schema and those that it is combined of, each once."""
    seen: dict[int, Mapping[str, Any]] = {}
    waiting = [schema]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping) and id(each) not in seen:
            seen[id(each)] = each
            waiting += [part for key in ("allOf", "anyOf", "oneOf") for part in _list(each.get(key))]
            waiting.append(referred(each.get("$ref"), root))
    return list(seen.values())


def _field(column: str, parts: Sequence[Mapping[str, Any]], *, is_required: bool) -> MetadataField:
    kinds = [str(kind) for part in parts for kind in _as_list(part.get("type")) if kind != "null"]
    allowed = [value for part in parts for value in (*_list(part.get("enum")), *_constant(part))]
    limits = [f"{name} {_plain(part[key])}" for part in parts for key, name in _LIMITS.items() if key in part]
    told = [str(part["description"]) for part in parts if "description" in part]
    return MetadataField(
        column=column,
        is_required=is_required,
        type=" or ".join(dict.fromkeys(kinds)),
        allowed=tuple(_plain(value) for value in allowed if value is not None),
        limits=", ".join(dict.fromkeys(limits)),
        description=" ".join(dict.fromkeys(told)),
    )


_LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
    "minLength": "shortest length",
    "maxLength": "longest length",
    "pattern": "pattern",
    "format": "format",
}


def _row(slide: InspectedSlide, schema: Mapping[str, Any], columns: set[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"path": slide.path, "reference": slide.reference}
    return {**row, **_facts(slide.info, schema, columns)} if slide.info is not None else row


def _facts(info: SlideInfo, schema: Mapping[str, Any], columns: set[str]) -> dict[str, Any]:
    facts = slide_metadata(schema, info, "")
    return {name: value for name, value in facts.items() if name in columns}


def _cell(value: Any, *, semicolons: bool) -> str:
    if isinstance(value, float):
        text = format(value, ".10g")  # more digits than a spreadsheet shows do not come back
        return text.replace(".", ",") if semicolons else text
    return "" if value is None else str(value) if isinstance(value, int) else _harmless(str(value))


def _harmless(text: str) -> str:
    """Return a text that no spreadsheet changes; a reference that it would change begins with `./`."""
    return f"./{text}" if _CHANGED.fullmatch(text) and not text.startswith("./") else text


def _csv(rows: Iterable[Sequence[str]], *, semicolons: bool) -> str:
    file = io.StringIO(newline="")
    shown = ([visible(cell) for cell in row] for row in rows)
    csv.writer(file, delimiter=";" if semicolons else ",", lineterminator="\r\n").writerows(shown)
    return file.getvalue()


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _constant(part: Mapping[str, Any]) -> Sequence[Any]:
    return [part["const"]] if "const" in part else []


def _as_list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []
