"""What a person should know of a job before it starts: faults, which stop a slide or all, and warnings."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from attrs import frozen


class FindingKind(StrEnum):
    """The subject of a finding."""

    SOURCE = "source"
    """A folder, a list or a manifest that can't be read, or an entry of one."""
    REFERENCE = "reference"
    FORMAT = "format"
    """A file that is no slide, or of a format that can't be read."""
    UNREADABLE = "unreadable"
    RESOLUTION = "resolution"
    SLIDE = "slide"
    """Something about a slide that a person should look at."""
    METADATA = "metadata"
    PACKING = "packing"
    PRIVACY = "privacy"
    STORE = "store"
    DISK = "disk"
    COST = "cost"
    PLATFORM = "platform"


@frozen
class Finding:
    """A fault or warning: the problem, its remedy, and the slide that has it."""

    kind: FindingKind
    problem: str
    remedy: str = ""
    slide: str | None = None
    """The slide's path, or the place in a manifest or list; None where it is the job."""

    def __str__(self) -> str:
        told = f"{self.problem}; {self.remedy}" if self.remedy else self.problem
        return told if self.slide is None else f"{self.slide}: {told}"


@frozen
class FindingGroup:
    """Findings that differ only in their slide."""

    kind: FindingKind
    problem: str
    remedy: str
    slides: tuple[str, ...]


def group_findings(findings: Iterable[Finding]) -> list[FindingGroup]:
    """Group findings of the same kind, problem and remedy, in the order of kinds, the largest group first."""
    slides: dict[tuple[FindingKind, str, str], list[str]] = {}
    for each in findings:
        together = slides.setdefault((each.kind, each.problem, each.remedy), [])
        if each.slide is not None:
            together.append(each.slide)
    groups = [FindingGroup(*key, tuple(names)) for key, names in slides.items()]
    order = list(FindingKind)
    return sorted(groups, key=lambda group: (order.index(group.kind), -len(group.slides)))
