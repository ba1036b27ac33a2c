"""The introduction of a job to a cluster: waits for workers, compares versions, asks what they can do."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import anyio
from anyio import to_thread
from attrs import evolve

from ..._hooks import Hooks
from ..._internals import token_claims
from ...errors import ClusterLost, JobError
from ..database._samples import Stage
from ..engines._protocol import EngineSetup
from ._connection import check_addresses, load_distributed
from ._handshake import PACKAGE, Stay, check_versions, remarks, stays
from ._requests import WorkerFacts, WorkerSetup
from ._sealed import Sealed
from ._worker import describe
from ._worker_tools import content_of, hashed_user

T = TypeVar("T")

_LOOK_SECONDS = 0.5
_MAX_TRIAL_WAIT = 600.0
_STOPPING = Stay("the job ends before the cluster has workers", "resume it")


class Introduction:
    """What a job and the workers of a cluster know of each other."""

    def __init__(self, dask: Any, setup: EngineSetup, store_endpoint: str | None) -> None:
        self._dask = dask
        self._setup = setup
        self._store_endpoint = store_endpoint
        self.name = setup.name
        """What all keys begin with."""
        self.workers: dict[str, int] = {}
        """The threads of each worker, by its address."""
        self.stays: dict[Stage, Stay] = {}
        """The stages that the workers can't do."""

    @asynccontextmanager
    async def made(self) -> AsyncIterator[None]:
        """Introduce them, and leave the workers a mark in the folder of results while the block runs."""
        mark = await to_thread.run_sync(self._mark)
        try:
            await self._introduce(mark)
            yield
        finally:
            if not self._setup.is_trial:
                with suppress(OSError):  # the next run removes it
                    mark.unlink(missing_ok=True)

    def _mark(self) -> Path:
        """Mark the folder of results, and return the mark; a preflight's is what is there already."""
        folder, mark = self._setup.results, self._setup.mark
        if self._setup.is_trial:
            return next(place for place in (folder, *folder.parents) if place.exists())
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            mark.write_text(secrets.token_hex(16), "ascii")
        except OSError as error:
            raise JobError(
                f"{folder} can't be written ({error.strerror}); make it a folder that can"
            ) from None
        return mark

    async def _introduce(self, mark: Path) -> None:
        self._salt = secrets.token_hex(16)
        self.sealed = Sealed.of(self._worker_setup(mark))
        """What each worker needs to know."""
        # An adaptive cluster starts workers for a task, and ends them again if there is none.
        first = self._dask.submit(describe, self.sealed, key=f"{self.name}-hello", pure=False)
        try:
            await self._wait_for_workers()
            if not self.workers:
                self.stays = dict.fromkeys((Stage.PROBE, Stage.UPLOAD, Stage.DOWNLOAD), _STOPPING)
                return
            await self._compare(first)
        finally:
            first.release()

    async def _compare(self, first: Any) -> None:
        """Compare the workers with this process; `first` is the future of one worker's facts."""
        check_addresses(self._dask.scheduler.address, self.workers)
        check_versions(await _asked(self._dask.get_versions(packages=[PACKAGE])))
        claims = await token_claims(self._setup.client)
        self.stays = stays(
            await self._facts(first),
            user=hashed_user(self._salt, claims.subject, claims.organization),
            has_address=self._store_address is not None,
            store_needs_api=(self._store_address or "").startswith(("platform", "http:", "https:")),
        )
        for problem, _ in remarks(self.stays):
            self._setup.on_remark(problem)

    @property
    def _store_address(self) -> str | None:
        if self._store_endpoint is not None:
            return self._setup.plan.store
        return self._setup.store_address

    def _worker_setup(self, mark: Path) -> WorkerSetup:
        plan, client = self._setup.plan, self._setup.client
        settings = client.settings
        return WorkerSetup(
            api_root=client.api_root,
            contract=client.contract,
            store=self._store_address,
            store_endpoint=self._store_endpoint,
            checksums=plan.checksums,
            decode=plan.decode,
            seconds_per_slide=self._setup.seconds_per_slide,
            # Certificates and proxies are the worker's own, and callbacks can't be called from there.
            settings=evolve(
                settings,
                ssl_context=None,
                proxy=None,
                hooks=Hooks(),
                transfers=evolve(settings.transfers, bandwidth=None),
            ),
            salt=self._salt,
            mark=mark,
            mark_content=content_of(mark),
        )

    async def _wait_for_workers(self) -> None:
        """Wait until there are workers, or the job is to end."""
        begun, is_told = anyio.current_time(), False
        while not self._setup.is_stopping():
            self.workers = dict(await _asked(self._dask.nthreads()))
            if self.workers:
                return
            if not is_told:
                self._setup.on_wait("the cluster has no workers yet")
                is_told = True
            if self._setup.is_trial and anyio.current_time() > begun + _MAX_TRIAL_WAIT:
                raise ClusterLost(f"no worker of the cluster came within {_MAX_TRIAL_WAIT:.0f} s")
            await anyio.sleep(_LOOK_SECONDS)

    async def _facts(self, first: Any) -> dict[str, WorkerFacts]:
        facts = {"that answered first": _opened(await _asked(first.result()))}
        told = await _asked(self._dask.run(describe, self.sealed, on_error="return"))
        # One that is gone by now does nothing for the job.
        facts |= {
            address: _opened(answer) for address, answer in told.items() if not isinstance(answer, OSError)
        }
        return facts


def _opened(answer: object) -> WorkerFacts:
    if isinstance(answer, Sealed):
        facts: WorkerFacts = answer.open()
        return facts
    reason = f"it does not say what it can do ({type(answer).__name__})"
    return WorkerFacts(api=reason, user=None, store=reason, sees_results=False)


async def _asked(question: Awaitable[T]) -> T:
    """Return the answer of the scheduler; raises ClusterLost."""
    try:
        return await question
    except (OSError, TimeoutError, CancelledError, load_distributed().KilledWorker) as error:
        raise ClusterLost(f"the scheduler of the cluster is gone ({type(error).__name__})") from None
