"""How a job stands, in words."""

from __future__ import annotations

from ..._core._display_text import count, human_size
from ._audit import ItemOutcome
from ._formatting import INTENTS, OUTCOMES, minute
from ._summary import Summary


def describe_summary(summary: Summary) -> dict[str, str]:
    """Return a summary as labelled texts of one line each, in display order.

        for label, text in describe_summary(await job.summary()).items():
            print(f"{label}: {text}")

    The labels, which are the keys of the mapping, are `job`, `application`, `slides`, `uploaded`, `runs` and
    `results`. Times are in UTC. Does no I/O.
    """
    job = summary.job
    return {
        "job": f"{job.job_id}, made {minute(job.created_at)} UTC",
        "application": f"{job.application_version} at {job.server}",
        "slides": _items(summary),
        "uploaded": _uploads(summary),
        "runs": _runs(summary),
        "results": _outputs(summary),
    }


def _items(summary: Summary) -> str:
    audit = summary.audit
    outcomes = [f"{audit.outcomes[each]:,} {OUTCOMES[each]}" for each in ItemOutcome if audit.outcomes[each]]
    return f"{audit.taken_in:,} in all: {', '.join(outcomes) or 'none'}"


def _uploads(summary: Summary) -> str:
    uploads = summary.uploads
    return (
        f"{count(uploads.stored_items, 'slide')}, {human_size(uploads.stored_bytes)} of "
        f"{human_size(uploads.bytes)}; the store has confirmed {uploads.store_verified:,}"
    )


def _runs(summary: Summary) -> str:
    states = [f"{INTENTS.get(state, state)}: {number:,}" for state, number in summary.runs.by_state.items()]
    return "; ".join(states) or "none yet"


def _outputs(summary: Summary) -> str:
    outputs = summary.outputs
    return f"{outputs.verified:,} of {count(outputs.listed, 'file')} verified, {human_size(outputs.bytes)}"
