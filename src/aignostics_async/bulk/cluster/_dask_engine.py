"""The engine of a Dask cluster: a way to a scheduler, opened for each job."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from ..._core._arguments import check_kind
from ...errors import UsageError
from ..engines._local import LocalEngine
from ..engines._protocol import EngineSetup, OpenEngine
from ._connection import ClusterTls, connect, local_cluster, read_scheduler_file, security_for
from ._open_engine import OpenDaskEngine


class DaskEngine:
    """The engine that runs the stages of a bulk job on a Dask.distributed cluster.

        tls = ClusterTls(ca="ca.pem", cert="client.pem", key="client-key.pem")
        summary = await job.run(client, engine=DaskEngine("tls://head:8786", tls=tls))

    `scheduler` is the address of a scheduler, or a Dask cluster object such as a `SLURMCluster`; or give
    `scheduler_file`, the file that `dask scheduler --scheduler-file` writes, or `local_workers`, a number of
    processes to start on this machine, with 8 threads each. `tls` is for an address or a file; None, the
    default, for the certificates of Dask's own configuration. `store_endpoint` is the endpoint at which
    workers open the plan's store; None, the default, for its own.

    Workers read and upload slides and download outputs, as far as their environment has credentials: client
    credentials, or an access token that outlives the job. What they can't do stays with this process. Slides
    and the folder of results must be on a file system that all of them share.

    Creating it does no I/O. Raises UsageError unless exactly one of the three is given, for another type of
    `scheduler` or `tls`, and for `local_workers` that are no whole number from 1 on. `open` says what
    `BulkJob.run` and `run_preflight` raise with it. If the cluster goes later, `run_preflight` raises
    ClusterLost, and `BulkJob.run` JobStopped with it as its `cause`.
    """

    def __init__(
        self,
        scheduler: Any = None,
        *,
        scheduler_file: str | os.PathLike[str] | None = None,
        local_workers: int | None = None,
        tls: ClusterTls | None = None,
        store_endpoint: str | None = None,
    ) -> None:
        given = [each for each in (scheduler, scheduler_file, local_workers) if each is not None]
        if len(given) != 1:
            raise UsageError("give one of scheduler, scheduler_file and local_workers")
        if local_workers is not None and not _is_count(local_workers):
            raise UsageError("local_workers is a number of processes, at least 1")
        if scheduler is not None and not (
            isinstance(scheduler, str) or hasattr(scheduler, "scheduler_address")
        ):
            raise UsageError("scheduler is the address of a scheduler, or a Dask cluster object")
        if tls is not None:
            check_kind(tls, ClusterTls, "tls")
        self._scheduler = scheduler
        self._scheduler_file = scheduler_file
        self._local_workers = local_workers
        self._tls = tls
        self._store_endpoint = store_endpoint

    @asynccontextmanager
    async def open(self, setup: EngineSetup) -> AsyncIterator[OpenEngine]:
        """Return an async context manager that yields the engine, open for one job.

        `BulkJob.run` and `run_preflight` call it. Entering connects to the scheduler and waits for workers:
        in a job until it is drained, in a preflight for ten minutes. Leaving disconnects, and ends workers
        that it has started.

        Entering raises MissingExtra without the `cluster` extra; ClusterRefused for a cluster that is not
        protected by TLS off this machine or differs in versions, and for an address, certificates or a
        scheduler file that can't be used; ClusterLost if no scheduler answers in 30 s, no worker comes, or
        `local_workers` can't be started; JobError if the folder of results can't be written; and for the
        access token, the errors of requests that `Pager` names.
        """
        async with AsyncExitStack() as stack:
            address, security = await self._place(stack)
            client = await stack.enter_async_context(connect(address, security))
            local = await stack.enter_async_context(LocalEngine().open(setup))
            engine = OpenDaskEngine(client, setup, local, self._store_endpoint)
            await stack.enter_async_context(engine.at_work())
            yield engine

    async def _place(self, stack: AsyncExitStack) -> tuple[str, Any]:
        """Return the address of the scheduler and Dask's security for it."""
        if self._local_workers is not None:
            return await stack.enter_async_context(local_cluster(self._local_workers))
        if self._scheduler_file is not None:
            address = read_scheduler_file(self._scheduler_file)
        elif isinstance(self._scheduler, str):
            address = self._scheduler
        else:
            return self._scheduler.scheduler_address, self._scheduler.security
        return address, security_for(address, self._tls)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1
