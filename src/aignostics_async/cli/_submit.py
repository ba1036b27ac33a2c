"""`submit`: from slide files to a run, and to its results if asked."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from .._inputs import Item, Slide
from ..errors import SubmissionUnknown, UsageError
from ..slides import find_slides
from ._common import Bwlimit, Json, PollInterval, client, key_value, print_json, progress
from ._runs import bring


async def submit(
    application_version: str,
    /,
    *slides: Path,
    store: str,
    mpp: float | None = None,
    metadata: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    download: Path | None = None,
    poll_interval: PollInterval = 30,
    bwlimit: Bwlimit = None,
    as_json: Json = False,
) -> int:
    """Read, check, upload and submit slides as one run.

    Each slide is known by its file name, or by its path below the folder that was given.

    Parameters
    ----------
    application_version
        What to run, such as h-e-tme:v1.2.3.
    slides
        Slide files, or folders of them.
    store
        Where the slides go: s3://bucket/prefix, gs://bucket/prefix or az://container/prefix with credentials
        from the environment, or the address of a store of the API's own origin, such as the emulator's.
    mpp
        µm per pixel, for slides whose file has none.
    metadata
        More metadata for every slide, as KEY=VALUE. A value that is JSON counts as JSON: 3 is a number,
        "3" in quotes is a text.
    download
        Wait for the run and bring its results to this folder.
    """
    items = _items(slides, mpp, dict(_pair(text) for text in metadata))
    async with client(poll_interval, bwlimit) as session:
        with _advice([item.reference for item in items]):
            if as_json:
                run = await session.runs.submit(application_version, items, store=store)
            else:
                with progress() as shown:
                    run = await session.runs.submit(application_version, items, store=store, progress=shown)
        if download is not None:
            # Told before the wait: who interrupts it has a run that is paid for.
            print(f"run {run.id}", file=sys.stderr, flush=True)
            return await bring(run, download, wait=True, as_json=as_json)
    if as_json:
        print_json({"run_id": run.id})
    else:
        print(run.id)
    return 0


@contextmanager
def _advice(references: list[str]) -> Iterator[None]:
    """Say how to find out what became of a submission that was cut short."""
    try:
        yield
    except (asyncio.CancelledError, SubmissionUnknown):
        named = " ".join(map(shlex.quote, references[:20]))
        more = " ..." if len(references) > 20 else ""
        print(
            "the submission was cut short; before you repeat it, see whether a run was created: "
            f"aignostics-async runs find {named}{more}",
            file=sys.stderr,
        )
        raise


def _items(paths: tuple[Path, ...], mpp: float | None, metadata: dict[str, Any]) -> list[Item]:
    """Return one item per slide, known by its file name, or by its path below the folder that was given."""
    found: dict[Path, str] = {}
    for path in paths:
        if path.is_dir():
            found |= {slide.path: slide.path.relative_to(path).as_posix() for slide in find_slides(path)}
        else:
            found[path] = path.name
    if not found:
        raise UsageError("there are no slides; give slide files, or folders that hold some")
    return [
        Item(reference, slide=Slide(path, mpp=mpp, metadata=metadata)) for path, reference in found.items()
    ]


def _pair(text: str) -> tuple[str, Any]:
    key, value = key_value(text)
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value
