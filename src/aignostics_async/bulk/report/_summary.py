"""What a report says of a job as a whole: its audit, its totals, and what is left to do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import asdict, frozen

from ..._core._urls import without_query
from ..._version import __version__
from ...errors import QuotaExceeded
from ..database._queries import billed
from ..database._states import AttemptOutcome, IntentState, ItemState
from ..database._writer import Execute
from ._audit import HELD, LOST, VERIFIED, WITH_INTENTS, Audit, ItemOutcome, JobStatus, outcome_of
from ._formatting import moment, plain
from ._sanitizing import named, told

KEPT = 30 * 24 * 3600.0
"""Seconds for which the platform keeps the results of a run that has ended."""
ALARM = 7 * 24 * 3600.0
"""Seconds before their end in which results that are not here are an alarm."""
_UNSENT = (ItemState.FOUND, ItemState.READY, ItemState.SENDING, ItemState.STORED)
# Whether an item is another account than others of its state.
_IS_SPECIAL = f"(({LOST}) IS NOT NULL OR intents.state IS 'AMBIGUOUS' OR {HELD})"


@frozen(kw_only=True)
class JobFacts:
    """Whose report it is."""

    job_id: str
    application_version: str
    server: str
    created_at: datetime | None
    finished_at: datetime | None
    is_paused: bool
    max_items: int | None
    """How many items may be billed."""
    stopped_at: datetime | None
    """When it stopped with an error; None while it is at work, and after it came to its end."""
    stop_kind: str | None
    """The type of that error, such as `QuotaExceeded`."""
    stop_reason: str | None
    """What that error says."""
    cancelled_at: datetime | None
    """When somebody cancelled it; None if nobody did, or it was retried since."""


@frozen(kw_only=True)
class UploadTotals:
    """Slides on this side."""

    bytes: int
    """Of all slides whose size is known."""
    stored_items: int
    stored_bytes: int
    store_verified: int
    """Of the stored ones, those whose checksum the store itself has confirmed."""


@frozen(kw_only=True)
class OutputTotals:
    """Files that the platform made."""

    listed: int
    verified: int
    unverified: int
    """Here, and nobody promised a checksum."""
    bytes: int
    """Of those that are here."""


@frozen(kw_only=True)
class RunTotals:
    """Runs, and the requests for them."""

    by_state: Mapping[str, int]
    """Chunks of items by the state of their intent."""
    requests: Mapping[str, int]
    """Requests by what they came to."""
    billed: int
    """Items of the chunks that have a run, or may have one."""
    duplicates: int
    """Second runs of a chunk."""
    open_duplicates: int
    """Those of them that nothing was done about yet."""
    held: int
    """Items that are not sent, because an earlier run has results of the same slide."""

    @property
    def ambiguous(self) -> int:
        """Chunks of which a person has to say whether they have a run, and which."""
        return self.by_state.get(IntentState.AMBIGUOUS, 0)


@frozen(kw_only=True)
class ExpiringResults:
    """Results that the platform has, and that are not here."""

    items: int
    """Those that end soon, or have ended."""
    first: datetime | None
    """When the first of all ends."""


@frozen(kw_only=True)
class Summary:
    """A job as it stood when it was looked at."""

    made_at: datetime
    release: str
    job: JobFacts
    audit: Audit
    states: Mapping[str, int]
    uploads: UploadTotals
    outputs: OutputTotals
    runs: RunTotals
    expiry: ExpiringResults
    left_out: Mapping[str, int]
    """Slides that were seen when the job was made and not taken, by reason."""

    @property
    def status(self) -> JobStatus:
        """What the job is, in one word, and the exit status that says it."""
        status = self.audit.status(
            open_duplicates=self.runs.open_duplicates,
            ambiguous=self.runs.ambiguous,
            beyond_limit=self.beyond_limit,
        )
        is_out_of_quota = status is JobStatus.UNFINISHED and self.job.stop_kind == QuotaExceeded.__name__
        return JobStatus.QUOTA_EXCEEDED if is_out_of_quota else status

    @property
    def exit_status(self) -> int:
        """What the command line ends with as the job stands."""
        return (JobStatus.UNFINISHED if self.is_unswept else self.status).exit_status

    @property
    def is_unswept(self) -> bool:
        """Whether all items are at their end, and late second runs were not looked for to the end.

        There may be some where the answer to a request was lost.
        """
        has_doubt = bool(self.runs.requests.get(AttemptOutcome.UNKNOWN))
        return self.status.is_over and self.job.finished_at is None and has_doubt

    @property
    def beyond_limit(self) -> int:
        """Items that are not sent, since as many as may be were billed."""
        if self.job.max_items is None:
            return 0
        unsent = sum(self.states.get(state, 0) for state in _UNSENT)
        return max(0, unsent - max(0, self.job.max_items - self.runs.billed))

    def plain(self) -> dict[str, Any]:
        """Return it as what JSON can hold."""
        facts = asdict(self, value_serializer=plain)
        # Keys of a released format, which differ from the attributes.
        facts["audit"]["accounts"] = facts["audit"].pop("outcomes")
        facts["job"]["most_items"] = facts["job"].pop("max_items")
        facts["audit"] |= {"accounted_for": self.audit.accounted_for, "missing": self.audit.missing}
        return {**facts, "verdict": self.status.name, "exit_status": self.exit_status}


def read_summary(execute: Execute, now: datetime | None = None) -> Summary:
    """Read it: a query for `Database.read`. It counts in the database; no row of an item comes here."""
    made_at = now or datetime.now(UTC)
    job, taken_in = _read_job(execute)
    uploads, special = _read_uploads(execute)
    accounts, states, lost = _count_items(execute, special)
    return Summary(
        made_at=made_at,
        release=__version__,
        job=job,
        audit=Audit(taken_in, accounts, lost),
        states=states,
        uploads=uploads,
        outputs=_read_outputs(execute),
        runs=_read_runs(execute),
        expiry=read_expiry(execute, made_at.timestamp()),
        left_out=dict(
            execute("SELECT reason, count(*) FROM left_out WHERE is_slide GROUP BY reason ORDER BY reason")
        ),
    )


def _read_job(execute: Execute) -> tuple[JobFacts, int]:
    query = (
        "SELECT id, plan, created_at, finished_at, is_paused, taken_in, stopped_at, stop_kind, stop_reason, "
        "cancelled_at FROM job"
    )
    job_id, plan, created_at, finished_at, is_paused, taken_in, *stop = execute(query).fetchone()
    stopped_at, stop_kind, stop_reason, cancelled_at = stop
    values = json.loads(plan)
    job = JobFacts(
        job_id=job_id,
        application_version=named(str(values.get("application_version", ""))),
        server=without_query(str(values.get("api_root", ""))),
        created_at=moment(created_at),
        finished_at=moment(finished_at),
        is_paused=bool(is_paused),
        max_items=values.get("most_items"),
        stopped_at=moment(stopped_at),
        stop_kind=stop_kind,
        stop_reason=None if stop_reason is None else told(stop_reason),
        cancelled_at=moment(cancelled_at),
    )
    return job, taken_in


def _read_uploads(execute: Execute) -> tuple[UploadTotals, int]:
    """Return the uploads, and how many items are not what their state says; in one pass over all rows."""
    query = (
        "SELECT total(items.size), count(stored_size), total(stored_size), "
        "coalesce(sum(is_store_verified AND stored_size IS NOT NULL), 0), "
        f"coalesce(sum({_IS_SPECIAL}), 0) {WITH_INTENTS}"
    )
    size, items, stored, verified, special = execute(query).fetchone()
    uploads = UploadTotals(
        bytes=int(size), stored_items=items, stored_bytes=int(stored), store_verified=verified
    )
    return uploads, special


def _count_items(execute: Execute, special: int) -> tuple[Counter[ItemOutcome], Counter[str], Counter[str]]:
    """Return how many items are in each account, in each state, and lost for each reason."""
    states: Counter[str] = Counter(dict(execute("SELECT state, count(*) FROM items GROUP BY state")))
    accounts: Counter[ItemOutcome] = Counter()
    losses: Counter[str] = Counter()
    for state, count in states.items():
        accounts[outcome_of(state, None, None)] += count
    if special:
        query = (
            f"SELECT items.state, intents.state, {LOST}, {HELD}, count(*) {WITH_INTENTS} "
            f"WHERE {_IS_SPECIAL} GROUP BY 1, 2, 3, 4"
        )
        for state, intent_state, lost, is_held, count in execute(query):
            accounts[outcome_of(state, None, None)] -= count
            accounts[outcome_of(state, intent_state, lost, is_held=bool(is_held))] += count
            if lost is not None:
                losses[lost] += count
    return +accounts, states, losses


def _read_outputs(execute: Execute) -> OutputTotals:
    query = (
        f"SELECT count(*), coalesce(sum(status IN ({VERIFIED})), 0), "  # noqa: S608
        "coalesce(sum(status = 'UNVERIFIED'), 0), "
        f"total(iif(status IN ({VERIFIED}, 'UNVERIFIED'), size, 0)) FROM outputs"
    )
    listed, verified, unverified, size = execute(query).fetchone()
    return OutputTotals(listed=listed, verified=verified, unverified=unverified, bytes=int(size))


def _read_runs(execute: Execute) -> RunTotals:
    states = execute("SELECT state, count(*) FROM intents GROUP BY state ORDER BY state").fetchall()
    answers = execute("SELECT coalesce(outcome, 'UNDER_WAY'), count(*) FROM attempts GROUP BY 1").fetchall()
    query = "SELECT count(*), count(*) - count(done) FROM seen WHERE is_duplicate"
    duplicates, still_open = execute(query).fetchone()
    return RunTotals(
        by_state=dict(states),
        requests=dict(answers),
        billed=billed()(execute),
        duplicates=duplicates,
        open_duplicates=still_open,
        held=execute(f"SELECT count(*) FROM items WHERE {HELD}").fetchone()[0],  # noqa: S608
    )


def read_expiry(execute: Execute, now: float) -> ExpiringResults:
    """Read which results end soon: a query for `Database.read`."""
    query = (
        "SELECT coalesce(sum(seen.ended_at < ?), 0), min(seen.ended_at) FROM items "
        "JOIN seen ON seen.run_id = items.run_id WHERE items.state IN ('SUBMITTED', 'SUCCEEDED')"
    )
    items, first = execute(query, (now + ALARM - KEPT,)).fetchone()
    return ExpiringResults(items=items, first=moment(None if first is None else first + KEPT))
