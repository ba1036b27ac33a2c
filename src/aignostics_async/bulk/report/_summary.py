"""What a report says of a job as a whole: its audit, its totals, and what is left to do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from attrs import asdict, frozen

from ..._core._display_text import moment
from ..._core._urls import without_query
from ..._version import __version__
from ...errors import ConfigurationError, JobDatabaseError, QuotaExceeded
from .._price import as_price
from ..database._queries import billed
from ..database._states import AttemptOutcome, IntentState, ItemState
from ..database._writer import Execute
from ._audit import HELD, LOST, VERIFIED, WITH_INTENTS, Audit, ItemOutcome, JobStatus, outcome_of
from ._expiry import ExpiringResults, read_expiry
from ._formatting import plain
from ._last_error import LastError, read_last_error
from ._pace import read_pace, seconds_left
from ._sanitizing import named, told

_UNSENT = (ItemState.FOUND, ItemState.READY, ItemState.SENDING, ItemState.STORED)
# Whether an item is another account than others of its state.
_IS_SPECIAL = f"(({LOST}) IS NOT NULL OR intents.state IS 'AMBIGUOUS' OR {HELD})"


@frozen(kw_only=True)
class JobFacts:
    """Facts about the job itself, as `Summary.job` has them.

        job = (await JobObserver("job/").summary()).job
        print(job.job_id, job.created_at, job.stop_reason)

    `job_id` and `application_version` are ids, and `server` is the URL of the deployment. `max_items`,
    `price` (of an item) and `currency` are those of the plan, None without. Times are in UTC with time zone,
    and None for what has not happened; `finished_at` also while `run` works. `stopped_at`, `stop_kind` (its
    type) and `stop_reason` are about the error or cancellation that ended the last `run`, and None if none
    did; `is_paused` tells if a request to pause did.
    """

    job_id: str
    """The id of the job."""
    application_version: str
    """The id of the application version."""
    server: str
    """The URL of the deployment, without `/api`."""
    created_at: datetime | None
    """When the job was created."""
    finished_at: datetime | None
    """When the job finished, which a later `run` with nothing to do keeps; None if the last `run` did not
    finish everything, or while it works.
    """
    is_paused: bool
    """Whether the job stopped because of `JobObserver.request_pause`."""
    max_items: int | None
    """The maximum number of items that are billed; None for no limit."""
    price: Decimal | None
    """The price of an item that the plan was given; None without one."""
    currency: str | None
    """The currency of the price; None without one."""
    stopped_at: datetime | None
    """When the job stopped with an error; None while it works, and after it has finished."""
    stop_kind: str | None
    """The type of that error, such as `QuotaExceeded`; None without one."""
    stop_reason: str | None
    """The message of that error; None without one."""
    cancelled_at: datetime | None
    """When the job was cancelled; None if it was not, or was retried since."""


@frozen(kw_only=True)
class UploadTotals:
    """Totals of the job's slides and their uploads, as `Summary.uploads` has them.

        uploads = (await job.summary()).uploads
        print(uploads.stored_items, "slides,", uploads.stored_bytes, "of", uploads.bytes, "bytes")

    `bytes` is the size of all slides whose size is known, `stored_bytes` that of the objects of the uploaded
    ones. `stored_items` is the number of uploaded slides, `store_verified` the number of those whose bytes
    the store has verified.
    """

    bytes: int
    """The bytes of all slides whose size is known."""
    stored_items: int
    """The number of slides that were uploaded."""
    stored_bytes: int
    """The bytes of the objects that were uploaded, which may be zips of slides of several files."""
    store_verified: int
    """The number of uploaded slides whose bytes the store has proven; see `Stored.verified`."""


@frozen(kw_only=True)
class OutputTotals:
    """Totals of the output files, as `Summary.outputs` has them.

        outputs = (await job.summary()).outputs
        print(outputs.verified, "of", outputs.listed, "files,", outputs.bytes, "bytes")

    `listed` is the number of files that the platform has listed, `verified` the number that were downloaded
    with the promised checksum, and `unverified` the number that were downloaded without one. `bytes` is the
    size of all downloaded files.
    """

    listed: int
    """The number of output files that the platform has listed."""
    verified: int
    """The number of downloaded files that have the promised checksum."""
    unverified: int
    """The number of downloaded files for which no checksum was promised."""
    bytes: int
    """The bytes of all downloaded files."""


@frozen(kw_only=True)
class RunTotals:
    """Totals of the job's runs and of the requests for them, as `Summary.runs` has them.

        runs = (await job.summary()).runs
        print(runs.by_state, runs.billed, runs.ambiguous)

    `by_state` maps each `ReportedRun.state` to its number of chunks, and `requests` the outcomes of requests
    (CREATED, NOT_SENT, REFUSED, LATER, UNAUTHORIZED, STOP, UNKNOWN, or UNDER_WAY without one yet) to their
    numbers; a state or outcome without any is absent. `billed` is the number of items in chunks that have a
    run, or may get one. `held` is the number of items that are held for a decision. `duplicates` is the
    number of second runs, and `open_duplicates` the number of those without a decision.
    """

    by_state: Mapping[str, int]
    """The number of chunks by state, as in `ReportedRun.state`; a state without chunks is absent."""
    requests: Mapping[str, int]
    """The number of requests for runs by outcome; an outcome without requests is absent.

    The outcomes are CREATED, NOT_SENT, REFUSED, LATER, UNAUTHORIZED, STOP and UNKNOWN; UNDER_WAY counts the
    requests without an outcome yet.
    """
    billed: int
    """The number of items in chunks that have a run, or may get one."""
    duplicates: int
    """The number of second runs of a chunk."""
    open_duplicates: int
    """The number of second runs that wait for a decision."""
    held: int
    """The number of items that are held because another run has, or may get, results of the same slide."""

    @property
    def ambiguous(self) -> int:
        """The number of chunks for which a person has to decide whether they have a run."""
        return self.by_state.get(IntentState.AMBIGUOUS, 0)


@frozen(kw_only=True)
class Summary:
    """A summary of a job at one moment: status, audit, totals, and results that expire soon.

        summary = await job.summary()
        print(summary.status.name, summary.outputs.verified, "files")

    `made_at` is the moment, in UTC. `job` has the facts of the job, `audit` and `states` the number of items
    by outcome and by state, and `uploads`, `outputs` and `runs` totals. `expiry` is about results that
    expire, `last_error` the latest error or None, `pace` the items a second by stage, and `left_out` the
    number of slides that were left out, by reason; what has no items is absent. `release` is the version of
    this package that made it.
    """

    made_at: datetime
    """The moment, in UTC."""
    release: str
    """The release of this package that made the summary."""
    job: JobFacts
    """The job itself."""
    audit: Audit
    """The number of items by outcome."""
    states: Mapping[str, int]
    """The number of items by value of `ItemState`, such as `"DONE"`; a state without items is absent."""
    uploads: UploadTotals
    """Totals of the slides and their uploads."""
    outputs: OutputTotals
    """Totals of the output files."""
    runs: RunTotals
    """Totals of the runs and of the requests for them."""
    expiry: ExpiringResults
    """Results that are not downloaded yet and expire."""
    last_error: LastError | None
    """The latest error, also one that was overcome; None without any."""
    pace: Mapping[str, float]
    """The items a second of each stage in the last hour of work, by `PROBE`, `UPLOAD`, `ANALYSIS` and
    `DOWNLOAD`; a stage without items then is absent.
    """
    left_out: Mapping[str, int]
    """The number of slides that were left out when the job was created, by value of `LeftOutReason`; a reason
    without slides is absent.
    """

    @property
    def status(self) -> JobStatus:
        """The status of the job.

        It is `Audit.status`, except that QUOTA_EXCEEDED replaces UNFINISHED if the quota was the reason of
        the last stop.
        """
        status = self.audit.status(
            open_duplicates=self.runs.open_duplicates,
            ambiguous=self.runs.ambiguous,
            beyond_limit=self.beyond_limit,
        )
        is_out_of_quota = status is JobStatus.UNFINISHED and self.job.stop_kind == QuotaExceeded.__name__
        return JobStatus.QUOTA_EXCEEDED if is_out_of_quota else status

    @property
    def exit_status(self) -> int:
        """The exit status of `bulk watch` for this summary: that of `status`, or 75 if `is_unswept`.

        `bulk run` ends with it, too, if the job has finished; after a drain with 75, unless items are lost;
        and after an error with the status of that.
        """
        return (JobStatus.UNFINISHED if self.is_unswept else self.status).exit_status

    @property
    def is_unswept(self) -> bool:
        """Whether no item continues, but the search for second runs has not finished.

        True only if the reply to a request was lost. `BulkJob.run` finishes the search.
        """
        has_doubt = bool(self.runs.requests.get(AttemptOutcome.UNKNOWN))
        return self.status.is_over and self.job.finished_at is None and has_doubt

    @property
    def beyond_limit(self) -> int:
        """The number of unsent items beyond the plan's `max_items`, which are not sent; 0 without a limit."""
        if self.job.max_items is None:
            return 0
        unsent = sum(self.states.get(state, 0) for state in _UNSENT)
        return max(0, unsent - max(0, self.job.max_items - self.runs.billed))

    @property
    def time_left(self) -> float | None:
        """The seconds of work that are left, by its `pace`; None if it is done or the pace is unknown.

        It is a guess: what the platform has in its queue may take longer.
        """
        return seconds_left(self.pace, self.states, self.beyond_limit)

    @property
    def cost(self) -> Decimal | None:
        """The cost of the items that `RunTotals.billed` counts, by the plan's `price`; None without one."""
        return None if self.job.price is None else self.job.price * self.runs.billed

    def plain(self) -> dict[str, Any]:
        """Return the summary as a mapping of JSON values, as in the JSON report.

            json.dumps((await job.summary()).plain())

        Its keys are the names of the fields, `time_left`, `cost`, `verdict` (the name of the status) and
        `exit_status`. The objects have a key for each field of the same name, except two that keep older
        names: `audit.accounts` for `outcomes`, and `job.most_items` for `max_items`. `audit` also has
        `accounted_for` and `missing`. Items are counted by the values of `ItemOutcome` and `ItemState`. Cost
        and price are decimal numbers as text, times ISO 8601 in UTC, to the second; None is null in JSON.
        """
        facts = asdict(self, value_serializer=plain)
        # Keys of a released format, which differ from the attributes.
        facts["audit"]["accounts"] = facts["audit"].pop("outcomes")
        facts["job"]["most_items"] = facts["job"].pop("max_items")
        facts["audit"] |= {"accounted_for": self.audit.accounted_for, "missing": self.audit.missing}
        return {
            **facts,
            "time_left": self.time_left,
            "cost": None if self.cost is None else str(self.cost),
            "verdict": self.status.name,
            "exit_status": self.exit_status,
        }


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
        last_error=read_last_error(execute),
        pace=read_pace(execute),
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
    try:
        values = dict(json.loads(plan))
        server, price = without_query(str(values.get("api_root", ""))), as_price(values.get("price"))
    except (ValueError, TypeError, RecursionError, ConfigurationError) as error:
        raise JobDatabaseError(f"the job's plan can't be read ({error}); restore a copy of it") from None
    job = JobFacts(
        job_id=job_id,
        application_version=named(str(values.get("application_version", ""))),
        server=server,
        created_at=moment(created_at),
        finished_at=moment(finished_at),
        is_paused=bool(is_paused),
        max_items=values.get("most_items"),
        price=price,
        currency=values.get("currency"),
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
