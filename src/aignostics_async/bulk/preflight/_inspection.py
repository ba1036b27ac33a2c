"""What slides say of themselves and what would keep them from being sent, without a platform or a store."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from attrs import evolve, field, frozen

from ..._core._arguments import as_path
from ..._core._tasks import for_each
from ...errors import SlideError
from ...slides import LeftOut, SlideInfo
from ...slides.privacy._identifying import Policies, as_policies
from ...slides.workers._prober import Prober
from ._findings import Finding
from ._requirements import policy_faults, policy_warnings
from ._slide_probe import as_finding
from .sources._discovery import discover, shown
from .sources._slide_entry import SlideEntry
from .sources._sources import Sources


@frozen(kw_only=True)
class InspectedSlide:
    """A slide with its facts, faults and warnings, as `Inspection.slides` lists it.

        for slide in (await inspect_slides("lab/")).slides:
            print(slide.reference, slide.info, slide.faults, slide.warnings)

    `path` is an absolute path, as text. `reference` is what the command `submit` and bulk jobs send by
    default. `info` is a `SlideInfo` and `size` the bytes of all files; both are None for a slide that can't
    be read. `faults` keep the slide from being sent, `warnings` do not; both are tuples of `Finding`, empty
    without any. `thumbnail` is a JPEG; None, the default, unless it was requested and can be made.
    """

    path: str
    """The path of the slide."""
    reference: str
    """The reference that the command `submit` and bulk jobs give it by default."""
    info: SlideInfo | None
    """Size, resolution and format; None if the slide can't be read."""
    size: int | None
    """Bytes of all its files; None if the slide can't be read."""
    faults: tuple[Finding, ...]
    """What keeps the slide from being sent; empty if nothing does."""
    warnings: tuple[Finding, ...]
    """What a person should know about the slide, and does not keep it from being sent."""
    thumbnail: bytes | None = field(default=None, repr=False)
    """A small picture of its tissue as JPEG; None, the default, unless requested and available."""


@frozen
class Inspection:
    """The result of `inspect_slides`: the slides, and the files and folders that were left out.

        inspection = await inspect_slides("lab/")
        print(len(inspection.slides), inspection.is_clear)

    `slides` has an `InspectedSlide` for each, in the order of the places; those in a folder come by name, and
    before those in its subfolders. `left_out` has a `LeftOut` for files below the places that are not taken,
    and for folders that were not searched. `faults` has a `Finding` for each place, file or folder that can't
    be read or has no usable reference; the faults of a slide are its own. All are tuples, and may be empty.
    """

    slides: tuple[InspectedSlide, ...]
    """The slides, in the order of the places; those in a folder by name, and before those in its subfolders.
    """
    left_out: tuple[LeftOut, ...]
    """Files that are not among the slides, and folders that were not searched, with the reason."""
    faults: tuple[Finding, ...]
    """Findings about places, files and folders that can't be read, or that have no usable reference."""

    @property
    def is_clear(self) -> bool:
        """Whether neither the inspection nor a slide has a fault; warnings and `left_out` do not count."""
        return not self.faults and not any(slide.faults for slide in self.slides)

    def to_json(self) -> str:
        """Return the inspection as the text of a JSON object, without thumbnails.

            inspection = await inspect_slides("lab/")
            Path("inspection.json").write_text(inspection.to_json(), encoding="utf-8")

        Its keys are

        - `slides`: objects with `path`, `reference`, `faults`, `warnings` and, if the slide can be read,
          `format`, `mime_type`, `width` and `height` in pixels, `mpp_x` and `mpp_y` in µm per pixel, `size`
          in bytes, `files`, `associated_images`, `identifying` (values of `IdentifyingKind`) and `series`
          (null unless it is DICOM);
        - `left_out`: objects with `path`, `reason` (a value of `LeftOutReason`) and `detail`;
        - `faults`, as those of a slide: objects with `kind` (a value of `FindingKind`), `problem`, `remedy`
          and `slide`.
        """
        value = {
            "slides": [_as_dict(slide) for slide in self.slides],
            "left_out": [
                {"path": shown(each.path), "reason": each.reason, "detail": each.detail}
                for each in self.left_out
            ],
            "faults": [_told(fault) for fault in self.faults],
        }
        return json.dumps(value, indent=2, ensure_ascii=False)


async def inspect_slides(
    *places: str | os.PathLike[str],
    mpp: float | None = None,
    identifying: str | Mapping[str, str] | None = None,
    decode: bool = False,
    thumbnails: bool = False,
) -> Inspection:
    """Read the slides in folders, and slides that are named, and return their facts, faults and warnings.

        inspection = await inspect_slides("lab/", "other/case-7.svs")
        for slide in inspection.slides:
            print(slide.path, slide.info, slide.faults)

    `places` are folders, files and patterns, as in `Sources.places`. `mpp` is the resolution, from 0.05 to 5
    µm per pixel, of slides whose files have none; None, the default, sets none. A file whose own differs from
    it by more than 2 % is a fault. `identifying` is the policy as for `Runs.submit`; None, the default,
    refuses slides that name the patient. With `decode=True` all pixels are decoded, which takes minutes for a
    large slide; with `thumbnails=True` each slide gets a JPEG of at most 200 pixels a side, if one can be
    made. Both are False by default.

    Costs reading the beginning of every file, and up to 8 processes, which read the header of each slide;
    sends nothing. Faults of slides and places are reported, not raised: also a slide that crashes its
    process, or takes longer than 60 s (an hour with `decode`). Raises ConfigurationError without places, for
    an implausible `mpp`, without the `slides` extra, or if the processes can't be started or 20 in a row are
    lost; and UsageError for an invalid `identifying`, or a place that is no path.
    """
    for place in places:
        as_path(place, "a place")
    policies = as_policies(identifying)
    async with Prober(decode=decode) as prober:
        found = await discover(Sources(places=places, mpp=mpp), prober)
        slides: dict[int, InspectedSlide] = {}

        async def inspect(numbered: tuple[int, SlideEntry]) -> None:
            number, entry = numbered
            slide = await _inspected(prober, entry, policies)
            if thumbnails and slide.info is not None:
                with suppress(SlideError):
                    slide = evolve(slide, thumbnail=await prober.picture(entry.path))
            slides[number] = slide

        await for_each(list(enumerate(found.entries)), inspect, limit=2 * prober.workers)
    return Inspection(
        tuple(slides[number] for number in sorted(slides)), tuple(found.left_out), tuple(found.faults)
    )


async def _inspected(prober: Prober, entry: SlideEntry, policies: Policies) -> InspectedSlide:
    probed = await as_finding(prober.probe(entry.slide), entry.path)
    slide = InspectedSlide(
        path=entry.path, reference=entry.reference, info=None, size=None, faults=(), warnings=()
    )
    if isinstance(probed, Finding):
        return evolve(slide, faults=(probed,))
    return evolve(
        slide,
        info=probed.info,
        size=probed.size,
        faults=tuple(policy_faults(entry, probed.info, policies)),
        warnings=tuple(policy_warnings(entry, probed.info, policies)),
    )


def _as_dict(slide: InspectedSlide) -> dict[str, Any]:
    info = slide.info
    facts: dict[str, Any] = {}
    if info is not None:
        facts = {
            "format": info.format,
            "mime_type": info.mime_type,
            "width": info.width,
            "height": info.height,
            "mpp_x": info.mpp_x,
            "mpp_y": info.mpp_y,
            "size": slide.size,
            "files": [shown(str(path)) for path in info.files],
            "associated_images": list(info.associated_images),
            "identifying": list(info.identifying),
            "series": info.series,
        }
    return {
        "path": slide.path,
        "reference": slide.reference,
        **facts,
        "faults": [_told(fault) for fault in slide.faults],
        "warnings": [_told(warning) for warning in slide.warnings],
    }


def _told(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind.value,
        "problem": finding.problem,
        "remedy": finding.remedy,
        "slide": finding.slide,
    }
