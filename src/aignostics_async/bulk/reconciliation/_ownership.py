"""How the references of a run that the database does not know relate to the job's items and chunks. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from ..database._run_commands import ObservedRun
from ..database._states import AttemptOutcome
from ._tags import plain

if TYPE_CHECKING:
    from ..database._ownership_queries import Ownership
    from ..database._queries import Attempt


def duplicate_of(run_id: str, references: frozenset[str], ownership: Ownership) -> int | None:
    """Return the intent of which a run is a second one, if it is.

    It is none while an intent with the same references is open: it may be that one's first. A run of a
    dissolved intent counts too, because its items are in other ones.
    """
    if _is_own(run_id, references, ownership):
        return None
    return ownership.intents.get(references, ownership.dissolved.get(references))


def overlapped_by(run_id: str, references: frozenset[str], ownership: Ownership, tag: str) -> int | None:
    """Return an intent that has a run, and items of which another run of the same job has again.

    It is none while an item of it has no run yet: that one is held, or its intent finds it.
    """
    if _is_own(run_id, references, ownership) or shared_items(references, ownership, tag):
        return None
    return next((intent for its, intent in ownership.intents.items() if its & references), None)


def _is_own(run_id: str, references: frozenset[str], ownership: Ownership) -> bool:
    """Whether a run belongs to an intent by now, or may be the first one of an open intent."""
    return run_id in ownership.runs or references in ownership.open


@frozen(kw_only=True)
class SecondRun:
    """A second run of an intent, and all that tells whether this process may cancel it."""

    run: ObservedRun
    first: ObservedRun | None
    """The run that the intent has claimed, as the platform shows it now; None if it can't be read."""
    sent: Attempt | None
    """The request of this database that the run is marked with."""
    holder: str
    """The token of this process."""
    is_alone: bool
    """Whether no other run has the same mark."""
    is_whole: bool
    """Whether both runs have exactly the references of the intent."""

    @property
    def is_cancellable(self) -> bool:
        """Whether this very process has sent its request, and nobody else can have taken it.

        A mark may have been copied: with its request answered, with a second run of the same mark, or for
        another user, it is not believed.
        """
        mark, sent, first = self.run.mark, self.sent, self.first
        if mark is None or sent is None or first is None or not (self.is_alone and self.is_whole):
            return False
        is_sent_here = mark.holder == sent.holder and sent.outcome == AttemptOutcome.UNKNOWN
        is_this_process_s = mark.holder == self.holder or mark.withdrawn is not None
        is_copied = first.mark is None or first.mark.attempt == mark.attempt or first.user != self.run.user
        return is_sent_here and is_this_process_s and mark.claimed is None and not is_copied


def owned_items(references: frozenset[str], ownership: Ownership, tag: str) -> list[int]:
    """Return the items of a run that is the job's own: it has only items of the job, none of them with a run.

    A job with a tag has it in every run; a run without it is another job's.
    """
    if tag and any(plain(reference, tag) == reference for reference in references):
        return []
    numbers = {ownership.items.get(plain(reference, tag)) for reference in references}
    found = {number for number in numbers if number is not None}
    is_whole = bool(found) and len(found) == len(references)
    return sorted(found) if is_whole and not ownership.placed & found else []


def shared_items(references: frozenset[str], ownership: Ownership, tag: str) -> list[int]:
    """Return the job's items without a run whose references are in a run, of whomever it is.

    Those that a person has decided about are left out. If the job has a tag, references without it don't
    count.
    """
    found = {
        ownership.items.get(plain(reference, tag))
        for reference in references
        if not tag or plain(reference, tag) != reference
    }
    return sorted(number for number in found - ownership.placed - ownership.decided if number is not None)


def is_awaited(references: frozenset[str], ownership: Ownership) -> bool:
    """Whether a run may be the one that a request without an answer has created, as far as it is listed."""
    return bool(references) and any(references <= each for each in ownership.asked.values())


def contested_intents(references: frozenset[str], ownership: Ownership) -> list[int]:
    """Return the intents that a request was sent for, and which share items with a run that is not theirs."""
    return [intent for intent, asked in ownership.asked.items() if references & asked]
