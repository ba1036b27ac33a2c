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
    """Something for a person to do about a job.

        for step in next_steps(await job.summary()):
            print(step.what, step.how)

    `what` is the situation, `how` the remedy, and `where` the section of the HTML report with the details.
    """

    what: str
    """What happened."""
    how: str
    """What to do about it."""
    where: str
    """The section of the HTML report with the details, such as `failures`."""


def next_steps(summary: Summary) -> Iterator[NextStep]:
    """Yield what a person has to do about a job, the most urgent step first.

        for step in next_steps(await job.summary()):
            print(step.what, step.how)

    Yields nothing for a job of which every item is done and verified.
    """
    yield from _about_the_audit(summary)
    yield from _about_runs(summary)
    yield from _about_the_rest(summary)
    yield from _about_slides(summary)
    yield from _about_files(summary)


def _about_the_audit(summary: Summary) -> Iterator[NextStep]:
    audit = summary.audit
    keep = (
        "Keep the job's folder as it is, and report this with it; let nothing go on before it is known why."
    )
    if audit.missing > 0:
        yield NextStep(f"{count(audit.missing, 'slide')} came in and left no trace", keep, "audit")
    if audit.missing < 0:
        yield NextStep(f"{count(-audit.missing, 'slide')} more are here than came in", keep, "audit")
    for words, number in audit.lost.items():
        yield NextStep(f"{count(number, 'slide')} can't be accounted for: {words}", keep, "failures")


def _about_runs(summary: Summary) -> Iterator[NextStep]:
    runs, job = summary.runs, summary.job
    if job.cancelled_at is not None:
        yield NextStep(
            f"The job was cancelled on {minute(job.cancelled_at)} UTC",
            "It sends nothing any more. If it is wanted after all, 'bulk retry' lets its slides go on.",
            "items",
        )
    if job.stopped_at is not None and summary.status in (JobStatus.UNFINISHED, JobStatus.QUOTA_EXCEEDED):
        yield NextStep(
            f"It stopped on {minute(job.stopped_at)} UTC: {job.stop_reason}", _after_a_stop(job), "items"
        )
    if runs.held:
        yield NextStep(
            f"{count(runs.held, 'slide')} {_was(runs.held)} analysed before, and would be billed again",
            "Each names the earlier run among the failures. Leave them, or let them be billed again with "
            "'bulk retry --rerun'.",
            "failures",
        )
    if runs.ambiguous:
        yield NextStep(
            f"{count(runs.ambiguous, 'run')} may exist or not",
            "Look on the platform, then tell the job with 'bulk resolve' which run it is, or that there is "
            "none, and it may be asked for again. Asked for twice, it is paid for twice.",
            "decisions",
        )
    if runs.open_duplicates:
        yield NextStep(
            f"{count(runs.open_duplicates, 'run')} {_was(runs.open_duplicates)} created a second time",
            "The platform has two runs of the same slides: a request was carried out later than the job "
            "waits, or a copy of the job's folder was at work. 'bulk resolve' cancels the second run, at no "
            "cost for slides that are pending, or leaves it.",
            "decisions",
        )


def _after_a_stop(job: JobFacts) -> str:
    if job.stop_kind == QuotaExceeded.__name__:
        return (
            "Ask for a larger quota, or wait until it is renewed; then 'bulk resume'. Where a single run is "
            "too large for it, 'bulk resume --chunk-size N' makes smaller ones."
        )
    return "Mend what it says; then 'bulk resume' goes on."


def _about_the_rest(summary: Summary) -> Iterator[NextStep]:
    expiry, beyond = summary.expiry, summary.beyond_limit
    waiting = summary.audit.outcomes[ItemOutcome.UNDER_WAY] - beyond
    if expiry.items:
        yield NextStep(
            f"The results of {count(expiry.items, 'slide')} end soon, the first on {minute(expiry.first)}",
            "The platform keeps results for 30 days after their run. 'bulk resume' brings them home.",
            "items",
        )
    if beyond:
        yield NextStep(
            f"{count(beyond, 'slide')} {'is' if beyond == 1 else 'are'} beyond the limit of "
            f"{count(summary.job.max_items or 0, 'item')} that may be billed",
            "The job sends no more than that, and slides that are submitted again count twice. Make another "
            "job of them.",
            "items",
        )
    if summary.is_unswept:
        yield NextStep(
            "Late second runs were not looked for to the end",
            "'bulk resume' does, for up to half an hour after the last request that was sent again.",
            "items",
        )
    if waiting:
        yield NextStep(
            f"{count(waiting, 'slide')} {'is' if waiting == 1 else 'are'} under way",
            "The job was paused; 'bulk resume' goes on with it."
            if summary.job.is_paused
            else "Nothing to do while a process works on the job; else 'bulk resume' goes on with it.",
            "items",
        )


def _about_slides(summary: Summary) -> Iterator[NextStep]:
    failed, aside = (summary.audit.outcomes[each] for each in (ItemOutcome.FAILED, ItemOutcome.QUARANTINED))
    unverified = summary.outputs.unverified
    if failed:
        yield NextStep(
            f"{count(failed, 'slide')} ended without results",
            "Each has its remedy among the failures. 'bulk retry --failed' submits them again, in new runs "
            "that are paid for.",
            "failures",
        )
    if aside:
        yield NextStep(
            f"{count(aside, 'slide')} {_was(aside)} set aside",
            "Each has its remedy among the failures; then 'bulk retry' takes them up where they were.",
            "failures",
        )
    if unverified:
        yield NextStep(
            f"{count(unverified, 'output')} came without a checksum",
            "Nobody promised what is in them; look at them before they are used.",
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
            "The JSON report names them. If they were meant, make another job of them and name them there.",
            "totals",
        )
