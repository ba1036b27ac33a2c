"""Slides that were analysed before, recognized by their content before a run of them is created."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from anyio import to_thread
from attrs import define, field

from ..._internals import billed_runs
from ...slides.workers._probed_slide import ProbedSlide
from ...submission._billed_runs import BilledRuns
from ...submission._billing_index import (
    BilledRun,
    BillingScope,
    FileSample,
    SlideIdentity,
    sample_files,
)
from ...submission._prepare import SOME_CHECKSUM, SOME_URL
from ..database import _commands, _queries
from ..database._journal import EventType
from ..preflight.sources._slide_entry import SlideEntry

if TYPE_CHECKING:
    from ..database._queries import IntentRow, ItemRow
    from ._context import JobContext

_REMEDY = "take its results from that run; or have it analysed again, which is billed: 'bulk retry --rerun'"


@define
class BillingGuard:
    """Holds slides that another job's run has results of, and records those that this job has analysed."""

    context: JobContext
    _billed: BilledRuns = field(init=False)
    _checked: set[int] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        self._billed = billed_runs(
            self.context.client, self.context.billing_index, self.context.plan.application_version
        )

    async def hold(self, numbers: Sequence[int]) -> set[int]:
        """Hold those of some uploaded items that an earlier run has results of, and return which.

        Each is looked up once in the life of a process. Costs no request unless one is recognized.
        """
        fresh = [number for number in numbers if number not in self._checked]
        rows = await self.context.database.read(_queries.items(fresh)) if fresh else []
        identities = [self._identity(row) for row in rows]
        found = (
            await to_thread.run_sync(self.context.billing_index.find, await self._scope(), identities)
            if rows
            else []
        )
        own = await self.context.database.read(_queries.own_runs()) if any(found) else frozenset()
        held: set[int] = set()
        for row, runs in zip(rows, found, strict=True):
            others = [run for run in runs if run.run_id not in own]
            if others and (run := await self._with_results(others)) is not None:
                held |= await self._hold(row, run)
        self._checked.update(fresh)
        return held

    async def record(self, intent: IntentRow) -> None:
        """Keep that a run was created of the items of an intent."""
        rows = await self.context.database.read(_queries.members(intent.number))
        samples = await to_thread.run_sync(lambda: [_sample(row) for row in rows])
        slides = [
            (row.reference + intent.tag, self._identity(row, sample))
            for row, sample in zip(rows, samples, strict=True)
            if row.info is not None
        ]
        await to_thread.run_sync(
            self.context.billing_index.record, await self._scope(), intent.run_id or "", slides
        )

    async def record_missing(self) -> None:
        """Record the runs that the process before was killed too early to record."""
        runs = await self.context.database.read(_queries.own_intents())
        missing = await to_thread.run_sync(self.context.billing_index.missing, list(runs))
        for run_id in missing:
            await self.record(await self.context.database.read(_queries.intent(runs[run_id])))

    async def _with_results(self, candidates: Sequence[BilledRun]) -> BilledRun | None:
        return await self.context.with_retries(partial(self._billed.first_with_results, candidates))

    async def _hold(self, row: ItemRow, run: BilledRun) -> set[int]:
        command = _commands.hold({row.number: run.run_id}, _describe, _REMEDY)
        held = await self.context.database.write(command)
        for _ in held:
            self.context.journal.emit(
                EventType.QUARANTINED, reference=row.reference, run_id=run.run_id, text=_describe(run.run_id)
            )
        return set(held)

    def _identity(self, row: ItemRow, sample: FileSample | None = None) -> SlideIdentity:
        entry = SlideEntry.from_row(row.reference, row.path, row.overrides)
        info = ProbedSlide.from_dict(row.info or {}).info
        artifact = self.context.requirements.as_artifact(entry, info, url=SOME_URL, checksum=SOME_CHECKSUM)
        content = None if row.crc32c is None else (row.stored_size or 0, row.crc32c)
        return SlideIdentity(metadata=artifact.metadata, sample=sample, content=content)

    async def _scope(self) -> BillingScope:
        identity = json.loads((await self.context.database.read(_queries.job())).identity or "{}")
        return BillingScope(
            api_root=self.context.plan.api_root,
            application_version=self.context.plan.application_version,
            organization=identity.get("token_organization", identity.get("organization")),
        )


def _describe(run_id: str) -> str:
    return f"run {run_id} has analysed the same slide with this version"


def _sample(row: ItemRow) -> FileSample | None:
    """Return what the local files are recognized by; None where they are gone."""
    if row.info is None:
        return None
    try:
        return sample_files(ProbedSlide.from_dict(row.info).info.files)
    except OSError:
        return None
