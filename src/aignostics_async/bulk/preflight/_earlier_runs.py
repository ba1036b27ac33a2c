"""What this user has run before with the same application version: slides that would be paid again."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from ..._core._tasks import for_each
from ..._internals import transfer_engine
from ...errors import AignosticsError
from ...models import ItemResult, ItemStatus, RunDetails
from ...transfer._request import send_request

if TYPE_CHECKING:
    from ..._client import Client

_SAMPLES = 3
_TOTAL = re.compile(r"bytes \d+-\d+/(\d+)")


@frozen
class EarlierRuns:
    """What was found in earlier runs."""

    runs: int
    """How many were looked into."""
    unread: int
    """How many could not be."""
    is_whole: bool
    """Whether there were no more than were looked at."""
    again: Mapping[str, str]
    """References that have a result, or will have one, each with its run."""
    output_bytes: float | None
    """What the outputs of one item take, on average of some; None where nobody can tell."""
    samples: int
    """How many items that was measured on."""


async def look_back(
    client: Client, version: str, references: Collection[str], *, max_runs: int = 1000
) -> EarlierRuns:
    """Look into the newest runs of a version for references, and measure the outputs of some of their items.

    Costs a listing, one request per run and 100 items of it, and about a dozen to the storage of results.
    Raises AignosticsError if the runs can't be listed.
    """
    search = _Search(client, references)
    runs: list[RunDetails] = []
    is_whole = True
    async for run in client.runs.list(application_version=version):
        if len(runs) == max_runs:
            is_whole = False
            break
        runs.append(run)
    limit = client.settings.limits.api_requests
    await for_each(runs, search.look_into, limit=limit)
    sizes = [size for item in search.samples if (size := await _outputs(client, item)) is not None]
    average = sum(sizes) / len(sizes) if sizes else None
    return EarlierRuns(len(runs), search.unread, is_whole, search.again, average, len(sizes))


@define
class _Search:
    client: Client
    references: Collection[str]
    again: dict[str, str] = field(factory=dict)
    samples: list[ItemResult] = field(factory=list)
    unread: int = 0

    async def look_into(self, run: RunDetails) -> None:
        try:
            async for item in self.client.run(run.run_id).results():
                self._take(run, item)
        except AignosticsError:
            self.unread += 1

    def _take(self, run: RunDetails, item: ItemResult) -> None:
        has_result = item.status == ItemStatus.SUCCEEDED
        will_have = item.status == ItemStatus.PENDING and not run.status.is_final
        if item.reference in self.references and (has_result or will_have):
            self.again[item.reference] = run.run_id
        if has_result and item.output_artifacts and len(self.samples) < _SAMPLES:
            self.samples.append(item)


async def _outputs(client: Client, item: ItemResult) -> int | None:
    """Return how many bytes an item's outputs are together, or None if one does not tell."""
    total = 0
    for artifact in item.output_artifacts:
        size = (
            None
            if artifact.download_url is None
            else await _size(client, artifact.name, artifact.download_url)
        )
        if size is None:
            return None
        total += size
    return total


async def _size(client: Client, name: str, url: str) -> int | None:
    """Ask how long a file is, with its first byte: a URL that is signed for GET is good for nothing else."""
    engine = transfer_engine(client)
    try:
        headers = (await send_request(engine, "GET", url, name=name, headers={"Range": "bytes=0-0"})).headers
    except AignosticsError:
        return None
    told = _TOTAL.fullmatch(headers.get("content-range", ""))
    length = told[1] if told else headers.get("content-length", "")
    return int(length) if length.isdigit() else None
