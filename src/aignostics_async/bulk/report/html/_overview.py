"""The top of the page: the verdict, what is left to do, the totals and the throughput."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...._core._display_text import count, human_size
from ...database._samples import Series
from .._audit import ItemOutcome, JobStatus
from .._formatting import INTENTS, OUTCOMES, minute, percent
from .._next_steps import NextStep, next_steps
from .._summary import Summary
from ._throughput_plot import plot
from ._writer import text

_SIGN = (
    '<svg class="sign" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="10.5"/>'
    '<path d="{}"/></svg>'
)
_CHECK, _ALARM, _CLOCK = "m7 12.5 3.4 3.4L17 9", "M12 6.5v7m0 3.6v.1", "M12 6.5V12l3.6 2.4"
_BAR = 1000  # its width, in units of its own


def overview(summary: Summary, series: Sequence[Series]) -> Iterator[str]:
    """Give the markup of the page down to its lists."""
    things = tuple(next_steps(summary))
    yield '<header>\n<p class="kind">Bulk job report</p>\n'
    yield _verdict(summary, things)
    yield _todo(things)
    yield _facts(summary)
    yield _contents(summary)
    yield "</header>\n<main>\n"
    yield from _totals(summary)
    if series:
        yield f'<h2 id="throughput">Throughput</h2>\n{plot(series)}\n'


def headline(summary: Summary) -> str:
    """Return the verdict as a sentence."""
    audit, verdict = summary.audit, summary.status
    of = f"of {count(audit.taken_in, 'slide')}"
    if verdict is JobStatus.LOST:
        return f"{abs(audit.missing) + sum(audit.lost.values()):,} {of} can't be accounted for"
    if verdict is JobStatus.UNDECIDED:
        number = summary.runs.ambiguous + summary.runs.open_duplicates + summary.runs.held
        return "One decision waits for you" if number == 1 else f"{number:,} decisions wait for you"
    if verdict in (JobStatus.UNFINISHED, JobStatus.QUOTA_EXCEEDED):
        done, troubles = audit.outcomes[ItemOutcome.DONE], audit.troubles
        more = f", {troubles:,} {_need(troubles)} attention" if troubles else ""
        return f"{done:,} {of} {'is' if done == 1 else 'are'} done so far{more}"
    if verdict is JobStatus.SOME_FAILED:
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


def _verdict(summary: Summary, things: Sequence[NextStep]) -> str:
    is_urgent = _is_urgent(summary)
    sign = _ALARM if is_urgent else _CHECK if summary.status is JobStatus.DONE else _CLOCK
    nothing = "" if things else " There is nothing to do."
    return (
        f'<section class="verdict{" attention" if is_urgent else ""}" id="audit">{_SIGN.format(sign)}'
        f"<div><h1>{text(headline(summary))}</h1><p>{text(audit_line(summary))}.{nothing}</p></div></section>\n"
    )


def _todo(things: Sequence[NextStep]) -> str:
    entries = "".join(
        f'<li><strong><a href="#{each.where}">{text(each.what)}</a></strong>'
        f"<span>{text(each.how)}</span></li>\n"
        for each in things
    )
    return f'<ul class="todo" aria-label="To do">\n{entries}</ul>\n' if entries else ""


def _facts(summary: Summary) -> str:
    job = summary.job
    facts = {
        "Application version": job.application_version or "unknown",
        "Server": job.server or "unknown",
        "Job": job.job_id,
        "Begun": f"{minute(job.created_at)} UTC",
        "Finished": f"{minute(job.finished_at)} UTC" if job.finished_at else "not yet",
        "This report": f"{minute(summary.made_at)} UTC, by release {summary.release}",
    }
    entries = "".join(f"<div><dt>{name}</dt><dd>{text(value)}</dd></div>\n" for name, value in facts.items())
    return f'<dl class="facts">\n{entries}</dl>\n'


def _contents(summary: Summary) -> str:
    sections = {
        "totals": "Totals",
        "decisions": "Decisions" if summary.runs.ambiguous or summary.runs.duplicates else "",
        "failures": "Failures" if summary.audit.troubles else "",
        "runs": "Runs",
        "items": "All slides",
    }
    links = "".join(f'<a href="#{name}">{title}</a>' for name, title in sections.items() if title)
    return f'<nav aria-label="Sections">{links}</nav>\n'


def _totals(summary: Summary) -> Iterator[str]:
    yield '<h2 id="totals">Totals</h2>\n'
    yield _bar(summary.audit.outcomes)
    yield '<div class="totals">\n'
    yield _accounts(summary)
    yield _moved(summary)
    yield _runs(summary)
    yield "</div>\n"


def _bar(accounts: Mapping[ItemOutcome, int]) -> str:
    """Return the shares as a bar in which also one slide of a hundred thousand shows."""
    whole = sum(accounts.values())
    if not whole:
        return ""
    widths = {each: max(3.0, _BAR * accounts[each] / whole) for each in ItemOutcome if accounts[each]}
    scale = _BAR / sum(widths.values())
    parts, at = [], 0.0
    for each, width in widths.items():
        parts.append(
            f'<rect class="{each}" x="{at:.2f}" width="{max(1.0, width * scale - 1):.2f}" height="1"/>'
        )
        at += width * scale
    return (
        f'<svg class="bar" viewBox="0 0 {_BAR} 1" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(parts)}</svg>\n"
    )


def _accounts(summary: Summary) -> str:
    accounts = summary.audit.outcomes
    whole = sum(accounts.values())
    key = (
        '<svg class="key" viewBox="0 0 1 1" aria-hidden="true"><rect class="{}" width="1" height="1"/></svg>'
    )
    rows = [
        (f"{key.format(each)}{OUTCOMES[each]}", f"{accounts[each]:,}", percent(accounts[each], whole))
        for each in ItemOutcome
        if accounts[each]
    ]
    return _table("What became of the slides", ("", "Slides", "Share"), rows)


def _moved(summary: Summary) -> str:
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


def _runs(summary: Summary) -> str:
    runs = summary.runs
    rows = [(text(INTENTS.get(name, name)), f"{number:,}") for name, number in runs.by_state.items()]
    rows.append(("created a second time", f"{runs.duplicates:,}"))
    rows.append(("requests that were sent for them", f"{sum(runs.requests.values()):,}"))
    return _table("Runs", ("", "Count"), rows)


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a small table of names and numbers; the names are markup."""
    head = "".join(f'<th scope="col"{" class=n" if index else ""}>{name}' for index, name in enumerate(heads))
    body = "".join(
        f'<tr><th scope="row">{name}{"".join(f"<td class=n>{cell}" for cell in cells)}\n'
        for name, *cells in rows
    )
    return f"<table><caption>{caption}</caption><thead><tr>{head}</thead><tbody>\n{body}</tbody></table>\n"
