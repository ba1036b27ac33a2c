"""Every fault of a run request that can be known before it is sent. Pure; no network, no files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .._core._crc32c import decode_crc32c
from .._inputs import InputArtifact, Item
from ..models import CHECKSUM_KEYS, ApplicationVersion, Fault
from ._schema import schema_problems, schema_validator

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_MAX_URL = 2083  # characters, the contract's maxLength
MAX_REFERENCE = 255
"""Characters of an item's reference; contracts from 1.0.0-beta7 on refuse longer ones."""


def find_faults(version: ApplicationVersion, items: Sequence[Item], max_items: int) -> list[Fault]:
    """Return all faults of all items: counts, references, artifacts, URLs, checksums and metadata."""
    faults = list(_counts(items, max_items))
    validators: dict[str, Validator | None] = {}
    for spec in version.input_artifacts:
        try:
            validators[spec.name] = schema_validator(spec.metadata_schema)
        except ValueError as error:
            faults.append(Fault(f"the version's schema can't be used: {error}", artifact=spec.name))
            validators[spec.name] = None
    for item in items:
        faults += _item_faults(item, validators)
    return faults


def _counts(items: Sequence[Item], max_items: int) -> Iterator[Fault]:
    if not items:
        yield Fault("there are no items; a run needs at least one")
    if len(items) > max_items:
        yield Fault(f"there are {len(items)} items; a run takes {max_items} at most, so make several")
    uses = Counter(item.reference for item in items)
    for reference, count in uses.items():
        if count > 1:
            yield Fault(f"its reference is used {count} times; make each one unique in the run", reference)
        if not reference.strip():
            yield Fault("its reference is empty", reference)
        elif not is_unicode(reference):
            yield Fault(
                "its reference is no valid Unicode; is it a file name of another encoding?", reference
            )
        if len(reference) > MAX_REFERENCE:
            told = f"its reference has {len(reference)} characters, {MAX_REFERENCE} are the limit"
            yield Fault(told, reference)


def _item_faults(item: Item, validators: dict[str, Validator | None]) -> Iterator[Fault]:
    uses = Counter(artifact.name for artifact in item.artifacts)
    expected = ", ".join(repr(name) for name in validators)
    for name in validators:
        if name not in uses:
            yield Fault("the version needs it, and it is missing", item.reference, name)
    for name, count in uses.items():
        if name not in validators:
            yield Fault(f"the version has no such input; it takes {expected}", item.reference, name)
        if count > 1:
            yield Fault(f"it is given {count} times", item.reference, name)
    for artifact in item.artifacts:
        problems = [*_url_problems(artifact), *metadata_problems(artifact, validators.get(artifact.name))]
        for problem in problems:
            yield Fault(problem, item.reference, artifact.name)


def _url_problems(artifact: InputArtifact) -> Iterator[str]:
    # The URL is a secret, so it is described and not shown.
    if len(artifact.download_url) > _MAX_URL:
        yield (
            f"its URL has {len(artifact.download_url)} characters, {_MAX_URL} are the limit; sign it "
            "with long-lived keys, session tokens make URLs long"
        )
    try:
        parts = urlsplit(artifact.download_url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
        usable = usable and artifact.download_url.isascii()
    except ValueError:
        usable = False
    if not usable:
        yield "its URL is not one of http or https; give a signed URL that the platform can fetch"


def metadata_problems(artifact: InputArtifact, validator: Validator | None) -> Iterator[str]:
    """Give what is wrong with the metadata of one artifact, by a validator of its schema if there is one."""
    try:
        # As the server will read it: tuples are lists, keys are text, NaN is not allowed.
        text = json.dumps(dict(artifact.metadata), allow_nan=False, ensure_ascii=False)
        metadata = json.loads(text.encode("utf-8"))
    except (TypeError, ValueError, RecursionError) as error:
        yield f"its metadata is no JSON: {error}"
        return
    for key in CHECKSUM_KEYS:
        if isinstance(wire := metadata.get(key), str):
            try:
                decode_crc32c(wire)
            except ValueError as error:
                yield f"metadata.{key}: {error}"
    if validator is not None:
        yield from schema_problems(validator, metadata)


def is_unicode(text: str) -> bool:
    """Whether a text can be sent and stored; a file name of another encoding can't."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
