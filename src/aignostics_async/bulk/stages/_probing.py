"""The first stage: reads size, resolution and metadata of slides, and checks them against the application."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import define, field

from ..database import _commands, _queries
from ..database._samples import Stage
from ..database._states import ItemState
from ..engines._tasks import ProbeTask
from ..preflight._findings import Finding
from ..preflight._series import SeriesOnce
from ..preflight._slide_probe import as_finding
from ..preflight.sources._slide_entry import SlideEntry

if TYPE_CHECKING:
    from ...slides import SlideInfo
    from ...slides.workers._probed_slide import ProbedSlide
    from ..database._queries import ItemRow
    from ..engines._protocol import OpenEngine
    from ._context import JobContext


@define
class Probing:
    """Probes slides, and quarantines those with faults, naming every fault."""

    context: JobContext
    engine: OpenEngine
    series: SeriesOnce | None = field(default=None, init=False)
    """Those of the job's items; None until one is needed."""

    async def __call__(self, row: ItemRow) -> None:
        """Take an item from FOUND to READY."""
        entry = SlideEntry.from_row(row.reference, row.path, row.overrides)
        if entry.is_rejected:
            remedy = "correct it, then use 'bulk retry --manifest', or create another job for what it names"
            await self.context.quarantine(row, "it could not be taken when the job was made", remedy)
            return
        probed = await as_finding(self.engine.run(ProbeTask(row.number, entry.slide)), entry.path)
        faults = [probed] if isinstance(probed, Finding) else await self._faults(entry, probed.info)
        if isinstance(probed, Finding) or faults:
            await self.context.quarantine(row, *describe_findings(faults))
            return
        columns = {**as_columns(probed), "fault": None, "remedy": None}
        command = _commands.move_item(row.number, ItemState.READY, **columns)
        await self.context.database.write(command)
        self.context.meter.count(Stage.PROBE, items=1)

    async def _faults(self, entry: SlideEntry, info: SlideInfo) -> list[Finding]:
        if faults := list(self.context.requirements.faults(entry, info)):
            return faults
        if info.series is None:
            return []
        if self.series is None:
            known = SeriesOnce(await self.context.database.read(_queries.series()))
            self.series = self.series or known  # that of another slide meanwhile
        return list(self.series.faults(entry, info))


def as_columns(probed: ProbedSlide) -> dict[str, Any]:
    """Return the result of probing a slide as columns of an item."""
    return {"size": probed.size, "fingerprint": probed.fingerprint, "info": json.dumps(probed.as_dict())}


def describe_findings(faults: Sequence[Finding]) -> tuple[str, str]:
    """Return all faults of a slide as one text, and their remedies as another."""
    problems = dict.fromkeys(each.problem for each in faults)
    remedies = dict.fromkeys(each.remedy for each in faults if each.remedy)
    return "; ".join(problems), "; ".join(remedies)
