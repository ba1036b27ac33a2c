"""What a submission asks the index of billed slides before its request, and tells it around the request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread
from attrs import define, field

from ..errors import AignosticsError, SubmissionUnknown
from ..models import Fault
from ._billed_runs import BilledRuns
from ._billing_index import BillingIndex, BillingScope, FileSample, SlideIdentity, sample_files
from ._slides import SlideInput

if TYPE_CHECKING:
    from ..contracts._protocol import Bridge


@define
class SubmissionBilling:
    """The slides of a submission, recognized where they were billed before, and recorded."""

    scope: BillingScope
    bridge: Bridge
    index: BillingIndex = field(factory=BillingIndex)
    slides: Sequence[tuple[str, SlideIdentity]] = ()
    """What the request is for: references in the run, and what the slides are recognized by."""
    _recognized: set[SlideInput] = field(factory=set, init=False)
    _runs: BilledRuns = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._runs = BilledRuns(self.bridge, self.index, self.scope.application_version)

    async def warnings(self, slides: Mapping[SlideInput, SlideIdentity]) -> list[Fault]:
        """Return a warning for each slide that the platform has results of and that none was returned for.

        Costs no request unless a slide is recognized, and raises nothing.
        """
        fresh = [each for each in slides if each not in self._recognized]
        found = await to_thread.run_sync(self.index.find, self.scope, [slides[each] for each in fresh])
        warnings: list[Fault] = []
        for each, candidates in zip(fresh, found, strict=True):
            try:
                run = await self._runs.first_with_results(candidates)
            except AignosticsError as error:
                return [*warnings, Fault(f"an earlier run can't be read: {error}")]
            if run is not None:
                self._recognized.add(each)
                problem = f"the same slide was analysed with this version already, in run {run.run_id}"
                warnings.append(Fault(f"{problem}; it is billed again", each.reference, each.artifact))
        return warnings

    async def record(self, create: Callable[[], Awaitable[str]]) -> str:
        """Create a run, record it, and return its id; in doubt, record that there may be one."""
        request_id = await to_thread.run_sync(self.index.reserve, self.scope, self.slides)
        try:
            run_id = await create()
        except SubmissionUnknown:
            raise
        except AignosticsError:
            await to_thread.run_sync(self.index.settle, request_id, None)
            raise
        await to_thread.run_sync(self.index.settle, request_id, run_id)
        return run_id


async def sample_slide_files(files: Sequence[Path]) -> FileSample | None:
    """Return what files are recognized by; None where they can't be read."""
    try:
        return await to_thread.run_sync(sample_files, files)
    except OSError:
        return None
