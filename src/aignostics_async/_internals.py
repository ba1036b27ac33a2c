"""What other packages of the SDK use of an open client, beside its public methods.

Each function raises UsageError while the client is not open, or in another event loop than its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attrs import evolve

from ._core._pager import MAX_PAGE_SIZE, MIN_PAGE_SIZE, Page, PageRequest
from .contracts._protocol import NO_OPTIONS, RunFilter, RunOptions
from .errors import InvalidResponse, NotFound
from .resources import refuse_if_down
from .submission._billed_runs import BilledRuns
from .submission._create import create_run
from .watch._start import watch_run

if TYPE_CHECKING:
    from datetime import datetime

    from ._client import Client
    from ._inputs import Item
    from .auth._endpoint import Claims
    from .contracts._protocol import ContractFacts
    from .downloads._checksum_cache import ChecksumCache
    from .models import ApplicationVersion, RunDetails
    from .submission._billing_index import BillingIndex
    from .transfer._engine import Engine
    from .watch import Watcher

_OVERLAP = 20  # runs that two pages have in common, unless the listing moves meanwhile
_MAX_IDLE = 20  # pages in a row that bring no run


def transfer_engine(client: Client) -> Engine:
    """Return the engine that moves the client's files."""
    return client._session.engine


def checksum_cache(client: Client) -> ChecksumCache:
    """Return the checksums of files that the client has downloaded or verified."""
    return client._session.checksums


def watch_new_run(client: Client, run_id: str) -> Watcher:
    """Watch a run that was just created, which a replica may not know yet."""
    return watch_run(client._session.poller, run_id, is_new=True, cursor=None)


async def create_run_once(
    client: Client, version: ApplicationVersion, items: Sequence[Item], options: RunOptions = NO_OPTIONS
) -> str:
    """Create a run with one POST, not repeated even after a 401, and return its id; raises as `create`."""
    max_items = client.settings.limits.items_per_run
    return await create_run(client._session.bridge, version, items, max_items, options=options, once=True)


def contract_facts(client: Client) -> ContractFacts:
    """Return what the contract that the client speaks can express."""
    return client._session.bridge.facts


async def replace_sdk_metadata(client: Client, before: RunDetails, sdk_metadata: object) -> None:
    """Replace what the SDK stores with a run, and keep the user's metadata.

    Raises PreconditionFailed if the metadata have changed since `before`.
    """
    await client.run(before.run_id)._metadata().put(before, before.metadata, sdk_metadata)


async def runs_by_metadata(client: Client, metadata: Mapping[str, Any]) -> Page[RunDetails]:
    """Return the newest hundred runs that the platform finds by their metadata, the SDK's own too.

    A server that does not know the filter returns any runs.
    """
    request = PageRequest.first("-triggered_at", MAX_PAGE_SIZE)
    return await client._session.bridge.list_runs(request, RunFilter(metadata=metadata))


def billed_runs(client: Client, index: BillingIndex, application_version: str) -> BilledRuns:
    """Return what asks whether the runs that an index names still have results."""
    return BilledRuns(client._session.bridge, index, application_version)


async def check_health(client: Client) -> None:
    """Raise PlatformDown if the platform says that it is DOWN. Costs one request where it can say so."""
    await refuse_if_down(client._session)


async def server_time(client: Client) -> datetime | None:
    """Return the time of the server's clock, from the Date of one small request; None if it has none.

    Raises as a request does.
    """
    request = PageRequest.first("-triggered_at", MIN_PAGE_SIZE)
    page = await client._session.bridge.list_runs(request, RunFilter())
    return page.date


async def overlapping_run_pages(client: Client) -> AsyncIterator[Page[RunDetails]]:
    """Give the pages of all runs, the newest first; each but the first begins among the runs before it.

    Replicas of different age may answer. An older one lacks the newest runs, so its next page begins further
    down than the page before ended, and the runs between would be in none. A page without a run that was
    given before is therefore left out, and asked for again. Raises as a request does, and InvalidResponse if
    there is no such page, or the server ignores which one it is asked for.
    """
    known: set[str] = set()
    end = gaps = idle = 0
    while True:
        # Another replica may answer the same question; if none does, further up.
        number, size = _next_window(end - MAX_PAGE_SIZE * max(0, gaps - 1))
        request = PageRequest(number, size, ("-triggered_at",))
        try:
            page = await client._session.bridge.list_runs(request, RunFilter())
        except NotFound:
            if number == 1:
                raise
            page = Page(number, ())
        listed = {run.run_id for run in page.items}
        is_gap = bool(known and not listed & known and not page.invalid)
        idle = idle + 1 if is_gap or listed <= known else 0
        if idle > _MAX_IDLE:
            reason = "its pages do not follow each other, so runs may be missing"
            raise InvalidResponse(reason, operation="list runs")
        if is_gap:
            gaps += 1
            continue
        gaps = 0
        yield evolve(page, items=tuple(run for run in page.items if run.run_id not in known))
        if page.size < size:
            await _check_size(client, request, page)
            return
        known |= listed
        end = number * size


async def _check_size(client: Client, request: PageRequest, page: Page[RunDetails]) -> None:
    """Raise InvalidResponse if a page that looks like the last one is not: the server ignored its size."""
    following = request.after(page.size)
    if following is None:
        return
    with suppress(NotFound):
        if (await client._session.bridge.list_runs(following, RunFilter())).size:
            reason = "the size of its pages was ignored, so runs may be missing"
            raise InvalidResponse(reason, operation="list runs")


def _next_window(end: int) -> tuple[int, int]:
    """Return number and size of the page that reaches furthest and begins well before `end`."""
    if end < MAX_PAGE_SIZE:
        return 1, MAX_PAGE_SIZE
    before = end - _OVERLAP
    reach, size = max(((before // size + 1) * size, size) for size in range(2 * _OVERLAP, MAX_PAGE_SIZE + 1))
    return reach // size, size


async def token_claims(client: Client) -> Claims:
    """Return what the current access token says of itself: nothing, unless it is a JWT."""
    return await client._session.claims()
