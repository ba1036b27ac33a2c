"""`slides`: look at slides, and write a manifest of them, before anything is submitted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App

from ..bulk import Finding, InspectedSlide, Inspection, draft_manifest, inspect_slides
from ..errors import UsageError
from ._options import Decode, Flag, Identifying, Json, client, identifying_policies
from ._output import (
    Renderable,
    count,
    err,
    grid,
    human_size,
    indented,
    note,
    print_document,
    show,
    text,
    write_csv,
)

app = App(
    name="slides",
    help="Slides on this machine: what they are, and what a version asks for.\n\n"
    "Example: `aignostics-async slides inspect lab/`",
)
_HAS_FAULTS = 6


@app.command
async def inspect(
    *paths: Path,
    mpp: float | None = None,
    identifying: Identifying = (),
    decode: Decode = False,
    thumbnails: Path | None = None,
    as_json: Json = False,
) -> int:
    """Show what slides are, and everything that would keep them from being sent. Nothing is sent.

    Ends with 6 if a slide has a fault. Needs no sign-in.

    Example: `aignostics-async slides inspect lab/ --thumbnails pictures/`

    Parameters
    ----------
    paths
        Slide files, or folders of them.
    mpp
        µm per pixel, for all slides whose files say none that is plausible.
    thumbnails
        A folder for a small picture of each slide, without its label.
    """
    if not paths:
        raise UsageError("give slide files, or folders that contain some")
    if thumbnails is not None:
        _make_folder(thumbnails)
    inspection = await inspect_slides(
        *paths,
        mpp=mpp,
        identifying=identifying_policies(identifying),
        decode=decode,
        thumbnails=thumbnails is not None,
    )
    if thumbnails is not None:
        _write_thumbnails(thumbnails, inspection)
    if as_json:
        print_document(inspection.to_json())
    else:
        show(*_text(inspection))
    return 0 if inspection.is_clear else _HAS_FAULTS


@app.command
async def manifest(
    *paths: Path,
    application_version: str,
    output: Path | None = None,
    fields: Path | None = None,
    semicolons: Annotated[bool, Flag] = False,
) -> int:
    """Write a manifest with a line for each slide and a column for each field that a version asks for.

    Values that the slide files contain are filled in. A second file names the allowed values and limits of
    each column. Complete the manifest, and give it to 'bulk plan --manifest'. Ends with 6 if a slide has a
    fault; its line is written nevertheless.

    Example: `aignostics-async slides manifest lab/ --application-version he-tme:v1.1.0 > slides.csv`

    Parameters
    ----------
    paths
        Slide files, or folders of them.
    application_version
        The application version, such as he-tme:v1.0.0; see 'applications'.
    output
        The file to write; the default is standard output.
    fields
        The file of columns with allowed values and limits; the default is slides.fields.csv beside the
        manifest, in the current folder if that goes to standard output.
    semicolons
        Separate cells by semicolons and write decimal commas, as a German Excel expects.
    """
    if not paths:
        raise UsageError("give slide files, or folders that contain some")
    async with client() as session:
        draft = await draft_manifest(session, application_version, *paths)
    if not draft.rows and not draft.faults:
        raise UsageError("there are no slides; give slide files, or folders that contain some")
    write_csv(draft.slides_csv(semicolons=semicolons), output)
    beside = Path("slides.csv") if output is None else output
    listed = fields or beside.with_suffix(".fields.csv")
    write_csv(draft.fields_csv(semicolons=semicolons), listed)
    note(f"{count(len(draft.rows), 'slide')}; {listed} has the allowed values of each column")
    for fault in draft.faults:
        err(str(fault))
    return _HAS_FAULTS if draft.faults else 0


def _text(inspection: Inspection) -> list[Renderable]:
    parts: list[Renderable] = []
    for slide in inspection.slides:
        parts += [text(slide.path, "bold"), indented(grid(_rows(slide)))]
    faults = [(text("fault", "bold red"), text(str(fault))) for fault in inspection.faults]
    others = [
        (text("left out"), text(f"{each.path}: {each.reason}{': ' if each.detail else ''}{each.detail}"))
        for each in inspection.left_out
    ]
    faulty = sum(bool(slide.faults) for slide in inspection.slides)
    total = f"{count(len(inspection.slides), 'slide')}, {faulty} with a fault; {len(others)} left out"
    return [*parts, grid([*faults, *others]), text(total, "bold")]


def _rows(slide: InspectedSlide) -> list[tuple[Renderable, Renderable]]:
    told: dict[str, str] = {"reference": slide.reference}
    info = slide.info
    if info is not None:
        across, down = f"{info.mpp_x:.4g}", f"{info.mpp_y:.4g}"
        told |= {
            "format": f"{info.format}, sent as {info.mime_type}",
            "pixels": f"{info.width:,} x {info.height:,}",
            "resolution": f"{across if across == down else f'{across} x {down}'} µm per pixel",
            "files": f"{count(len(info.files), 'file')}, {human_size(slide.size or 0)}",
            "other pictures": ", ".join(info.associated_images),
        }
    rows = [(text(label), text(value)) for label, value in told.items() if value]
    rows += [(text("fault", "bold red"), text(_words(fault))) for fault in slide.faults]
    rows += [(text("warning", "yellow"), text(_words(warning))) for warning in slide.warnings]
    return list(rows)


def _words(finding: Finding) -> str:
    return f"{finding.problem}; {finding.remedy}" if finding.remedy else finding.problem


def _make_folder(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def _write_thumbnails(folder: Path, inspection: Inspection) -> None:
    width = len(str(len(inspection.slides)))
    for number, slide in enumerate(inspection.slides, start=1):
        if slide.thumbnail is not None:
            path = folder / f"{number:0{width}}.jpg"
            path.write_bytes(slide.thumbnail)
            note(f"{path}: {slide.reference}")
