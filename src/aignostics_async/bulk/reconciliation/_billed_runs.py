"""Whether the platform still has results of slides that the billing index recognized."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from anyio import to_thread
from attrs import define, field, frozen

from ...errors import Gone, NotFound
from ...models import ItemStatus

if TYPE_CHECKING:
    from ..._client import Client
    from ...models import ItemResult
    from ..database._billing_index import BilledRun, BillingIndex


@frozen
class _RunContent:
    """What a run has: by the keyed hash of a reference, whether that item has or will have results."""

    items: Mapping[bytes, bool]
    is_final: bool


@define
class BilledRuns:
    """The runs that slides were billed in before, each asked for once."""

    client: Client
    index: BillingIndex
    _known: dict[str, _RunContent] = field(factory=dict, init=False)

    async def first_with_results(self, candidates: Sequence[BilledRun]) -> BilledRun | None:
        """Return the first run that has results of its slide, or is going to; None where none has.

        A run that is gone, or was cancelled before the item was analysed, has none. Costs a request for each
        run that is new and one for each hundred of its items. Raises AignosticsError where a run can't be
        read for another reason.
        """
        for each in candidates:
            content = await self._content(each.run_id)
            # What a run that goes on does not list yet is still to come.
            if content.items.get(each.reference_digest, not content.is_final):
                return each
        return None

    async def _content(self, run_id: str) -> _RunContent:
        if run_id not in self._known:
            self._known[run_id] = await self._read(run_id)
        return self._known[run_id]

    async def _read(self, run_id: str) -> _RunContent:
        run = self.client.run(run_id)
        try:
            is_final = (await run.details()).status.is_final
            items = [item async for item in run.results()]
        except (NotFound, Gone):
            return _RunContent({}, is_final=True)
        digests = await to_thread.run_sync(lambda: [self.index.digest_of(item.reference) for item in items])
        has_results = [_has_results(item, is_final=is_final) for item in items]
        return _RunContent(dict(zip(digests, has_results, strict=True)), is_final=is_final)


def _has_results(item: ItemResult, *, is_final: bool) -> bool:
    """Whether an item has outputs, or will have some; those of a run that is over may have been deleted."""
    if item.status == ItemStatus.SUCCEEDED:
        is_kept = any(artifact.is_available for artifact in item.output_artifacts)
        return is_kept or not is_final
    return not (item.status.is_final or is_final)
