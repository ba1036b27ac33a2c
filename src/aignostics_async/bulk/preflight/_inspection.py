"""What slides say of themselves and what would keep them from being sent, without a platform or a store."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from attrs import evolve, field, frozen

from ..._core._tasks import for_each
from ...slides import LeftOut, SlideInfo
from ...slides._identifying import Policies, as_policies
from ._findings import Finding
from ._requirements import policy_faults, policy_warnings
from .slide_probe._prober import Prober
from .sources._discovery import discover, shown
from .sources._slide_entry import SlideEntry
from .sources._sources import Sources


@frozen(kw_only=True)
class InspectedSlide:
    """A slide, and everything that is known about it."""

    path: str
    reference: str
    """What `submit` and bulk jobs call it."""
    info: SlideInfo | None
    """None where it can't be read."""
    size: int | None
    """Bytes of all its files."""
    faults: tuple[Finding, ...]
    """What keeps it from being sent."""
    warnings: tuple[Finding, ...]
    thumbnail: bytes | None = field(default=None, repr=False)
    """A small picture of its tissue as JPEG, if it was asked for and there is one."""


@frozen
class Inspection:
    """All slides of some places, and an account of everything else there."""

    slides: tuple[InspectedSlide, ...]
    left_out: tuple[LeftOut, ...]
    """Files that were seen and not taken, each with the reason."""
    faults: tuple[Finding, ...]
    """Of places, files and folders that are no slide."""

    @property
    def is_clear(self) -> bool:
        """Whether nothing keeps a slide from being sent."""
        return not self.faults and not any(slide.faults for slide in self.slides)

    def to_json(self) -> str:
        """Return it as a JSON object; thumbnails are left out."""
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
    """Read the slides in folders, and slides that are named, and return what would be said about them.

        inspection = await inspect_slides("lab/")
        for slide in inspection.slides:
            print(slide.path, slide.info, slide.faults)

    Each is read in a process of its own, so that one that crashes its reader is a fault like any other.
    `identifying` is the policy as for `runs.submit`. With `decode` all pixels are decoded, which takes
    minutes for a large slide. Nothing is sent. Raises ConfigurationError without the `slides` extra.
    """
    policies = as_policies(identifying)
    async with Prober(decode=decode) as prober:
        found = await discover(Sources(places=map(os.fspath, places), mpp=mpp), prober)
        slides: dict[int, InspectedSlide] = {}

        async def inspect(numbered: tuple[int, SlideEntry]) -> None:
            number, entry = numbered
            slide = await _inspected(prober, entry, policies)
            if thumbnails and slide.info is not None:
                picture = await prober.picture(entry.path)
                slide = evolve(slide, thumbnail=picture if isinstance(picture, bytes) else None)
            slides[number] = slide

        await for_each(list(enumerate(found.entries)), inspect, limit=2 * prober.workers)
    return Inspection(
        tuple(slides[number] for number in sorted(slides)), tuple(found.left_out), tuple(found.faults)
    )


async def _inspected(prober: Prober, entry: SlideEntry, policies: Policies) -> InspectedSlide:
    probed = await prober.probe(entry.slide)
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
            "files": [str(path) for path in info.files],
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
