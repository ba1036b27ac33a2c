"""The slides of a request: read and checked before anything is uploaded, compared before the POST."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import anyio.to_thread
from attrs import frozen

from .._core._tasks import run_all
from .._inputs import Slide
from ..errors import LocalFileChanged, SlideError
from ..models import Fault, InputArtifactSpec
from ..slides import IdentifyingKind, IdentifyingPolicy, SlideInfo
from ..slides._fingerprints import measure, sampled_digest
from ..slides.privacy._identifying import Policies
from ..slides.privacy._person_names import name_kinds
from ..slides.workers._probed_slide import ProbedSlide
from ..slides.workers._prober import Prober

_ZIP = "application/zip"
_ANY = "application/octet-stream"

Warn = Callable[[Fault], None]
"""Is told what a person should know about a slide, and what does not keep it from being sent."""


@frozen(eq=False)
class SlideInput:
    """One slide on its way to one artifact of one item."""

    item: int
    """The item's place in the request; references may be equal until that was checked."""
    reference: str
    artifact: str
    slide: Slide


async def read_inputs(inputs: Sequence[SlideInput], *, decode: bool = False) -> list[ProbedSlide | Fault]:
    """Return what slides say about themselves, or why they can't be sent; no process is left that read them.

    Raises what `Prober.probe` raises beside SlideError.
    """
    async with Prober(decode=decode) as prober:
        return await run_all([partial(_read, prober, each) for each in inputs], limit=2 * prober.workers)


async def _read(prober: Prober, each: SlideInput) -> ProbedSlide | Fault:
    try:
        return await prober.probe(each.slide)
    except SlideError as error:
        return Fault(str(error), each.reference, each.artifact)


def takes_zips(spec: InputArtifactSpec) -> bool:
    """Whether a version's input says that it takes several files as one zip."""
    return spec.mime_type in (_ZIP, _ANY) or f'"{_ZIP}"' in json.dumps(spec.metadata_schema)


def packing_problem(info: SlideInfo, spec: InputArtifactSpec) -> str | None:
    """Return why a version does not take a slide that is sent as a zip; None where it does."""
    if info.mime_type != _ZIP or takes_zips(spec):
        return None
    return f"it is {len(info.files)} files, and the version asks for {spec.mime_type}"


def kinds_under(
    info: SlideInfo, reference: str, policies: Policies, policy: IdentifyingPolicy
) -> Iterator[IdentifyingKind]:
    """Give what in a slide and its reference may identify a person, as far as one policy is for it."""
    kinds = sorted({*info.identifying, *name_kinds([reference])})
    return (kind for kind in kinds if policies[kind] is policy)


def slide_faults(
    slides: Mapping[SlideInput, ProbedSlide],
    specs: Sequence[InputArtifactSpec],
    policies: Policies,
    *,
    pack: bool,
) -> Iterator[Fault]:
    """Give everything that keeps slides that were read from being sent. Pure."""
    by_name = {spec.name: spec for spec in specs}
    for each, read in slides.items():
        spec = by_name.get(each.artifact)
        if spec is not None and not pack and (problem := packing_problem(read.info, spec)):
            yield Fault(
                f"{problem}; convert it to one file, or send it as one zip with pack",
                each.reference,
                each.artifact,
            )
        for kind in kinds_under(read.info, each.reference, policies, IdentifyingPolicy.REFUSE):
            yield Fault(f"{kind.problem}; {kind.remedy}", each.reference, each.artifact)
    yield from _twice(slides)


def _twice(slides: Mapping[SlideInput, ProbedSlide]) -> Iterator[Fault]:
    """Give a fault for each item that is one DICOM series together with an item before it."""
    first: dict[str, SlideInput] = {}
    for each, read in slides.items():
        if read.info.series is None:
            continue
        known = first.setdefault(read.info.series, each)
        if known.item != each.item:
            yield Fault(
                f"it is of the same DICOM series as item {known.reference!r}, and would be billed twice; "
                "give one item for all files of a series",
                each.reference,
                each.artifact,
            )


def slide_warnings(slides: Mapping[SlideInput, ProbedSlide], policies: Policies) -> Iterator[Fault]:
    """Give what a person should know about slides that are sent all the same. Pure."""
    for each, read in slides.items():
        for kind in kinds_under(read.info, each.reference, policies, IdentifyingPolicy.WARN):
            yield Fault(f"{kind.problem}; {kind.remedy}", each.reference, each.artifact)
        for remark in read.info.remarks:
            words = f"{remark.problem}; {remark.remedy}" if remark.remedy else remark.problem
            yield Fault(words, each.reference, each.artifact)


async def copy_warnings(slides: Mapping[SlideInput, ProbedSlide]) -> list[Fault]:
    """Return a warning for each slide that another item of the request has, too, under any name."""
    by_size: dict[int, list[SlideInput]] = {}
    for each, read in slides.items():
        by_size.setdefault(read.size, []).append(each)
    alike = [each for same in by_size.values() if len(same) > 1 for each in same]
    first: dict[str, SlideInput] = {}
    warnings = []
    for each in alike:
        key = await anyio.to_thread.run_sync(_content, slides[each].info.files)
        known = first.setdefault(key, each)
        if known.item != each.item:
            problem = f"it has the same bytes as item {known.reference!r}, as far as samples of them tell"
            remedy = "leave one of them out, or both are billed"
            warnings.append(Fault(f"{problem}; {remedy}", each.reference, each.artifact))
    return warnings


def _content(files: Iterable[Path]) -> str:
    try:
        return " ".join(sorted(map(sampled_digest, files)))
    except OSError as error:
        return f"{error.filename} is gone"


async def check_unchanged(slides: Mapping[SlideInput, ProbedSlide]) -> None:
    """Raise LocalFileChanged if a file of a slide is not the one any more that was read.

    Called right before the request that costs money.
    """
    for each, read in slides.items():
        if await anyio.to_thread.run_sync(_fingerprint, read.info.files) != read.fingerprint:
            raise LocalFileChanged(
                "it changed after it was read, so nothing was created; wait until it is complete, and submit "
                "again",
                name=str(each.slide.path),
            )


def _fingerprint(files: Iterable[Path]) -> str | None:
    try:
        return measure(files)[1]
    except OSError:
        return None
