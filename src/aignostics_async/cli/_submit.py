"""`submit`: from slide files to a run, and to its results."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from attrs import evolve
from cyclopts import Parameter

from .. import ApplicationVersion, Client, FoundSlides, Item, find_slides, read_api_root, read_metadata
from ..errors import SubmissionUnknown, UsageError
from ._applications import find_version
from ._options import (
    Bwlimit,
    Deadline,
    Decode,
    DueDate,
    Endpoint,
    Flag,
    Identifying,
    IncludeLabel,
    Json,
    PollInterval,
    RunMetadata,
    as_time,
    client,
    identifying_policies,
    key_value,
    run_metadata as as_run_metadata,
)
from ._output import count, err, note, out, print_json
from ._progress import transfer_progress
from ._rehearsal import DryRun
from .runs._download import download_results

_MAX_NAMED = 20


async def submit(
    application_version: str,
    /,
    *slides: Path,
    store: str,
    endpoint: Endpoint = None,
    mpp: float | None = None,
    metadata: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    run_metadata: RunMetadata = (),
    due_date: DueDate = None,
    deadline: Deadline = None,
    download: Path | None = None,
    identifying: Identifying = (),
    pack: Annotated[bool, Flag] = False,
    decode: Decode = False,
    references: Literal["given", "pseudonyms"] = "given",
    include_label: IncludeLabel = False,
    poll_interval: PollInterval = 30,
    bwlimit: Bwlimit = None,
    force: Annotated[bool, Flag] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Read, check, upload and submit slides as one run.

    The reference of a slide is its file name, or its path below the folder that was given. With --dry-run the
    slides are checked as by 'bulk plan', and nothing is uploaded or billed.

    Ends with 3 if some items or files of a download failed, with 4 if it is unknown whether the run was
    created, and with 6 if slides have faults, and nothing was uploaded.

    Example: `aignostics-async submit he-tme:v1.1.0 slides/ --store s3://bucket/prefix --download results/`

    Parameters
    ----------
    application_version
        The application version, such as he-tme:v1.0.0; see 'applications'.
    slides
        Slide files, or folders of them.
    store
        Where to upload: platform for the bucket that the platform gives to your organization; s3://bucket/prefix,
        gs://bucket/prefix or az://container/prefix with credentials from the environment; or the URL of a
        store that belongs to the platform itself, such as the emulator's.
    mpp
        µm per pixel, for all slides whose files say none that is plausible. A file that plausibly says
        another one is a fault: submit it alone, without --mpp.
    metadata
        More metadata for every slide, as KEY=VALUE, such as staining_method=IHC. specimen.tissue=LUNG is a
        field of the object specimen. The version's schema says whether 3 is a number or a text; JSON is
        accepted, too.
    download
        Wait for the run and download its results to this folder.
    pack
        Send slides of several files as one zip, even if the application version does not declare that it
        accepts one.
    references
        With pseudonyms, neither references nor names of files leave this machine; pseudonyms.csv in the state
        folder tells which slide each stands for.
    force
        Submit even if the platform says that it is DOWN.
    """
    if ":" not in application_version:
        raise UsageError(
            f"{application_version!r} is no version id; give application and version, such as "
            "'he-tme:v1.1.0'. 'aignostics-async applications APPLICATION' lists them"
        )
    texts = dict(key_value(pair) for pair in metadata)
    kept = as_run_metadata(run_metadata, "--run-metadata")
    found = _find(slides)
    if dry_run:
        plan = {
            "store": store,
            "identifying": identifying_policies(identifying),
            "pack": pack,
            "decode": decode,
            "metadata": kept,
            "due_date": as_time(due_date),
            "deadline": as_time(deadline),
        }
        sources: dict[str, Any] = {"mpp": mpp, "metadata": texts, "include_label": include_label}
        if references == "pseudonyms":
            sources["reference_from"] = references
        return await _rehearse(
            {"application_version": application_version, **plan},
            {"places": [str(path) for path in slides], **sources},
            client(poll_interval, bwlimit),
            endpoint,
            as_json=as_json,
        )
    options: dict[str, Any] = {
        "identifying": identifying_policies(identifying),
        "pack": pack,
        "decode": decode,
        "references": references,
        "metadata": kept,
        "due_date": as_time(due_date),
        "deadline": as_time(deadline),
        "force": force,
        "warn": lambda warning: note(f"warning: {warning}"),
    }
    async with client(poll_interval, bwlimit) as session:
        target = session.store(store, endpoint=endpoint)
        version = await find_version(session, application_version)
        _check_inputs(version)
        facts = read_metadata(version, texts)
        items = [
            Item(
                found.references[slide.path],
                slide=evolve(slide, mpp=mpp, metadata=facts, include_label=include_label),
            )
            for slide in found
        ]
        with _advice([item.reference for item in items]):
            if as_json:
                run = await session.runs.submit(version, items, store=target, **options)
            else:
                with transfer_progress() as progress:
                    run = await session.runs.submit(
                        version, items, store=target, progress=progress, **options
                    )
        if download is not None:
            # Before the wait: the run is paid for, even if the wait is interrupted.
            err(f"run {run.id}")
            return await download_results(run, download, wait=True, as_json=as_json)
    if as_json:
        print_json({"run_id": run.id})
    else:
        out(run.id)
    return 0


async def _rehearse(
    plan: dict[str, Any], sources: dict[str, Any], session: Client, endpoint: str | None, *, as_json: bool
) -> int:
    """Show what would be sent and everything that would fail, like 'bulk plan'."""
    from ..bulk import JobPlan, Sources
    from .bulk._plan import preflight

    job = JobPlan(api_root=read_api_root(os.environ), **plan)
    return await preflight(job, Sources(**sources), session, endpoint=endpoint, as_json=as_json)


@contextmanager
def _advice(references: list[str]) -> Iterator[None]:
    """Say how to find the run of an interrupted submission."""
    try:
        yield
    except (asyncio.CancelledError, SubmissionUnknown):
        named = " ".join(map(shlex.quote, references[:_MAX_NAMED]))
        more = " ..." if len(references) > _MAX_NAMED else ""
        err(
            "the submission was interrupted; before you repeat it, check whether a run was created: "
            f"aignostics-async runs find {named}{more}"
        )
        raise


def _check_inputs(version: ApplicationVersion) -> None:
    """Raise UsageError for a version that takes several slides for each item."""
    names = [spec.name for spec in version.input_artifacts]
    if len(names) > 1:
        slides = ", ".join(f"{name!r}: ..." for name in names)
        raise UsageError(
            f"{version.application_version_id} takes {len(names)} slides for each item, and the commands "
            f"submit versions with one input; in Python, submit Item(..., slide={{{slides}}})"
        )


def _find(paths: tuple[Path, ...]) -> FoundSlides:
    missing = next((path for path in paths if not path.exists()), None)
    if missing is not None:
        raise UsageError(f"there is no file or folder {missing}; is the path right?")
    slides = find_slides(*paths)
    for each in slides.left_out:
        if each.is_slide:
            note(f"left out: {each.path} ({each.reason}{': ' if each.detail else ''}{each.detail})")
    others = sum(not each.is_slide for each in slides.left_out)
    if others:
        note(f"left out: {count(others, 'other path')}, which are no slides; 'slides inspect' says why")
    if not slides:
        raise UsageError("there are no slides; give slide files, or folders that contain some")
    return slides
