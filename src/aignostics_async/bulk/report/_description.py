"""How a job stands, in words."""

from __future__ import annotations

from ..._core._display_text import count, human_money, human_size, human_time, visible
from ._audit import ItemOutcome
from ._formatting import INTENTS, OUTCOMES, minute
from ._summary import Summary


def describe_summary(summary: Summary) -> dict[str, str]:
    """Return a summary as labelled texts of one line each, in display order.

        for label, text in describe_summary(await job.summary()).items():
            print(f"{label}: {text}")

    The labels, which are the keys of the mapping, are `job`, `application`, `slides`, `uploaded`, `runs` and
    `results`, then `cost`, `time left` and `last error` as far as they are known. Times are in UTC. Does no
    I/O.
    """
    job = summary.job
    return {
        "job": f"{job.job_id}, made {minute(job.created_at)} UTC",
        "application": f"{job.application_version} at {job.server}",
        "slides": _items(summary),
        "uploaded": _uploads(summary),
        "runs": _runs(summary),
        "results": _outputs(summary),
        **describe_pace(summary),
    }


def describe_pace(summary: Summary) -> dict[str, str]:
    """Return cost, time left and last error, as far as they are known, as labelled texts."""
    return {**_costs(summary), **_left(summary), **_last_error(summary)}


def _costs(summary: Summary) -> dict[str, str]:
    job = summary.job
    if job.price is None or summary.cost is None:
        return {}
    total, price = (human_money(each, job.currency) for each in (summary.cost, job.price))
    return {"cost": f"{total} for {count(summary.runs.billed, 'item')}, at the given price of {price}"}


def _left(summary: Summary) -> dict[str, str]:
    seconds = summary.time_left
    return (
        {} if seconds is None else {"time left": f"about {human_time(seconds)}, by the pace of its last hour"}
    )


def _last_error(summary: Summary) -> dict[str, str]:
    error = summary.last_error
    if error is None:
        return {}
    what = {"slide": error.reference or "a slide", "run": "a request for a run", "job": "the job"}[
        error.where
    ]
    text = f"{minute(error.at)} UTC, {what}: {error.message}"
    return {"last error": visible(" ".join(text.split()))}


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
