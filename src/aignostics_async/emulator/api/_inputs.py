"""The items of a run request: what is wrong with them, and how their inputs are stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ..._inputs import InputArtifact
from ...submission._preflight import metadata_problems
from ...submission._schema import schema_validator

if TYPE_CHECKING:
    from ..platform._catalogue import OfferedVersion
    from ..platform._objects import Objects

Place = tuple[str | int, ...]


def item_faults(
    version: OfferedVersion, items: Sequence[dict[str, Any]], reference: str
) -> Iterator[tuple[Place, str]]:
    """Yield the place in the list of items, and the text, of everything that a version refuses.

    `reference` is the name of the field with an item's reference.
    """
    validators = {each.name: schema_validator(each.metadata_schema) for each in version.inputs}
    seen: set[str] = set()
    for index, item in enumerate(items):
        if item[reference] in seen:
            yield (index, reference), "The reference is not unique"
        seen.add(item[reference])
        names = [artifact["name"] for artifact in item["input_artifacts"]]
        if sorted(names) != sorted(validators):
            told = f"The input artifacts must be {sorted(validators)}, not {sorted(names)}"
            yield (index, "input_artifacts"), told
            continue
        for number, artifact in enumerate(item["input_artifacts"]):
            given = InputArtifact(artifact["name"], artifact["download_url"], artifact["metadata"])
            for message in metadata_problems(given, validators[artifact["name"]]):
                yield (index, "input_artifacts", number, "metadata"), message


def stored_inputs(objects: Objects, artifacts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return inputs as they are stored: by key if they are objects of this emulator, else by URL.

    A URL of this emulator names a port that may change at the next start.
    """
    return [
        {
            "name": artifact["name"],
            "metadata": artifact["metadata"],
            **_source(objects, artifact["download_url"]),
        }
        for artifact in artifacts
    ]


def input_url(objects: Objects, origin: str, stored: dict[str, Any]) -> str:
    """Return the URL of a stored input."""
    if "key" in stored:
        return origin + objects.url_path(stored["key"], stored["query"])
    url: str = stored["url"]
    return url


def _source(objects: Objects, url: str) -> dict[str, str]:
    parts = urlsplit(url)
    key = objects.own_key(unquote(parts.path))
    return {"url": url} if key is None else {"key": key, "query": parts.query}
