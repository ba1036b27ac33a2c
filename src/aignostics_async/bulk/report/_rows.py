"""The rows of a report, one at a time: items, and the runs to which they belong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from attrs import frozen

from ..._core._display_text import moment
from ...models import ItemStatus
from ..database._writer import Execute
from ._audit import HELD, LOST, VERIFIED, WITH_INTENTS, ItemOutcome, outcome_of
from ._sanitizing import named, told


@frozen
class ReportedItem:
    """One item. The columns of the CSV file are these fields, in this order."""

    number: int
    reference: str
    path: str
    size: int | None
    crc32c: str | None
    uri: str | None
    run_id: str | None
    item_id: str | None
    account: ItemOutcome
    state: str
    status: str | None
    """The platform's status of the item."""
    fault: str | None
    remedy: str | None
    attempts: int
    """The number of runs with this item that were refused before the current one."""
    outputs: int
    verified_outputs: int
    submitted_at: datetime | None
    """When its run was created, by the platform's clock."""
    ended_at: datetime | None
    """When its run was first seen to have ended."""
    changed_at: datetime | None
    """When its state last changed."""
    intent: int | None
    """The number of its chunk; see `ReportedRun`."""
    identifying: str | None
    """The kinds of content that may identify a person, separated by commas; None if the slide was not read.
    """


@frozen
class ReportedRun:
    """A chunk of items, and its run, as `PendingDecisions.chunks` lists it.

        for chunk in (await JobObserver("job/").decisions()).chunks:
            print(chunk.intent, chunk.state, chunk.reason, chunk.items)

    `intent` is the number of the chunk, for `BulkJob.resolve`. `state` is AMBIGUOUS in this list. `requests`
    counts the requests for the run, `items` the items of the chunk, and `done` and `failed` those of them
    that are done, and that failed or are quarantined. `run_id` and the texts `how` (the job learned of the
    run), `reason` (of the state) and `status` (of the run) are None where there is none, and so are the times
    `submitted_at` and `ended_at`, in UTC.
    """

    intent: int
    """The number of the chunk, as `BulkJob.resolve` takes it."""
    state: str
    """What is known about the run: SEALED, SENDING, UNKNOWN, AMBIGUOUS, CREATED, CLOSED or DISSOLVED."""
    run_id: str | None
    """The id of the run; None without one."""
    how: str | None
    """How the job learned of the run, for people; None without one."""
    reason: str | None
    """Why the chunk is in this state, for people; None if nothing was recorded."""
    status: str | None
    """The platform's status of the run; None without one."""
    requests: int
    """The number of requests for the run, including those that did not reach the platform."""
    items: int
    """The number of items in the chunk."""
    done: int
    """The number of its items that are done."""
    failed: int
    """The number of its items that failed or are quarantined."""
    submitted_at: datetime | None
    """When the run was created, in UTC by the platform's clock; None without a run."""
    ended_at: datetime | None
    """When the run was first seen to have ended, in UTC; None until then."""


@frozen
class ReportedFile:
    """A file that was found when the job was created, and left out."""

    path: str
    reason: str
    detail: str
    is_slide: bool


@frozen
class ReportedDuplicate:
    """A second run of a chunk, and the decision about it, as `PendingDecisions.duplicates` lists it.

        for duplicate in (await JobObserver("job/").decisions()).duplicates:
            print(duplicate.run_id, duplicate.intent, duplicate.status)

    `run_id` is the id of the second run, for `BulkJob.resolve_duplicate`, and `status` the platform's status
    of it. `intent` is the number of the chunk, and `submitted_at` when the run was created, in UTC; both are
    None if unknown. `done` describes the decision as text; None while it is open, as in this list.
    """

    run_id: str
    """The id of the second run, as `BulkJob.resolve_duplicate` takes it."""
    intent: int | None
    """The number of the chunk; None if it is no longer known."""
    status: str
    """The platform's status of the second run."""
    submitted_at: datetime | None
    """When the second run was created, in UTC by the platform's clock; None if unknown."""
    done: str | None
    """What was done about it, for people; None while the decision is open."""


_ITEMS = (
    "SELECT items.number, items.reference, items.path, items.size, items.crc32c, items.uri, items.run_id, "  # noqa: S608
    "items.item_id, items.state, items.status, items.fault, items.error, items.remedy, items.attempts, "
    "(SELECT count(*) FROM outputs WHERE outputs.item = items.number), "
    "(SELECT count(*) FROM outputs WHERE outputs.item = items.number "
    f"AND outputs.status IN ({VERIFIED})), "
    f"seen.triggered_at, seen.ended_at, items.changed_at, items.intent, intents.state, {LOST} AS lost, "
    f"{HELD}, json_extract(items.info, '$.exposes') {WITH_INTENTS} "
    "LEFT JOIN seen ON seen.run_id = items.run_id "
)
_IN_ORDER = "ORDER BY items.reference"  # the order of an index, so that nothing is sorted
_RUNS = """
SELECT intents.number, intents.state, intents.run_id, intents.how, intents.reason, seen.status,
    (SELECT count(*) FROM attempts WHERE attempts.intent = intents.number),
    (SELECT count(*) FROM members WHERE members.intent = intents.number),
    (SELECT count(*) FROM items WHERE items.intent = intents.number AND items.state = 'DONE'),
    (SELECT count(*) FROM items WHERE items.intent = intents.number
        AND items.state IN ('FAILED', 'SET_ASIDE')),
    seen.triggered_at, seen.ended_at
FROM intents LEFT JOIN seen ON seen.run_id = intents.run_id
"""
_DUPLICATES = "SELECT run_id, intent, status, triggered_at, done FROM seen WHERE is_duplicate ORDER BY number"

_AGAIN = "'bulk retry --failed' submits it again, in a new run, which is billed"
_BY_STATUS = {
    ItemStatus.ERROR_USER: f"Correct the slide as the platform's message says; then {_AGAIN}.",
    ItemStatus.ERROR_SYSTEM: f"The platform failed, not the slide: {_AGAIN}. If it persists, report "
    "the ids of run and item to the platform's support.",
    ItemStatus.CANCELED_USER: f"Its run was cancelled. If you still want the results, {_AGAIN}.",
    ItemStatus.CANCELED_SYSTEM: "The platform cancelled its run, as it does when too many of a run's items "
    f"fail. Look at the other failures of the run; then {_AGAIN}.",
    ItemStatus.SKIPPED: f"Its run was cancelled before it was processed. If it is still wanted, {_AGAIN}.",
}
_BY_ACCOUNT = {
    ItemOutcome.FAILED: f"Report the ids of run and item to the platform's support; {_AGAIN}.",
    ItemOutcome.QUARANTINED: "Correct what the fault names; then 'bulk retry' continues with the slide.",
    ItemOutcome.LOST: "Keep the job's folder unchanged, and report this with it: the slide is not at fault.",
}


def read_items(execute: Execute) -> Iterator[ReportedItem]:
    """Yield all items, in the order of their references."""
    return map(_item, execute(_ITEMS + _IN_ORDER))


def read_troubles(execute: Execute) -> Iterator[ReportedItem]:
    """Yield the items that failed, are quarantined or are lost."""
    where = "WHERE items.state IN ('FAILED', 'SET_ASIDE') OR lost IS NOT NULL "
    return map(_item, execute(_ITEMS + where + _IN_ORDER))


def read_pictured(execute: Execute, limit: int) -> Iterator[tuple[int, str]]:
    """Yield number and path of the first slides, and of the first slides in trouble."""
    yield from execute("SELECT number, path FROM items ORDER BY reference LIMIT ?", (limit,))
    for row in islice(read_troubles(execute), limit):
        yield row.number, row.path


def read_runs(execute: Execute) -> Iterator[ReportedRun]:
    """Yield all chunks with their runs."""
    return map(_run, execute(f"{_RUNS} ORDER BY intents.number"))


def read_ambiguous(execute: Execute) -> Iterator[ReportedRun]:
    """Yield the chunks that wait for a person's decision."""
    return map(_run, execute(f"{_RUNS} WHERE intents.state = 'AMBIGUOUS' ORDER BY intents.number"))


def read_duplicates(execute: Execute) -> Iterator[ReportedDuplicate]:
    """Yield the runs that were created a second time."""
    for run_id, intent, status, triggered_at, done in execute(_DUPLICATES):
        yield ReportedDuplicate(run_id, intent, told(status), moment(triggered_at), _told(done))


def read_left_out(execute: Execute) -> Iterator[ReportedFile]:
    """Yield the files that were found when the job was created, and left out."""
    for path, reason, detail, is_slide in execute("SELECT path, reason, detail, is_slide FROM left_out"):
        yield ReportedFile(named(path), reason, named(detail), bool(is_slide))


def _told(text: str | None) -> str | None:
    return None if text is None else told(text)


def _item(row: tuple[Any, ...]) -> ReportedItem:
    number, reference, path, size, crc32c, uri, run_id, item_id, state, status, fault, error, given = row[:13]
    attempts, outputs, verified, submitted, ended, changed, intent, intent_state, lost, is_held, kinds = row[
        13:
    ]
    what = outcome_of(state, intent_state, lost, is_held=bool(is_held))
    # The old fault of an item that continues is not shown.
    is_shown = what.is_trouble or what is ItemOutcome.UNDECIDED
    wrong = lost or fault or error if is_shown else None
    return ReportedItem(
        number,
        named(reference),
        named(path),
        size,
        crc32c,
        _told(uri),
        _told(run_id),
        _told(item_id),
        what,
        state,
        _told(status),
        _told(wrong),
        _told(remedy(what, status, given)),
        attempts,
        outputs,
        verified,
        moment(submitted),
        moment(ended),
        moment(changed),
        intent,
        None if kinds is None else ", ".join(json.loads(kinds)),
    )


def _run(row: tuple[Any, ...]) -> ReportedRun:
    intent, state, run_id, how, reason, status, requests, items, done, failed, triggered, ended = row
    return ReportedRun(
        intent,
        state,
        run_id,
        _told(how),
        _told(reason),
        _told(status),
        requests,
        items,
        done,
        failed,
        moment(triggered),
        moment(ended),
    )


def remedy(account: ItemOutcome, status: str | None, given: str | None) -> str | None:
    """Return what to do about an item; None if there is nothing to do."""
    if not account.is_trouble:
        return None
    if given and account is not ItemOutcome.LOST:
        return given
    if account is ItemOutcome.FAILED and status is not None:
        return _BY_STATUS.get(ItemStatus(status), _BY_ACCOUNT[account])
    return _BY_ACCOUNT[account]
