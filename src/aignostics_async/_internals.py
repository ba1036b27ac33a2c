"""What other packages of the SDK use of an open client, beside its public methods.

Each function raises UsageError while the client is not open, or in another event loop than its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ._core._pager import MIN_PAGE_SIZE, PageRequest
from .contracts._protocol import RunFilter
from .submission._create import create_run
from .watch._start import watch_run

if TYPE_CHECKING:
    from datetime import datetime

    from ._client import Client
    from ._inputs import Item
    from .auth._endpoint import Claims
    from .downloads._checksum_cache import ChecksumCache
    from .models import ApplicationVersion
    from .transfer._engine import Engine
    from .watch import Watcher


def transfer_engine(client: Client) -> Engine:
    """Return the engine that moves the client's files."""
    return client._session.engine


def checksum_cache(client: Client) -> ChecksumCache:
    """Return the checksums of files that the client has downloaded or verified."""
    return client._session.checksums


def watch_new_run(client: Client, run_id: str) -> Watcher:
    """Watch a run that was just created, which a replica may not know yet."""
    return watch_run(client._session.poller, run_id, is_new=True, cursor=None)


async def create_run_once(client: Client, version: ApplicationVersion, items: Sequence[Item]) -> str:
    """Create a run with one POST, not repeated even after a 401, and return its id; raises as `create`."""
    max_items = client.settings.limits.items_per_run
    return await create_run(client._session.bridge, version, items, max_items, once=True)


async def server_time(client: Client) -> datetime | None:
    """Return the time of the server's clock, from the Date of one small request; None if it has none.

    Raises as a request does.
    """
    request = PageRequest.first("-triggered_at", MIN_PAGE_SIZE)
    page = await client._session.bridge.list_runs(request, RunFilter())
    return page.date


async def token_claims(client: Client) -> Claims:
    """Return what the current access token says of itself: nothing, unless it is a JWT."""
    return await client._session.claims()
