"""The audit: every item that was added is accounted for, and what that means for the job. Pure.

Each item is asked for evidence of its state. One that has none is lost: the job's own fault, whatever it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum

from attrs import frozen

from ...downloads._outcomes import FileStatus
from ..database._states import IntentState, ItemState


class ItemOutcome(StrEnum):
    """The outcome of an item: whether it is done, continues by itself, or needs a person.

        audit = (await job.summary()).audit
        print(audit.outcomes[ItemOutcome.QUARANTINED], "slides are quarantined")

    The values are the names, except `"SET_ASIDE"` for QUARANTINED; JSON and CSV reports have the values.
    """

    DONE = "DONE"
    """Every output of the item is downloaded."""
    UNDER_WAY = "UNDER_WAY"
    """The item continues by itself while a process works on the job, up to the plan's `max_items`."""
    UNDECIDED = "UNDECIDED"
    """A person has to decide whether the item has a run, or whether it may be billed a second time."""
    FAILED = "FAILED"
    """The platform ended the item without results."""
    QUARANTINED = "SET_ASIDE"
    """The item is held back with its fault."""
    LOST = "LOST"
    """The database contradicts itself about the item, so nothing will happen to it: a defect, or a foreign
    change.
    """

    @property
    def is_trouble(self) -> bool:
        """Whether the item failed, is quarantined or is lost."""
        return self in _TROUBLE


_TROUBLE = frozenset({ItemOutcome.FAILED, ItemOutcome.QUARANTINED, ItemOutcome.LOST})
_FINAL: dict[str, ItemOutcome] = {
    ItemState.DONE: ItemOutcome.DONE,
    ItemState.FAILED: ItemOutcome.FAILED,
    ItemState.QUARANTINED: ItemOutcome.QUARANTINED,
}


def outcome_of(
    state: str, intent_state: str | None, lost: str | None, *, is_held: bool = False
) -> ItemOutcome:
    """Return what became of an item, from its state, that of its intent, and what the audit found.

    An item is held if an earlier run of the same slide was found: a person decides.
    """
    if lost is not None:
        return ItemOutcome.LOST
    if is_held:
        return ItemOutcome.UNDECIDED
    if state == ItemState.ASSIGNED and intent_state == IntentState.AMBIGUOUS:
        return ItemOutcome.UNDECIDED
    return _FINAL.get(state, ItemOutcome.UNDER_WAY)


def _listed(*values: str) -> str:
    return ", ".join(f"'{value}'" for value in values)


_HERE = (FileStatus.VERIFIED, FileStatus.PRESENT, FileStatus.UNVERIFIED)
_MAY_BECOME_A_RUN = (IntentState.SEALED, IntentState.SENDING, IntentState.UNKNOWN, IntentState.AMBIGUOUS)
_AT_THE_PLATFORM = (ItemState.SUBMITTED, ItemState.SUCCEEDED, ItemState.DONE, ItemState.FAILED)

VERIFIED = _listed(FileStatus.VERIFIED, FileStatus.PRESENT)
"""The states of an output that was compared with a promised checksum, as SQL."""

# What is wrong with an item, and the condition of it in a query of items with their intents.
_CHECKS = {
    "this release does not know its state": f"items.state NOT IN ({_listed(*ItemState)})",
    "it waits for a run that will never be requested": f"""
        items.state = 'ASSIGNED' AND (
            coalesce(intents.state, '') NOT IN ({_listed(*_MAY_BECOME_A_RUN)}) OR NOT EXISTS (
                SELECT 1 FROM members AS own
                WHERE own.intent = items.intent AND own.item = items.number AND own.is_live))""",  # noqa: S608
    "it counts as submitted, but its run is not that of its chunk": f"""
        items.state IN ({_listed(*_AT_THE_PLATFORM)})
        AND (items.run_id IS NULL OR items.run_id IS NOT intents.run_id)""",
    "its run was closed before its results were downloaded": """
        items.state IN ('SUBMITTED', 'SUCCEEDED') AND intents.state = 'CLOSED'""",
    "it counts as done, but some of its outputs are missing": f"""
        items.state = 'DONE' AND items.number IN (
            SELECT item FROM outputs WHERE status NOT IN ({_listed(*_HERE)}))""",  # noqa: S608
    "it is quarantined without a recorded reason": "items.state = 'SET_ASIDE' AND items.fault IS NULL",
}

HELD = "(items.state = 'SET_ASIDE' AND items.billed_run IS NOT NULL AND NOT items.may_be_rebilled)"
"""Whether an item is held for a decision: SQL over items."""
LOST = "".join(["CASE", *(f" WHEN {test} THEN '{words}'" for words, test in _CHECKS.items()), " END"])
"""What is wrong with an item that is lost, else NULL: SQL over items `WITH_INTENTS`."""
WITH_INTENTS = "FROM items LEFT JOIN intents ON intents.number = items.intent"
"""All items, each with its intent, if it has one."""


class JobStatus(Enum):
    """The status of a job.

        if (await job.summary()).status is JobStatus.UNDECIDED:
            print(await JobObserver("job/").decisions())

    The values are exit statuses: 0 for DONE, 1 for LOST, 3 for SOME_FAILED, 4 for UNDECIDED, 8 for
    QUOTA_EXCEEDED and 75 for UNFINISHED.
    """

    DONE = 0
    """Every item is done."""
    SOME_FAILED = 3
    """No item continues, and some of them are not done."""
    UNDECIDED = 4
    """A person has to decide whether a run exists, what to do with a second one, or about held slides."""
    QUOTA_EXCEEDED = 8
    """The job stopped because the organization's quota was used up."""
    UNFINISHED = 75
    """Some items are under way; the job has to run, or to be resumed."""
    LOST = 1
    """Some items are lost or missing from the database: a defect of this package, or a foreign change."""

    @property
    def is_over(self) -> bool:
        """Whether the status is DONE or SOME_FAILED, so that no item continues by itself."""
        return self in (JobStatus.DONE, JobStatus.SOME_FAILED)

    @property
    def exit_status(self) -> int:
        """The value, as the exit status that stands for this status.

        `Summary.exit_status` says when a command ends with another one.
        """
        return self.value


@frozen
class Audit:
    """The number of items that were added to a job, and the number with each outcome.

        audit = (await job.summary()).audit
        print(audit.outcomes[ItemOutcome.DONE], "of", audit.taken_in, audit.is_whole)

    `taken_in` is the number of items that were added. `outcomes` maps `ItemOutcome` to the number of items;
    an outcome without items is absent, and in a summary indexing returns 0 for it. `lost` maps what is wrong,
    in words, to the number of lost items; empty if there are none.
    """

    taken_in: int
    """The number of items that were added to the job, counted separately from their rows."""
    outcomes: Mapping[ItemOutcome, int]
    """The number of items by outcome; an outcome without items is absent, and indexing gives 0 for it."""
    lost: Mapping[str, int]
    """The number of lost items by what is wrong with them, in words; empty if there are none."""

    @property
    def accounted_for(self) -> int:
        """The number of items with an outcome other than LOST."""
        return sum(count for account, count in self.outcomes.items() if account is not ItemOutcome.LOST)

    @property
    def troubles(self) -> int:
        """The number of items that failed, are quarantined or are lost."""
        return sum(count for account, count in self.outcomes.items() if account.is_trouble)

    @property
    def missing(self) -> int:
        """The number of items without a row in the database; 0 unless it was damaged or changed.

        It is negative if there are more rows than items that were added.
        """
        return self.taken_in - sum(self.outcomes.values())

    @property
    def is_whole(self) -> bool:
        """Whether the database has as many rows as items that were added, and none is lost."""
        return not self.missing and not self.lost

    def status(self, *, open_duplicates: int, ambiguous: int, beyond_limit: int = 0) -> JobStatus:
        """Return the status of the job; if several apply, the most serious one.

            audit.status(open_duplicates=0, ambiguous=1)  # JobStatus.UNDECIDED

        `open_duplicates` is the number of second runs, and `ambiguous` that of chunks, for which a decision
        is pending. `beyond_limit` is the number of items that the plan's `max_items` keeps from being sent, 0
        by default; they do not count as under way. From most to least serious: LOST, UNDECIDED, UNFINISHED,
        SOME_FAILED, DONE. `Summary.status` adds QUOTA_EXCEEDED.
        """
        if not self.is_whole:
            return JobStatus.LOST
        if ambiguous or open_duplicates or self.outcomes.get(ItemOutcome.UNDECIDED):
            return JobStatus.UNDECIDED
        if self.outcomes.get(ItemOutcome.UNDER_WAY, 0) > beyond_limit:
            return JobStatus.UNFINISHED
        is_done = self.outcomes.get(ItemOutcome.DONE, 0) == self.taken_in
        return JobStatus.DONE if is_done else JobStatus.SOME_FAILED
