"""What a person should know of a job before it starts: faults, which stop a slide or all, and warnings."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from attrs import frozen


class FindingKind(StrEnum):
    """The subject of a `Finding`.

        disk = [finding for finding in report.faults if finding.kind is FindingKind.DISK]

    The values, from `"source"` to `"platform"`, are the names in lower case. JSON reports have them as
    `kind`.
    """

    SOURCE = "source"
    """A place, list or manifest without usable slides, an entry of one, or a slide that is left out."""
    REFERENCE = "reference"
    """A reference that is invalid, or used twice."""
    FORMAT = "format"
    """A file that is not a slide, or of an unsupported format."""
    UNREADABLE = "unreadable"
    """A slide that is incomplete or damaged, or can't be read."""
    RESOLUTION = "resolution"
    """A resolution that is missing, implausible or contradictory."""
    SLIDE = "slide"
    """Something about a slide that a person should look at."""
    METADATA = "metadata"
    """Metadata that do not fit the schema of the application version."""
    PACKING = "packing"
    """A slide of several files for which the version lists no format."""
    PRIVACY = "privacy"
    """Content that may identify a person."""
    STORE = "store"
    """The object store or its credentials."""
    DISK = "disk"
    """The space for output files."""
    COST = "cost"
    """Slides that would or may be billed twice, or more slides than the plan permits."""
    CLUSTER = "cluster"
    """What the workers of a cluster can't do or don't see."""
    PLATFORM = "platform"
    """The platform, or earlier runs that can't be listed or read."""


@frozen
class Finding:
    """A fault or warning of a preflight, as `PreflightReport.faults` and `.warnings` list it.

        for finding in report.faults:
            print(finding.kind, finding.slide, finding.problem, finding.remedy)

    `kind` is a `FindingKind`. `problem` and `remedy` (empty by default) are texts for people. `slide` is the
    path of the slide, folder, manifest or list, or the line of one; None, the default, for a finding of the
    whole job. `str(finding)` has all but the kind, for people.
    """

    kind: FindingKind
    """The subject."""
    problem: str
    """What is wrong."""
    remedy: str = ""
    """What to do about it; empty by default."""
    slide: str | None = None
    """The path of the slide, folder, manifest or list, or the line of one; None, the default, for the whole
    job.
    """

    def __str__(self) -> str:
        told = f"{self.problem}; {self.remedy}" if self.remedy else self.problem
        return told if self.slide is None else f"{self.slide}: {told}"


@frozen
class FindingGroup:
    """Findings that differ only in their slide, as `group_findings` returns them.

        for group in group_findings(report.faults):
            print(group.kind, group.problem, group.remedy, len(group.slides))

    `kind`, `problem` and `remedy` are those of each `Finding`. `slides` is a tuple of the `slide` of each
    that has one, in their order.
    """

    kind: FindingKind
    """The subject."""
    problem: str
    """What is wrong."""
    remedy: str
    """What to do about it; may be empty."""
    slides: tuple[str, ...]
    """The slides of those findings that have one, in their order."""


def group_findings(findings: Iterable[Finding]) -> list[FindingGroup]:
    """Group findings of the same kind, problem and remedy.

        for group in group_findings(report.faults):
            print(group.problem, len(group.slides))

    Groups are in the order of `FindingKind`; within a kind, the one with most slides comes first. The list is
    empty without findings.
    """
    slides: dict[tuple[FindingKind, str, str], list[str]] = {}
    for each in findings:
        together = slides.setdefault((each.kind, each.problem, each.remedy), [])
        if each.slide is not None:
            together.append(each.slide)
    groups = [FindingGroup(*key, tuple(names)) for key, names in slides.items()]
    order = list(FindingKind)
    return sorted(groups, key=lambda group: (order.index(group.kind), -len(group.slides)))
