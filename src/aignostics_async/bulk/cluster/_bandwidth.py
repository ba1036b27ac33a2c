"""The limit on the bandwidth of a job, divided among the processes that move its bytes."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import anyio

from ..._internals import transfer_engine
from ._worker import limit

if TYPE_CHECKING:
    from ..._client import Client


_ANSWER_SECONDS = 20.0


class BandwidthShares:
    """Gives each worker, and this process if it moves files too, an equal share of the job's limit."""

    def __init__(self, dask: Any, client: Client) -> None:
        self._dask = dask
        self._client = client
        self._whole = client.settings.transfers.bandwidth
        self.of_one: float | None = self._whole
        """Bytes per second of one process; None without a limit."""

    async def divide(self, workers: int, *, is_local: bool) -> None:
        """Divide the limit among the workers, and tell those that are at work."""
        if self._whole is None:
            return
        before, self.of_one = self.of_one, self._whole / max(1, workers + is_local)
        if is_local:
            transfer_engine(self._client).bandwidth.rate = self.of_one
        if before != self.of_one:
            # A worker that does not answer learns it with its next task.
            with suppress(OSError, TimeoutError), anyio.move_on_after(_ANSWER_SECONDS):
                await self._dask.run(limit, self.of_one, on_error="ignore")

    def end(self) -> None:
        """Give this process its whole limit back."""
        if self._whole is not None:
            transfer_engine(self._client).bandwidth.rate = self._whole
