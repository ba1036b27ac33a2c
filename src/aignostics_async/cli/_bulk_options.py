"""What a bulk job is told on the command line, for every command that begins one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from attrs import frozen
from cyclopts import Parameter, Token

from ..bulk._plan import JobPlan
from ..bulk.preflight.sources._selection_rules import SelectionRule
from ..bulk.preflight.sources._sources import Sources
from ._common import key_value


def _rules(_type: Any, tokens: Sequence[Token]) -> tuple[SelectionRule, ...]:
    """Return rules in the order in which they were given, whichever of the two options they came by."""
    return tuple(SelectionRule(token.value, counts=token.keyword == "--include") for token in tokens)


@Parameter(name="*")
@frozen(kw_only=True)
class JobOptions:
    """Which slides, and what becomes of them."""

    store: Annotated[
        str,
        Parameter(
            help="Where the slides go: s3://bucket/prefix, gs://bucket/prefix, az://container/prefix, or the "
            "address of a store of the API's own origin."
        ),
    ]
    manifest: Annotated[
        Path | None,
        Parameter(
            help="A CSV file with a column path, and maybe reference, mpp, mpp_x and mpp_y; other columns "
            "are metadata. Paths are relative to it."
        ),
    ] = None
    files_from: Annotated[
        Path | None,
        Parameter(allow_leading_hyphen=True, help="A file with one path per line; - is standard input."),
    ] = None
    rules: Annotated[
        tuple[SelectionRule, ...],
        Parameter(
            name=("--include", "--exclude"),
            converter=_rules,
            negative=(),
            n_tokens=1,
            accepts_keys=False,
            show_default=False,
            help="A pattern of files to take, or to leave out: '*.svs', 'lung/**'. Of those that fit the "
            "last one wins; what none fits counts unless the first one is --include.",
        ),
    ] = ()
    limit: Annotated[int | None, Parameter(help="How many slides at most.")] = None
    reference_from: Annotated[
        str | None,
        Parameter(
            help="Where references come from: relpath, stem, or column:NAME of the manifest. By default the "
            "column reference where it says something, else the path."
        ),
    ] = None
    mpp: Annotated[
        float | None, Parameter(help="µm per pixel of all slides for which the manifest has none.")
    ] = None
    metadata: Annotated[
        tuple[str, ...],
        Parameter(negative=(), show_default=False, help="Metadata of all slides, as KEY=VALUE."),
    ] = ()
    prefix: Annotated[str, Parameter(help="What the keys of objects begin with.")] = "aignostics-async"
    results: Annotated[Path | None, Parameter(help="Where outputs go, if not to the job's own folder.")] = (
        None
    )
    chunk_size: Annotated[int, Parameter(help="Items of one run, 500 at most.")] = 100
    max_items: Annotated[int | None, Parameter(help="How many items may be billed.")] = None
    pack: Annotated[
        bool,
        Parameter(
            negative=(),
            help="Send slides of several files as one zip to a version that does not say that it takes one.",
        ),
    ] = False
    reference_tag: Annotated[
        bool,
        Parameter(
            negative=(), help="Mark each reference, as the platform sees it, with the job that it is of."
        ),
    ] = False

    def plan(self, api_root: str, application_version: str) -> JobPlan:
        """Return the plan of a job at a deployment."""
        return JobPlan(
            api_root=api_root,
            application_version=application_version,
            store=self.store,
            prefix=self.prefix,
            results=self.results,
            chunk_size=self.chunk_size,
            reference_tag=self.reference_tag,
            max_items=self.max_items,
            pack=self.pack,
        )

    def sources(self, places: Sequence[str]) -> Sources:
        """Return where the slides are."""
        return Sources(
            places=places,
            files_from=self.files_from,
            manifest=self.manifest,
            rules=self.rules,
            limit=self.limit,
            reference_from=self.reference_from,
            mpp=self.mpp,
            metadata=dict(key_value(text) for text in self.metadata),
        )
