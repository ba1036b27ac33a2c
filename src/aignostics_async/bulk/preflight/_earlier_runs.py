"""Earlier runs of this user with the same application version: slides that would be billed again."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from ..._core._secret import SecretText
from ..._core._tasks import for_each
from ..._internals import transfer_engine
from ...errors import AignosticsError
from ...models import ItemResult, ItemStatus, OutputArtifact, RunDetails
from ...transfer._ranges import parse_content_range, parse_size
from ...transfer._request import send_request
from ._repeats import file_name, is_same_end

if TYPE_CHECKING:
    from ..._client import Client

_SAMPLES = 3
# The tag of a job with `JobPlan.reference_tag`.
_TAG = re.compile(r"~[0-9a-f]{8}\.\d+\Z")


@frozen
class EarlierRuns:
    """The findings of a preflight in earlier runs of the version, as `PreflightReport.earlier` has them.

        for reference, run_id in report.earlier.again.items():
            print(reference, "has results in", run_id)

    `runs` is the number of runs that were read or tried, and `unread` of those that could not be read whole.
    `is_whole` is False if there are more than the newest 1000. `again` maps the reference of each slide that
    has results, or may get them, to the id of such a run. `similar` maps the reference of a slide to a pair:
    a similar reference and the id of its run. Both may be empty. `output_bytes` is the mean size of the
    outputs of one item in bytes, measured at `samples` items, 3 at most; None without any.
    """

    runs: int
    """The number of earlier runs that were read or tried, the newest 1000 at most."""
    unread: int
    """The number of those runs that could not be read."""
    is_whole: bool
    """Whether these are all earlier runs; False if there are more than 1000."""
    again: Mapping[str, str]
    """The slides that have results already, or may get them: a mapping from reference to the id of an earlier
    run. They are recognized by their reference, or by their content.
    """
    similar: Mapping[str, tuple[str, str]]
    """Slides that may be in an earlier run under a similar reference, which ends with theirs or the reverse.

    A mapping from reference to a pair of the earlier reference and the id of its run.
    """
    output_bytes: float | None
    """The mean size of the outputs of one item in bytes, measured at `samples` items; None without any."""
    samples: int
    """The number of items at which `output_bytes` was measured, at most 3."""


async def look_back(
    client: Client, version: str, references: Collection[str], *, max_runs: int = 1000
) -> EarlierRuns:
    """Search the newest runs of a version for references, and measure the outputs of some of their items.

    Costs one listing, one request per run and hundred items, and about a dozen requests to the storage of
    results. Raises AignosticsError if the runs can't be listed.
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
    return EarlierRuns(len(runs), search.unread, is_whole, search.again, search.similar, average, len(sizes))


@define
class _Search:
    client: Client
    references: Collection[str]
    again: dict[str, str] = field(factory=dict)
    similar: dict[str, tuple[str, str]] = field(factory=dict)
    samples: list[ItemResult] = field(factory=list)
    unread: int = 0
    _by_name: dict[str, list[str]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        for reference in self.references:
            self._by_name.setdefault(file_name(reference), []).append(reference)

    async def look_into(self, run: RunDetails) -> None:
        try:
            async for item in self.client.run(run.run_id).results():
                self._take(run, item)
        except AignosticsError:
            self.unread += 1

    def _take(self, run: RunDetails, item: ItemResult) -> None:
        has_result = item.status == ItemStatus.SUCCEEDED
        will_have = not (item.status.is_final or run.status.is_final)
        if has_result or will_have:
            self._compare(_TAG.sub("", item.reference), run.run_id)
        has_files = any(artifact.is_available for artifact in item.output_artifacts)
        if has_result and has_files and len(self.samples) < _SAMPLES:
            self.samples.append(item)

    def _compare(self, earlier: str, run_id: str) -> None:
        if earlier in self.references:
            self.again[earlier] = run_id
            return
        for reference in self._by_name.get(file_name(earlier), ()):
            if is_same_end(reference, earlier):
                self.similar[reference] = earlier, run_id


async def _outputs(client: Client, item: ItemResult) -> int | None:
    """Return the size of an item's outputs in bytes; None if the size of one is unknown."""
    total = 0
    for artifact in item.output_artifacts:
        size = await _size(client, item, artifact)
        if size is None:
            return None
        total += size
    return total


async def _size(client: Client, item: ItemResult, artifact: OutputArtifact) -> int | None:
    """Return the size of a file in bytes, or None.

    It requests the first byte, because a URL that is signed for GET permits no HEAD.
    """
    engine, first = transfer_engine(client), {"Range": "bytes=0-0"}
    try:
        url = await _url(client, item, artifact)
        if url is None:
            return None
        answer = await send_request(engine, "GET", url, name=artifact.name, headers=first)
        headers = answer.headers
    except AignosticsError:
        return None
    told = parse_content_range(headers.get("content-range", ""))
    return parse_size(headers.get("content-length", "")) if told is None else told[2]


async def _url(client: Client, item: ItemResult, artifact: OutputArtifact) -> SecretText | None:
    """Return the URL that was listed, or where the contract lists none, a fresh one."""
    if artifact.download_url is not None:
        return SecretText(artifact.download_url)
    if not artifact.is_available:
        return None
    fresh = await client.run(item.run_id).artifact_url(item.item_id, artifact.artifact_id)
    return None if fresh is None else SecretText(fresh)
