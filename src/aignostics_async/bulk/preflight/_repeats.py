"""Slides that would be billed more than once: one file under two names, copies, slides of earlier jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from anyio import to_thread
from attrs import frozen

from ..._internals import billed_runs
from ...submission._billing_index import (
    BillingIndex,
    BillingScope,
    FileSample,
    SlideIdentity,
    sample_files,
)
from ...submission._prepare import SOME_CHECKSUM, SOME_URL
from ._findings import Finding, FindingKind

if TYPE_CHECKING:
    from ..._client import Client
    from ...slides import SlideInfo
    from .._plan import JobPlan
    from ._requirements import Requirements
    from .sources._slide_entry import SlideEntry

_REMEDY = "leave it out, or it is billed again"


@frozen
class SampledSlide:
    """A slide that is ready, and what its files are recognized by."""

    entry: SlideEntry
    info: SlideInfo
    sample: FileSample


async def sample_slide(entry: SlideEntry, info: SlideInfo) -> SampledSlide | None:
    """Return a slide with samples of its bytes, 192 KiB of each file; None where they can't be read."""
    try:
        return SampledSlide(entry, info, await to_thread.run_sync(sample_files, info.files))
    except OSError:
        return None


def find_copies(slides: Sequence[SampledSlide]) -> Iterator[Finding]:
    """Give a warning for each slide that is another one of the job, by its file or by its bytes."""
    by_file: dict[frozenset[tuple[int, int]], SampledSlide] = {}
    by_content: dict[tuple[int, str], SampledSlide] = {}
    for slide in sorted(slides, key=lambda each: each.entry.path):
        files = frozenset((device, inode) for device, inode, _, _ in slide.sample.inodes)
        same = by_file.setdefault(files, slide)
        copy = by_content.setdefault((slide.sample.size, slide.sample.content), slide)
        if same is not slide:
            problem = f"it is the same file as {same.entry.path}, by a link"
        elif copy is not slide:
            problem = f"it has the same bytes as {copy.entry.path}, as far as samples of them tell"
        else:
            continue
        yield Finding(
            FindingKind.COST, problem, "leave one of them out, or both are billed", slide.entry.path
        )


async def find_billed(
    slides: Sequence[SampledSlide],
    plan: JobPlan,
    client: Client,
    requirements: Requirements,
    index: BillingIndex | None = None,
) -> Mapping[str, str]:
    """Return the references of slides that this user had analysed before, under any name, with their runs.

    Recognized by the local index of billed slides; a run counts as long as the platform has its results.
    Costs no request unless a slide is recognized. Raises AignosticsError where a run can't be read.
    """
    known = index or BillingIndex()
    scope = BillingScope(api_root=plan.api_root, application_version=plan.application_version)
    identities = [identify_slide(slide, requirements) for slide in slides]
    found = await to_thread.run_sync(known.find, scope, identities)
    billed = billed_runs(client, known, plan.application_version)
    again: dict[str, str] = {}
    for slide, runs in zip(slides, found, strict=True):
        if runs and (run := await billed.first_with_results(runs)) is not None:
            again[slide.entry.reference] = run.run_id
    return again


def billed_again(slides: Sequence[SampledSlide], again: Mapping[str, str]) -> Iterator[Finding]:
    """Give a warning for each slide that was recognized in an earlier run."""
    for slide in slides:
        if (run_id := again.get(slide.entry.reference)) is not None:
            problem = f"the same slide was analysed with this version already, in run {run_id}"
            yield Finding(FindingKind.COST, problem, _REMEDY, slide.entry.path)


def identify_slide(slide: SampledSlide, requirements: Requirements) -> SlideIdentity:
    """Return what the index of billed slides knows a slide by."""
    artifact = requirements.as_artifact(slide.entry, slide.info, url=SOME_URL, checksum=SOME_CHECKSUM)
    return SlideIdentity(metadata=artifact.metadata, sample=slide.sample)


def is_same_end(reference: str, other: str) -> bool:
    """Whether one reference is the end of the other one's path, as for a folder inside another one."""
    longer, shorter = sorted((reference, other), key=len, reverse=True)
    return longer.endswith(f"/{shorter}")


def file_name(reference: str) -> str:
    """Return the last part of a reference that is a path."""
    return Path(reference).name
