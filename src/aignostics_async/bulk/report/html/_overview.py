"""The top of the page: the status, what is left to do, the totals and the throughput."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...._core._display_text import count, human_size
from ...database._samples import Series
from .._audit import ItemOutcome, JobStatus
from .._description import describe_pace
from .._formatting import INTENTS, OUTCOMES, minute, percent
from .._next_steps import NextStep, next_steps
from .._summary import Summary
from ._templates import Html, join, render
from ._throughput_plot import plot

_CHECK, _ALARM, _CLOCK = "m7 12.5 3.4 3.4L17 9", "M12 6.5v7m0 3.6v.1", "M12 6.5V12l3.6 2.4"
_BAR = 1000  # its width, in units of its own


def overview(summary: Summary, series: Sequence[Series]) -> Iterator[Html]:
    """Give the markup of the page down to its lists."""
    steps = tuple(next_steps(summary))
    yield render("header_begins")
    yield _status(summary, steps)
    yield _next_steps(steps)
    yield _facts(summary)
    yield _contents(summary)
    yield render("main_begins")
    yield from _totals(summary)
    if series:
        yield render("throughput", plot=plot(series))


def headline(summary: Summary) -> str:
    """Return the status as a sentence."""
    audit, status = summary.audit, summary.status
    of = f"of {count(audit.taken_in, 'slide')}"
    if status is JobStatus.LOST:
        return f"{abs(audit.missing) + sum(audit.lost.values()):,} {of} can't be accounted for"
    if status is JobStatus.UNDECIDED:
        number = summary.runs.ambiguous + summary.runs.open_duplicates + summary.runs.held
        return "One decision waits for you" if number == 1 else f"{number:,} decisions wait for you"
    if status in (JobStatus.UNFINISHED, JobStatus.QUOTA_EXCEEDED):
        done, troubles = audit.outcomes[ItemOutcome.DONE], audit.troubles
        more = f", {troubles:,} {_need(troubles)} attention" if troubles else ""
        return f"{done:,} {of} {'is' if done == 1 else 'are'} done so far{more}"
    if status is JobStatus.SOME_FAILED:
        number = audit.taken_in - audit.outcomes[ItemOutcome.DONE]
        return f"{number:,} {of} {_need(number)} attention"
    if audit.taken_in <= 1:
        return "The slide is done" if audit.taken_in else "There is no slide in this job"
    return f"All {audit.taken_in:,} slides are done"


def audit_line(summary: Summary) -> str:
    """Return the audit as an equation, and what stands behind it."""
    audit = summary.audit
    sign = "=" if audit.is_whole else "≠"
    parts = [f"{audit.outcomes[each]:,} {OUTCOMES[each]}" for each in ItemOutcome if audit.outcomes[each]]
    equation = f"{audit.taken_in:,} in {sign} {audit.accounted_for:,} accounted for"
    return f"{equation}: {', '.join(parts)}" if parts else equation


def _need(number: int) -> str:
    return "needs" if number == 1 else "need"


def _is_urgent(summary: Summary) -> bool:
    if summary.status in (JobStatus.DONE, JobStatus.UNFINISHED):
        return bool(summary.audit.troubles or summary.expiry.items)
    return True


def _status(summary: Summary, steps: Sequence[NextStep]) -> Html:
    is_urgent = _is_urgent(summary)
    return render(
        "status",
        attention=" attention" if is_urgent else "",
        sign=_ALARM if is_urgent else _CHECK if summary.status is JobStatus.DONE else _CLOCK,
        headline=headline(summary),
        audit=audit_line(summary),
        nothing="" if steps else " There is nothing to do.",
    )


def _next_steps(steps: Sequence[NextStep]) -> Html:
    if not steps:
        return Html()
    entries = [render("next_step", where=each.where, what=each.what, how=each.how) for each in steps]
    return render("next_steps", entries=join(entries))


def _facts(summary: Summary) -> Html:
    job = summary.job
    facts = {
        "Application version": job.application_version or "unknown",
        "Server": job.server or "unknown",
        "Job": job.job_id,
        "Begun": f"{minute(job.created_at)} UTC",
        "Finished": f"{minute(job.finished_at)} UTC" if job.finished_at else "not yet",
        **{name[0].upper() + name[1:]: value for name, value in describe_pace(summary).items()},
        "This report": f"{minute(summary.made_at)} UTC, by release {summary.release}",
    }
    return render("facts", entries=join([render("fact", name=name, value=facts[name]) for name in facts]))


def _contents(summary: Summary) -> Html:
    sections = {
        "totals": "Totals",
        "decisions": "Decisions" if summary.runs.ambiguous or summary.runs.duplicates else "",
        "failures": "Failures" if summary.audit.troubles else "",
        "runs": "Runs",
        "items": "All slides",
    }
    links = [render("link", name=name, title=title) for name, title in sections.items() if title]
    return render("contents", links=join(links))


def _totals(summary: Summary) -> Iterator[Html]:
    yield render("totals_begin")
    yield _bar(summary.audit.outcomes)
    yield render("totals_tables")
    yield _outcomes(summary)
    yield _files(summary)
    yield _runs(summary)
    yield render("totals_end")


def _bar(outcomes: Mapping[ItemOutcome, int]) -> Html:
    """Return the shares as a bar in which also one slide of a hundred thousand shows."""
    whole = sum(outcomes.values())
    if not whole:
        return Html()
    widths = {each: max(3.0, _BAR * outcomes[each] / whole) for each in ItemOutcome if outcomes[each]}
    scale = _BAR / sum(widths.values())
    parts, at = [], 0.0
    for each, width in widths.items():
        shown = f"{max(1.0, width * scale - 1):.2f}"
        parts.append(render("bar_part", kind=each, x=f"{at:.2f}", width=shown))
        at += width * scale
    return render("bar", width=_BAR, parts=join(parts))


def _outcomes(summary: Summary) -> Html:
    outcomes = summary.audit.outcomes
    whole = sum(outcomes.values())
    rows = [
        (
            render("key", kind=each, name=OUTCOMES[each]),
            f"{outcomes[each]:,}",
            percent(outcomes[each], whole),
        )
        for each in ItemOutcome
        if outcomes[each]
    ]
    return _table("What became of the slides", ("", "Slides", "Share"), rows)


def _files(summary: Summary) -> Html:
    uploads, outputs = summary.uploads, summary.outputs
    rows = [
        ("slides, as far as they were read", f"{sum(summary.states.values()):,}", human_size(uploads.bytes)),
        ("uploaded", f"{uploads.stored_items:,}", human_size(uploads.stored_bytes)),
        ("uploads whose checksum the store confirmed", f"{uploads.store_verified:,}", ""),
        ("outputs at the platform", f"{outputs.listed:,}", ""),
        ("outputs here, verified", f"{outputs.verified:,}", human_size(outputs.bytes)),
    ]
    if outputs.unverified:
        rows.append(("outputs here, without a checksum", f"{outputs.unverified:,}", ""))
    return _table("Files", ("", "Files", "Bytes"), rows)


def _runs(summary: Summary) -> Html:
    runs = summary.runs
    rows = [(INTENTS.get(name, name), f"{number:,}") for name, number in runs.by_state.items()]
    rows.append(("created a second time", f"{runs.duplicates:,}"))
    rows.append(("requests that were sent for them", f"{sum(runs.requests.values()):,}"))
    return _table("Runs", ("", "Count"), rows)


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    """Return a small table of names and numbers."""
    head = [render("total_head", kind="n" if index else "", name=name) for index, name in enumerate(heads)]
    body = [
        render("total_row", name=name, cells=join([render("total_cell", value=cell) for cell in cells]))
        for name, *cells in rows
    ]
    return render("total", caption=caption, heads=join(head), rows=join(body))
