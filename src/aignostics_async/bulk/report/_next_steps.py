"""What is left to do about a job, in the order of its urgency. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from ..._core._display_text import count
from ...errors import QuotaExceeded
from ._audit import ItemOutcome, JobStatus
from ._formatting import minute
from ._summary import JobFacts, Summary


@frozen
class NextStep:
    """A step that a person has to take for a job, as `next_steps` yields it.

        for step in next_steps(await job.summary()):
            print(step.what, step.how)

    `what` describes the situation and `how` the remedy, both as text for people. `where` is the section of
    the HTML report with the details: `audit`, `decisions`, `failures`, `items` or `totals`.
    """

    what: str
    """What happened."""
    how: str
    """What to do about it."""
    where: str
    """The section of the HTML report with the details: `audit`, `decisions`, `failures`, `items` or
    `totals`.
    """


def next_steps(summary: Summary, *, is_worked_on: bool | None = None) -> Iterator[NextStep]:
    """Yield the steps that a person has to take for a job, the most urgent first.

        for step in next_steps(await job.summary()):
            print(step.what, step.how)

    A job whose items are all done may have steps, too, such as for slides that were left out. Slides that are
    under way are a step, also while a process works on them. `is_worked_on` says whether one does; None, the
    default, if that is not known. Does no I/O.
    """
    yield from _about_the_audit(summary)
    yield from _about_runs(summary)
    yield from _about_the_rest(summary, is_worked_on=is_worked_on)
    yield from _about_slides(summary)
    yield from _about_files(summary)


def _about_the_audit(summary: Summary) -> Iterator[NextStep]:
    audit = summary.audit
    keep = "Keep the job's folder unchanged, and report this with it. Do not resume the job meanwhile."
    if audit.missing > 0:
        yield NextStep(f"{count(audit.missing, 'slide')} missing from the database", keep, "audit")
    if audit.missing < 0:
        yield NextStep(
            f"{count(-audit.missing, 'slide')} more in the database than were added", keep, "audit"
        )
    for words, number in audit.lost.items():
        yield NextStep(f"{count(number, 'slide')} can't be accounted for: {words}", keep, "failures")


def _about_runs(summary: Summary) -> Iterator[NextStep]:
    runs, job = summary.runs, summary.job
    if job.cancelled_at is not None:
        yield NextStep(
            f"The job was cancelled on {minute(job.cancelled_at)} UTC",
            "It sends nothing more. 'bulk retry' lets its slides continue.",
            "items",
        )
    if job.stopped_at is not None and summary.status in (JobStatus.UNFINISHED, JobStatus.QUOTA_EXCEEDED):
        yield NextStep(
            f"It stopped on {minute(job.stopped_at)} UTC: {job.stop_reason}", _after_a_stop(job), "items"
        )
    if runs.held:
        yield NextStep(
            f"{count(runs.held, 'slide')} {_was(runs.held)} analysed before, and would be billed again",
            "The failures name the earlier run of each. Leave them, or have them analysed and billed again "
            "with 'bulk retry --rerun'.",
            "failures",
        )
    if runs.ambiguous:
        yield NextStep(
            f"{count(runs.ambiguous, 'run')} may exist or not",
            "Look for them on the platform, then tell the job with 'bulk resolve' which run it is, or that "
            "there is none, so that it is requested again. A run that exists twice is billed twice.",
            "decisions",
        )
    if runs.open_duplicates:
        yield NextStep(
            f"{count(runs.open_duplicates, 'run')} {_was(runs.open_duplicates)} created a second time",
            "The platform has two runs of the same slides: a request was carried out later than the job "
            "waits, or a copy of the job's folder was used. 'bulk resolve' cancels the second run, at no "
            "cost for pending slides, or lets it run.",
            "decisions",
        )


def _after_a_stop(job: JobFacts) -> str:
    if job.stop_kind == QuotaExceeded.__name__:
        return (
            "Ask for a larger quota, or wait until it is renewed; then 'bulk resume'. If a single run is too "
            "large for it, 'bulk resume --chunk-size N' makes smaller ones."
        )
    return "Correct what it names; then 'bulk resume' continues."


def _about_the_rest(summary: Summary, *, is_worked_on: bool | None) -> Iterator[NextStep]:
    expiry, beyond = summary.expiry, summary.beyond_limit
    waiting = summary.audit.outcomes[ItemOutcome.UNDER_WAY] - beyond
    if expiry.items:
        yield NextStep(
            f"The results of {count(expiry.items, 'slide')} are deleted soon, the first on "
            f"{minute(expiry.first)} UTC",
            "The platform keeps results for 30 days after their run. 'bulk resume' downloads them.",
            "items",
        )
    if beyond:
        yield NextStep(
            f"{count(beyond, 'slide')} {'is' if beyond == 1 else 'are'} beyond the limit of "
            f"{count(summary.job.max_items or 0, 'item')} that may be billed",
            "The job sends no more than that, and slides that are submitted again count twice. Create "
            "another job for them.",
            "items",
        )
    if summary.is_unswept:
        yield NextStep(
            "The search for second runs has not finished",
            "'bulk resume' finishes it, up to half an hour after the last request that was sent again.",
            "items",
        )
    if waiting:
        yield NextStep(
            f"{count(waiting, 'slide')} {'is' if waiting == 1 else 'are'} under way",
            _how_to_go_on(summary.job, is_worked_on=is_worked_on),
            "items",
        )


def _how_to_go_on(job: JobFacts, *, is_worked_on: bool | None) -> str:
    if is_worked_on:
        return (
            "The job is being paused; when its process has ended, 'bulk resume' continues it."
            if job.is_paused
            else "A process works on the job: there is nothing to do."
        )
    if job.is_paused:
        return "The job was paused; 'bulk resume' continues it."
    if is_worked_on is None:
        return "Nothing to do while a process works on the job; otherwise 'bulk resume' continues it."
    return "No process works on the job: 'bulk resume' continues it."


def _about_slides(summary: Summary) -> Iterator[NextStep]:
    failed, aside = (summary.audit.outcomes[each] for each in (ItemOutcome.FAILED, ItemOutcome.QUARANTINED))
    unverified = summary.outputs.unverified
    if failed:
        yield NextStep(
            f"{count(failed, 'slide')} ended without results",
            "The failures name the remedy for each. 'bulk retry --failed' submits them again, in new runs, "
            "which are billed.",
            "failures",
        )
    if aside:
        yield NextStep(
            f"{count(aside, 'slide')} {_was(aside)} quarantined",
            "The failures name the remedy for each; after it 'bulk retry' lets them continue.",
            "failures",
        )
    if unverified:
        yield NextStep(
            f"{count(unverified, 'output')} without a checksum",
            "The platform promised no checksum for them; check them before you use them.",
            "totals",
        )


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _about_files(summary: Summary) -> Iterator[NextStep]:
    number = sum(summary.left_out.values())
    if number:
        reasons = ", ".join(f"{amount:,} {reason}" for reason, amount in summary.left_out.items())
        yield NextStep(
            f"{count(number, 'slide')} in the folders {_was(number)} left out ({reasons})",
            "The JSON report names them. To include them, create another job and name them there.",
            "totals",
        )
