"""Whether the platform still has results of slides that the billing index recognized."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from anyio import to_thread
from attrs import define, evolve, field, frozen

from .._core._pager import MAX_PAGE_SIZE, Pager, PageRequest
from ..contracts._protocol import RunFilter
from ..errors._api import ABSENCES
from ..models import ItemStatus
from ._find import runs_since

if TYPE_CHECKING:
    from ..contracts._protocol import Bridge
    from ..models import ItemResult
    from ._billing_index import BilledRun, BillingIndex

_EARLIER = timedelta(minutes=10)  # for clock skew
_LATER = timedelta(hours=1)  # until a request whose reply was lost has created its run, if ever


@frozen
class _RunContent:
    """What a run has: by the keyed hash of a reference, whether that item has or will have results."""

    items: Mapping[bytes, bool]
    is_final: bool


@define
class BilledRuns:
    """The runs that slides were billed in before, each asked for once."""

    bridge: Bridge
    index: BillingIndex
    application_version: str
    _known: dict[str, _RunContent] = field(factory=dict, init=False)
    _requests: dict[str, list[str]] = field(factory=dict, init=False)

    async def first_with_results(self, candidates: Sequence[BilledRun]) -> BilledRun | None:
        """Return the first run that has results of its slide, or is going to; None where none has.

        A run that is gone, or was cancelled before the item was analysed, has none. Costs a request for each
        run that is new and one for each hundred of its items; for a request whose reply was lost, as much for
        each run of the hour after it. Raises AignosticsError where a run can't be read for another reason.
        """
        for each in candidates:
            async for run_id in self._run_ids(each):
                content = await self._content(run_id)
                # What a run that goes on does not list yet is still to come; if it is the request's.
                is_to_come = not (content.is_final or each.is_unknown)
                if content.items.get(each.reference_digest, is_to_come):
                    return evolve(each, run_id=run_id)
        return None

    async def _run_ids(self, candidate: BilledRun) -> AsyncIterator[str]:
        """Give the run, or those that a request whose reply was lost may have created."""
        if not candidate.is_unknown:
            yield candidate.run_id
            return
        if candidate.run_id not in self._requests:
            sent_at = datetime.fromtimestamp(candidate.billed_at, UTC)
            self._requests[candidate.run_id] = await self._runs_around(sent_at)
        for run_id in self._requests[candidate.run_id]:
            yield run_id

    async def _runs_around(self, sent_at: datetime) -> list[str]:
        filters = RunFilter(application_version=self.application_version)
        listing = Pager(
            "list runs",
            lambda page: self.bridge.list_runs(page, filters),
            PageRequest.first("-triggered_at", MAX_PAGE_SIZE),
            key=lambda run: run.run_id,
        )
        runs = runs_since(listing.pages(), sent_at - _EARLIER, "list runs")
        return [run.run_id async for run in runs if run.triggered_at <= sent_at + _LATER]

    async def _content(self, run_id: str) -> _RunContent:
        if run_id not in self._known:
            self._known[run_id] = await self._read(run_id)
        return self._known[run_id]

    async def _read(self, run_id: str) -> _RunContent:
        listing = Pager(
            "list results",
            lambda page: self.bridge.list_run_results(run_id, page),
            PageRequest.first((), MAX_PAGE_SIZE),
            key=lambda item: item.item_id,
        )
        try:
            is_final = (await self.bridge.get_run(run_id)).status.is_final
            items = [item async for item in listing]
        except ABSENCES:
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
