"""`--dry-run`: what a command would do, without anything that changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ._output import count, print_outcome

if TYPE_CHECKING:
    from .. import RunDetails
    from ..bulk import Summary

DryRun = Annotated[
    bool,
    Parameter(
        name="--dry-run", negative=(), show_default=False, help="Say what would happen, and change nothing."
    ),
]


def rehearsed(consequence: str, facts: Mapping[str, object], *, as_json: bool = False) -> None:
    """Print what would happen, as a sentence or as JSON."""
    words = f"dry run: {consequence}; nothing was changed"
    print_outcome(words, {"dry_run": True, **facts}, as_json=as_json)


def cancellation_of_run(details: RunDetails) -> str:
    """Return what cancelling a run would do."""
    if details.status.is_final:
        return f"run {details.run_id} is {details.status} already, and would not change"
    statistics, items = details.statistics, "its items that are not begun"
    if statistics is not None:
        items = f"the {statistics.pending:,} of its {count(statistics.total, 'item')} that are not begun"
    return f"run {details.run_id}, {details.status}, would be cancelled with {items}"


def continuation_of_job(summary: Summary) -> tuple[str, dict[str, int]]:
    """Return what is left for 'bulk resume' to do, in words and in numbers of slides."""
    undecided = max(0, summary.runs.ambiguous and _undecided(summary))
    beyond = summary.beyond_limit
    unsent = _in(summary, "FOUND", "READY", "SENDING")
    facts = {
        "upload": max(0, unsent - beyond),
        "submit": max(0, unsent + _in(summary, "STORED", "ASSIGNED") - undecided - beyond),
        "wait": _in(summary, "SUBMITTED"),
        "download": _in(summary, "SUCCEEDED"),
    }
    upload, submit, wait, download = facts.values()
    words = (
        f"{count(upload, 'slide')} would be uploaded, {submit:,} submitted and billed, {wait:,} waited for, "
        f"and the results of {download:,} downloaded"
    )
    return words, facts


def cancellation_of_job(summary: Summary) -> tuple[str, dict[str, int]]:
    """Return what 'bulk cancel' would do, in words and in numbers."""
    runs = summary.runs.by_state.get("CREATED", 0)
    unsent = _in(summary, "FOUND", "READY", "SENDING", "STORED", "ASSIGNED")
    words = f"{count(runs, 'run')} would be cancelled, and {count(unsent, 'slide')} without a run quarantined"
    return words, {"runs": runs, "slides": unsent}


def _undecided(summary: Summary) -> int:
    from ..bulk import ItemOutcome

    return summary.audit.outcomes[ItemOutcome.UNDECIDED] - summary.runs.held


def _in(summary: Summary, *states: str) -> int:
    return sum(summary.states.get(state, 0) for state in states)
