"""How a job stands and what happens in it, as texts for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from attrs import asdict
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .._core._display_text import count, human_size, visible
from ..bulk.database._job_folder import JobFolder
from ..bulk.database._journal import EventType, JobEvent
from ..bulk.report._audit import ItemOutcome, JobStatus
from ..bulk.report._formatting import INTENTS, OUTCOMES, minute
from ..bulk.report._next_steps import next_steps
from ..bulk.report._sanitizing import told
from ..bulk.report._summary import Summary
from ..errors import UsageError

_EXPECTED = frozenset(
    {
        EventType.STARTED,
        EventType.UPLOADED,
        EventType.RUN_CREATED,
        EventType.RUN_ENDED,
        EventType.ITEM_DONE,
        EventType.FINISHED,
    }
)
_STYLES = {
    JobStatus.DONE: "bold green",
    JobStatus.UNFINISHED: "bold yellow",
    JobStatus.UNDECIDED: "bold red",
    JobStatus.SOME_FAILED: "bold red",
    JobStatus.LOST: "bold red",
}
_VERDICTS = {
    JobStatus.DONE: "all is done",
    JobStatus.UNFINISHED: "not at its end",
    JobStatus.UNDECIDED: "somebody has to decide",
    JobStatus.SOME_FAILED: "at its end, and some slides have no results",
    JobStatus.LOST: "slides are not accounted for",
}


def job_folder(path: Path) -> JobFolder:
    """Return the folder of a job, or raise UsageError where there is none."""
    directory = JobFolder(path)
    if not directory.database.is_file():
        raise UsageError(f"there is no job in {path}; 'bulk run' makes one, or give its folder")
    return directory


def facts(summary: Summary) -> dict[str, Any]:
    """Return how a job stands, and what is to do, as what JSON can hold."""
    return {**summary.plain(), "to_do": [asdict(each) for each in next_steps(summary)]}


def print_text(shown: RenderableType, stream: TextIO) -> None:
    """Print something for a person."""
    # A pipe has no width that a text must fit into.
    Console(file=stream, width=None if stream.isatty() else 120).print(shown)


def standing(summary: Summary, holder: str | None) -> Group:
    """Return how a job stands, and what to do next. Names are shown as they are, never read as markup."""
    job, verdict = summary.job, summary.status
    table = Table.grid(padding=(0, 2))
    table.add_row("job", Text(f"{job.job_id}, made {minute(job.created_at)} UTC"))
    table.add_row("application", Text(f"{job.application_version} at {job.server}"))
    table.add_row("slides", Text(_items(summary)))
    table.add_row("uploaded", Text(_uploads(summary)))
    table.add_row("runs", Text(_runs(summary)))
    table.add_row("results", Text(_outputs(summary)))
    parts: list[RenderableType] = [table, Text()]
    parts.append(Text(_words(summary, holder), style=_STYLES[verdict]))
    for each in next_steps(summary):
        parts.append(Padding(Text(each.what), (0, 0, 0, 2)))
        parts.append(Padding(Text(each.how, style="dim"), (0, 0, 0, 4)))
    return Group(*parts)


def _words(summary: Summary, holder: str | None) -> str:
    if holder is not None:
        return f"{visible(holder)} works on it"
    is_paused = summary.job.is_paused and summary.status is JobStatus.UNFINISHED
    return "paused" if is_paused else _VERDICTS[summary.status]


def _items(summary: Summary) -> str:
    audit = summary.audit
    accounts = [f"{audit.outcomes[each]:,} {OUTCOMES[each]}" for each in ItemOutcome if audit.outcomes[each]]
    return f"{audit.taken_in:,} came in: {', '.join(accounts) or 'none is there'}"


def _uploads(summary: Summary) -> str:
    uploads = summary.uploads
    return (
        f"{count(uploads.stored_items, 'slide')}, {human_size(uploads.stored_bytes)} of "
        f"{human_size(uploads.bytes)}; "
        f"the store has confirmed {uploads.store_verified:,}"
    )


def _runs(summary: Summary) -> str:
    states = [f"{INTENTS.get(state, state)}: {number:,}" for state, number in summary.runs.by_state.items()]
    return "; ".join(states) or "none yet"


def _outputs(summary: Summary) -> str:
    outputs = summary.outputs
    return f"{outputs.verified:,} of {count(outputs.listed, 'file')} verified, {human_size(outputs.bytes)}"


def is_news(event: JobEvent) -> bool:
    """Whether an event is worth a line beside bars that show all that goes well."""
    return event.type not in _EXPECTED


def event_line(event: Mapping[str, Any]) -> Text:
    """Return an event, as its journal holds it, as one line for a person."""
    at, what = event.get("at"), str(event.get("what", "")).replace("_", " ")
    named = [str(event[name]) for name in ("reference", "run_id", "text") if event.get(name)]
    # The journal's clock is this machine's; a line of another origin may say anything.
    when = datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S") if isinstance(at, int | float) else ""
    line = Text(f"{when} ", style="dim")
    line.append(visible(what), style="" if event.get("what") in _EXPECTED else "yellow")
    return line.append(visible(told("".join(f"  {each}" for each in named))))
