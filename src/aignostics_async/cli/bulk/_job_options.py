"""The options of commands that create a bulk job."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from attrs import frozen
from cyclopts import Parameter, Token

from ...bulk import JobPlan, SelectionRule, Sources
from .._options import (
    Deadline,
    Decode,
    DueDate,
    Endpoint,
    Identifying,
    IncludeLabel,
    RunMetadata,
    Whole,
    as_time,
    identifying_policies,
    key_value,
    run_metadata,
)


def _rules(_type: Any, tokens: Sequence[Token]) -> tuple[SelectionRule, ...]:
    """Return the rules of both options in their common order."""
    return tuple(SelectionRule(token.value, counts=token.keyword == "--include") for token in tokens)


@Parameter(name="*")
@frozen(kw_only=True)
class JobOptions:
    """The slides of a job, and what is done with them."""

    store: Annotated[
        str,
        Parameter(
            help="Where to upload: platform for the bucket that the platform gives to your organization, "
            "s3://bucket/prefix, gs://bucket/prefix, az://container/prefix, or the URL of a store that "
            "belongs to the platform itself, such as the emulator's."
        ),
    ]
    endpoint: Endpoint = None
    manifest: Annotated[
        Path | None,
        Parameter(
            help="A CSV file with a column path and, optionally, reference, mpp, mpp_x, mpp_y, mpp_source; "
            "other columns are metadata, and those that begin with custom_metadata. are kept with the item "
            "by the platform. Paths are relative to the file."
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
            metavar="PATTERN",
            help="A pattern of files to include or exclude: '*.svs', 'lung/**'. The last matching pattern "
            "decides. A file that matches none is included, unless the first pattern is an --include.",
        ),
    ] = ()
    limit: Annotated[Whole | None, Parameter(help="The maximum number of slides; by default no limit.")] = (
        None
    )
    reference_from: Annotated[
        str | None,
        Parameter(
            help="The source of references: relpath, stem, column:NAME of the manifest, or pseudonyms, with "
            "which no name leaves this machine. The default is the manifest's column reference, or the path "
            "where it is empty."
        ),
    ] = None
    mpp: Annotated[
        float | None,
        Parameter(
            help="µm per pixel, for all slides for which neither manifest nor file says a plausible one. A "
            "file that plausibly says another one is a fault; to give it to some slides, use the "
            "manifest's column mpp."
        ),
    ] = None
    metadata: Annotated[
        tuple[str, ...],
        Parameter(negative=(), show_default=False, help="Metadata of all slides, as KEY=VALUE."),
    ] = ()
    run_metadata: RunMetadata = ()
    due_date: DueDate = None
    deadline: Deadline = None
    prefix: Annotated[str, Parameter(help="The prefix of object keys.")] = "aignostics-async"
    results: Annotated[
        Path | None, Parameter(help="The folder of outputs; by default one in the job's folder.")
    ] = None
    chunk_size: Annotated[Whole, Parameter(help="Items per run, 500 at most.")] = 100
    max_items: Annotated[
        Whole | None, Parameter(help="The maximum number of items to be billed; by default no limit.")
    ] = None
    price: Annotated[
        str | None,
        Parameter(help="The price of an item, such as 12.50; plan, status and report then tell the total."),
    ] = None
    currency: Annotated[str | None, Parameter(help="The currency of --price, such as EUR.")] = None
    pack: Annotated[
        bool,
        Parameter(
            negative=(),
            show_default=False,
            help="Send slides of several files as one zip, even if the application version does not declare "
            "that it accepts one.",
        ),
    ] = False
    reference_tag: Annotated[
        bool,
        Parameter(
            negative=(), show_default=False, help="Append a tag of the job to each reference on the platform."
        ),
    ] = False

    identifying: Identifying = ()
    decode: Decode = False
    include_label: IncludeLabel = False

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
            price=self.price,
            currency=self.currency,
            pack=self.pack,
            identifying=identifying_policies(self.identifying),
            decode=self.decode,
            metadata=run_metadata(self.run_metadata, "--run-metadata"),
            due_date=as_time(self.due_date),
            deadline=as_time(self.deadline),
        )

    def sources(self, places: Sequence[str]) -> Sources:
        """Return the sources of slides."""
        return Sources(
            places=places,
            files_from=self.files_from,
            manifest=self.manifest,
            rules=self.rules,
            limit=self.limit,
            reference_from=self.reference_from,
            mpp=self.mpp,
            include_label=self.include_label,
            metadata=dict(key_value(pair) for pair in self.metadata),
        )
