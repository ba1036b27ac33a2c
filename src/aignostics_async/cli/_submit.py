"""`submit`: from slide files to a run, and to its results if asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from .._errors import UsageError
from ..models import Item, Slide
from ..slides import find_slides
from ..transfer._progress import ProgressBars
from ._common import Json, PollInterval, client, print_json
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
    as_json: Json = False,
) -> int:
    """Read, check, upload and submit slides as one run; each is known by its file name.

    Parameters
    ----------
    application_version
        What to run, such as h-e-tme:v1.2.3.
    slides
        Slide files, or folders of them.
    store
        The address of the object store that the slides are uploaded to.
    mpp
        µm per pixel, for slides whose file has none.
    metadata
        More metadata for every slide, as KEY=VALUE.
    download
        Wait for the run and bring its results to this folder.
    """
    items = _items(slides, mpp, dict(_pair(text) for text in metadata))
    async with client(poll_interval) as session:
        if as_json:
            run = await session.runs.submit(application_version, items, store=store)
        else:
            with ProgressBars() as bars:
                run = await session.runs.submit(application_version, items, store=store, progress=bars)
        if download is not None:
            return await bring(run, download, wait=True, as_json=as_json)
    if as_json:
        print_json({"run_id": run.id})
    else:
        print(run.id)
    return 0


def _items(paths: tuple[Path, ...], mpp: float | None, metadata: dict[str, Any]) -> list[Item]:
    found = [
        slide.path for path in paths for slide in (find_slides(path) if path.is_dir() else [Slide(path)])
    ]
    if not found:
        raise UsageError("there are no slides; give slide files, or folders that hold some")
    return [Item(path.name, slide=Slide(path, mpp=mpp, metadata=metadata)) for path in found]


def _pair(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not key or not separator:
        raise UsageError(f"--metadata takes KEY=VALUE, not {text!r}")
    return key, value
