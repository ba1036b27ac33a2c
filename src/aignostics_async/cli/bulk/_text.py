"""The status and the events of a job, as text for people and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import asdict

from ...bulk import EventType, JobStatus, Summary, describe_summary, next_steps
from .._output import Renderable, grid, indented, moment, text

_ROUTINE = frozenset(
    {
        EventType.STARTED,
        EventType.UPLOADED,
        EventType.RUN_CREATED,
        EventType.RUN_ENDED,
        EventType.ITEM_DONE,
        EventType.FINISHED,
    }
)
_LABELS: dict[str, str] = {EventType.QUARANTINED: "quarantined"}  # its value is an older name
_STATUS = {
    JobStatus.DONE: ("all is done", "bold green"),
    JobStatus.UNFINISHED: ("not finished", "bold yellow"),
    JobStatus.QUOTA_EXCEEDED: ("stopped because the quota is used up", "bold red"),
    JobStatus.UNDECIDED: ("a person has to decide", "bold red"),
    JobStatus.SOME_FAILED: ("finished, and some slides have no results", "bold red"),
    JobStatus.LOST: ("slides are not accounted for", "bold red"),
}


def summary_json(summary: Summary) -> dict[str, Any]:
    """Return how a job stands, with the next steps under `to_do`, as a JSON value."""
    return {**summary.plain(), "to_do": [asdict(each) for each in next_steps(summary)]}


def summary_text(summary: Summary, holder: str | None) -> list[Renderable]:
    """Return how a job stands and what to do next, for `show`."""
    words, style = standing(summary, holder)
    parts: list[Renderable] = [
        grid((text(label), text(value)) for label, value in describe_summary(summary).items()),
        text(""),
        text(words, style),
    ]
    for step in next_steps(summary, is_worked_on=holder is not None):
        parts += [indented(text(step.what)), indented(text(step.how, "dim"), 4)]
    return parts


def standing(summary: Summary, holder: str | None) -> tuple[str, str]:
    """Return in a few words how a job stands, and the style of these words."""
    words, style = _STATUS[summary.status]
    if holder is not None:
        words = f"{holder} works on it"
    elif summary.job.is_paused and summary.status is JobStatus.UNFINISHED:
        words = "paused"
    return words, style


def is_routine(what: object) -> bool:
    """Return whether an event of this type is shown by the progress bars already."""
    return what in _ROUTINE


def event_line(event: Mapping[str, Any]) -> str:
    """Return an event of a job as one line. Its values may be of any type: the file may have been edited."""
    at = moment(event.get("at"))
    when = "" if at is None else f"{at:%H:%M:%SZ}"
    what = str(event.get("what", ""))
    what = _LABELS.get(what, what).replace("_", " ")
    named = [str(event[name]) for name in ("reference", "run_id", "text") if event.get(name)]
    return "  ".join([f"{when} {what}", *named])


def event_style(what: object) -> str:
    """Return the style of an event's line."""
    return "" if is_routine(what) else "yellow"
