"""What an application version asks of a slide, and what a slide lacks, before its checksum is known. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from ..._inputs import InputArtifact
from ...errors import ConfigurationError
from ...models import RESERVED_KEY, ApplicationVersion, InputArtifactSpec
from ...slides import IdentifyingKind, IdentifyingPolicy
from ...slides.privacy._identifying import Policies, as_policies
from ...submission._metadata import slide_metadata
from ...submission._metadata_cells import CellReader
from ...submission._preflight import metadata_problems
from ...submission._prepare import SOME_CHECKSUM, SOME_URL
from ...submission._schema import schema_validator
from ...submission._slides import kinds_under, packing_problem
from ._findings import Finding, FindingKind
from .sources._slide_entry import CUSTOM_METADATA

if TYPE_CHECKING:
    from ...slides import SlideInfo
    from .._plan import JobPlan
    from .sources._slide_entry import SlideEntry

_MISSING = re.compile(r"metadata(?P<place>[^:]*): '(?P<name>.+)' is a required property")
_PLACE = re.compile(r"metadata\.(?P<place>[^:\[]+)")


class Requirements:
    """What an application version requires of the slides of a job.

        requirements = Requirements.of(plan, version)
        faults = list(requirements.faults(entry, info))

    Raises ConfigurationError for a version that needs several inputs for each item or has an unusable schema,
    or for an `artifact` that is not an input of the version.
    """

    def __init__(
        self,
        version: ApplicationVersion,
        artifact: str | None = None,
        *,
        pack: bool = False,
        identifying: str | Mapping[str, str] | None = None,
    ) -> None:
        self.spec = _input(version, artifact)
        schema = self.spec.metadata_schema
        try:
            self._validator = schema_validator(schema)
        except ValueError as error:
            raise ConfigurationError(
                f"the schema of {version.application_version_id} can't be used ({error}), so nothing can be "
                "checked before it is billed; report it to the platform's support"
            ) from None
        self._cells = CellReader(schema, self._validator)
        self._pack = pack
        self._policies = as_policies(identifying)

    @classmethod
    def of(cls, plan: JobPlan, version: ApplicationVersion) -> Self:
        """Return what a version requires of the slides of a plan."""
        return cls(version, plan.artifact, pack=plan.pack, identifying=plan.identifying)

    def as_artifact(self, entry: SlideEntry, info: SlideInfo, *, url: str, checksum: str) -> InputArtifact:
        """Return a slide as an input artifact, without the custom metadata of its item.

        `url` is its signed URL, `checksum` its CRC32C in wire form. Metadata of `entry`, such as cells of a
        manifest, replace those that were read from the file.
        """
        facts = slide_metadata(self.spec.metadata_schema, info, checksum)
        return InputArtifact(self.spec.name, url, {**facts, **self._cells.read(entry.artifact_cells)})

    def faults(self, entry: SlideEntry, info: SlideInfo) -> Iterator[Finding]:
        """Yield a finding for each known reason why the platform, or the plan's policy, would refuse a slide.

            faults = list(requirements.faults(entry, info))

        Checks the metadata against the version's JSON schema, which may take a while; sends no request.
        """
        if not self._pack and (problem := packing_problem(info, self.spec)):
            remedy = "convert it to one file, or send it as one zip with --pack"
            yield Finding(FindingKind.PACKING, problem, remedy, entry.path)
        yield from policy_faults(entry, info, self._policies)
        if RESERVED_KEY in (entry.item_metadata or {}):
            column = CUSTOM_METADATA + RESERVED_KEY
            problem = f"the column {column} is for the SDK's own use"
            yield Finding(FindingKind.METADATA, problem, "give it another name", entry.path)
        draft = self.as_artifact(entry, info, url=SOME_URL, checksum=SOME_CHECKSUM)
        for problem in metadata_problems(draft, self._validator):
            yield Finding(FindingKind.METADATA, problem, _remedy(problem, entry.cells), entry.path)

    def warnings(self, entry: SlideEntry, info: SlideInfo) -> Iterator[Finding]:
        """Yield what a person should know about a slide that is sent nevertheless."""
        yield from policy_warnings(entry, info, self._policies)


def policy_faults(entry: SlideEntry, info: SlideInfo, policies: Policies) -> Iterator[Finding]:
    """Yield what in a slide may identify a person, as far as it is refused."""
    for kind in _kinds(entry, info, policies, IdentifyingPolicy.REFUSE):
        yield Finding(FindingKind.PRIVACY, kind.problem, kind.remedy, entry.path)


def policy_warnings(entry: SlideEntry, info: SlideInfo, policies: Policies) -> Iterator[Finding]:
    """Yield what a person should know about a slide that is sent nevertheless, whatever the version."""
    for kind in _kinds(entry, info, policies, IdentifyingPolicy.WARN):
        yield Finding(FindingKind.PRIVACY, kind.problem, kind.remedy, entry.path)
    for remark in info.remarks:
        yield Finding(FindingKind.SLIDE, remark.problem, remark.remedy, entry.path)


def _kinds(
    entry: SlideEntry, info: SlideInfo, policies: Policies, policy: IdentifyingPolicy
) -> Iterator[IdentifyingKind]:
    for kind in kinds_under(info, entry.reference, policies, policy):
        if kind is not IdentifyingKind.NAME or not entry.is_pseudonym:  # then no name leaves
            yield kind


def _input(version: ApplicationVersion, artifact: str | None) -> InputArtifactSpec:
    """Return the one input that slides are given to."""
    names = [spec.name for spec in version.input_artifacts]
    told = ", ".join(names) or "none"
    if artifact is not None and artifact not in names:
        raise ConfigurationError(f"{version.application_version_id} has no input {artifact!r}; it has {told}")
    if len(names) != 1:
        raise ConfigurationError(
            f"{version.application_version_id} needs {len(names)} inputs for each item ({told}), and the "
            "commands and bulk jobs give one slide to each; in Python, submit Item(..., slide={"
            f"{', '.join(f'{name!r}: ...' for name in names)}}})"
        )
    return version.input_artifacts[0]


def _remedy(problem: str, cells: Mapping[str, Any]) -> str:
    if missing := _MISSING.fullmatch(problem):
        column = f"{missing['place']}.{missing['name']}".removeprefix(".")
        return f"give it: a column {column} in a manifest, or --metadata {column}=... for all slides"
    found = _PLACE.match(problem)
    place = found["place"] if found else ""
    columns = [
        name
        for name in cells
        if name == place or place.startswith(f"{name}.") or name.startswith(f"{place}.")
    ]
    if place and columns:
        named = ", ".join(columns)
        return f"correct {named}, in its column of the manifest or with --metadata, or leave it out"
    if "Additional properties" in problem or "additional properties" in problem:
        return "remove the column, or the --metadata, that the version does not know"
    return "the version does not accept such a slide; leave it out"
