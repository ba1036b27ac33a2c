"""`doctor`: whether everything is there that a night's work needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from .. import CheckState, SetupReport, check_setup
from ._failures import as_options
from ._options import Endpoint, Json
from ._output import Renderable, count, grid, print_document, show, text

_STYLES = {
    CheckState.OK: "green",
    CheckState.WARNING: "yellow",
    CheckState.FAULT: "bold red",
    CheckState.UNKNOWN: "dim",
    CheckState.SKIPPED: "dim",
}


async def doctor(
    *,
    store: Annotated[
        str | None,
        Parameter(help="Where slides will be uploaded, as for 'submit'; by default no store is checked."),
    ] = None,
    endpoint: Endpoint = None,
    folder: Annotated[
        Path,
        Parameter(help="Where jobs and results will be; by default the current folder.", show_default=False),
    ] = Path(),
    as_json: Json = False,
) -> int:
    """Check everything that a submission or a bulk job needs, and say what to do about what is missing.

    Looks at proxy and CA, deployment, contract, health, clock, token and organization, the store if one is
    given, the slides reader, the scratch disk, file locks, the key ring and the free disk. Uploads no slide
    and creates no run; the store gets a small object, which is deleted again. Ends with 6 if something is
    broken.

    Example: `aignostics-async doctor --store platform --folder results/`
    """
    report = await check_setup(store=store, endpoint=endpoint, folder=folder)
    if as_json:
        print_document(report.to_json())
    else:
        show(*_text(report))
    return report.exit_status


def _text(report: SetupReport) -> list[Renderable]:
    rows = []
    for check in report.checks:
        told = as_options(f"{check.name}: {check.detail}")
        rows.append((text(check.state, _STYLES[check.state]), text(told)))
        if check.remedy:
            rows.append((text(""), text(check.remedy, "italic")))
    faults = len(report.faults)
    headline = text(count(faults, "fault"), "bold red") if faults else text("nothing is broken", "bold green")
    return [grid(rows), text(""), headline]
