"""Changes of custom metadata: a write replaces all of them, under the checksum of what was read."""

from __future__ import annotations

import json
import random
from collections.abc import Awaitable, Callable, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import anyio
from attrs import frozen

from .._core._arguments import check_function
from .._core._backoff import Backoff
from .._core._json import is_same_json, plain_mapping
from ..errors import PreconditionFailed, UsageError
from ..models import RESERVED_KEY, ItemResult, RunDetails

if TYPE_CHECKING:
    from ..contracts._protocol import ContractFacts

_ATTEMPTS = 10
_BACKOFF = Backoff(0.05, 1.6)

WithMetadata = RunDetails | ItemResult
MetadataChange = Callable[[dict[str, Any]], Mapping[str, Any]]


@frozen
class MetadataEditor:
    """Changes the custom metadata of one run or item, and keeps what the SDK stores beside them."""

    facts: ContractFacts
    read: Callable[[], Awaitable[WithMetadata]]
    write: Callable[[Mapping[str, Any] | None, str | None], Awaitable[str | None]]

    async def replace(self, metadata: Mapping[str, Any], before: WithMetadata | None) -> None:
        """Replace the metadata of a snapshot, by default those of now; raises PreconditionFailed."""
        if metadata is None:
            raise UsageError("metadata are a mapping, not None; an empty one removes all")
        self.facts.check_metadata(metadata)
        before = before or await self.read()
        await self.put(before, metadata, before.sdk_metadata)

    async def update(self, change: MetadataChange) -> Mapping[str, Any]:
        """Replace the metadata by what a function makes of them, again where somebody else was faster."""
        self.facts.check_metadata({})
        if not callable(change):
            raise UsageError(
                "change is a function that returns all new metadata, such as lambda metadata: {**metadata, "
                f"'reviewed': True}}, not {type(change).__name__}; a mapping goes to set_metadata or "
                "set_item_metadata"
            )
        check_function(change, "change")
        failures = 0
        while True:
            now = await self.read()
            metadata = _changed(change, now)
            self.facts.check_metadata(metadata)
            try:
                await self.put(now, metadata, now.sdk_metadata)
            except PreconditionFailed:
                failures += 1
                if failures == _ATTEMPTS:
                    raise
                await anyio.sleep(_BACKOFF.wait(failures, random.random()))
            else:
                return metadata

    async def put(self, before: WithMetadata, metadata: Mapping[str, Any] | None, sdk_metadata: Any) -> None:
        """Write metadata and what the SDK keeps, unless they changed since a snapshot.

        Raises PreconditionFailed then. Where an earlier attempt of the same request may have taken effect,
        they are read again, and count as written if they are equal.
        """
        whole = _whole(metadata, sdk_metadata)
        try:
            await self.write(whole, before.metadata_checksum)
        except PreconditionFailed as error:
            if error.attempt == 1:
                raise
            refused = error
        else:
            return
        now = await self.read()
        if not is_same_json(_as_read(_whole(now.metadata, now.sdk_metadata)), _as_read(whole)):
            raise refused


def _changed(change: MetadataChange, before: WithMetadata) -> Mapping[str, Any]:
    """Return what a caller's function makes of the metadata of a snapshot."""
    changed = change(deepcopy(dict(before.metadata or {})))
    if not isinstance(changed, Mapping):
        raise UsageError(
            f"the function returns the new metadata, all of them, as a mapping, not {type(changed).__name__}"
        )
    return changed


def _whole(metadata: Mapping[str, Any] | None, sdk_metadata: Any) -> Mapping[str, Any] | None:
    """Return all custom metadata as they are written: a write replaces the SDK's own, too."""
    return metadata if sdk_metadata is None else {**(metadata or {}), RESERVED_KEY: sdk_metadata}


def _as_read(metadata: Mapping[str, Any] | None) -> Any:
    """Return metadata as they are when they were stored: tuples are lists, keys are texts."""
    return json.loads(json.dumps(metadata, default=plain_mapping))
