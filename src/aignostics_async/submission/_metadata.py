"""The facts about a slide as metadata, under the names of a version's schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..models import CHECKSUM_KEYS

if TYPE_CHECKING:
    from ..slides import SlideInfo

# Versions name the same things differently; every known name that a schema has is filled.
_WIDTH = ("width", "width_px")
_HEIGHT = ("height", "height_px")
_MPP_X = ("width_mpp",)
_MPP_Y = ("height_mpp",)
_MPP = ("resolution_mpp", "base_mpp", "mpp")
_MIME_TYPE = ("mime_type", "media_type", "media-type")


def slide_metadata(schema: Mapping[str, Any], slide: SlideInfo, checksum: str) -> dict[str, Any]:
    """Return the facts about a slide that a metadata schema has properties for, under their names."""
    asked = {name for name, _ in properties(schema, schema)}
    facts: list[tuple[tuple[str, ...], Any]] = [
        (_WIDTH, slide.width),
        (_HEIGHT, slide.height),
        (_MPP_X, slide.mpp_x),
        (_MPP_Y, slide.mpp_y),
        (_MPP, slide.mpp_x),
        (CHECKSUM_KEYS, checksum),
        (_MIME_TYPE, slide.mime_type),
    ]
    return {name: value for names, value in facts for name in names if name in asked}


def properties(schema: Any, root: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the properties of an object schema, each with its own schema.

    They are looked for in combinations too, and behind references inside `root`; each schema is looked at
    once. A property may come several times.
    """
    seen: set[int] = set()
    open_schemas = [schema]
    while open_schemas:
        schema = open_schemas.pop()
        if not isinstance(schema, Mapping) or id(schema) in seen:
            continue
        seen.add(id(schema))
        own = schema.get("properties", {})
        if isinstance(own, Mapping):
            yield from own.items()
        parts = [part for name in ("allOf", "anyOf", "oneOf") for part in _list(schema.get(name))]
        open_schemas += [referred(schema.get("$ref"), root), *reversed(parts)]


def referred(reference: object, root: Any) -> Any:
    """Return the schema that a reference inside `root` names, or None."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    target: Any = root
    for part in reference[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        target = target.get(name) if isinstance(target, Mapping) else None
    return target


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []
