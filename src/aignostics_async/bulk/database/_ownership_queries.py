"""Which references belong to which of the job's items, chunks and runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from attrs import frozen

from ._writer import Execute


@frozen(kw_only=True)
class Ownership:
    """Which references belong to which intents, runs and items, at one moment."""

    intents: dict[frozenset[str], int]
    """By the references that were sent, tags included, of intents that have their run."""
    dissolved: Mapping[frozenset[str], int]
    """The same for intents that were refused, or replaced by another; a request of them may be late."""
    open: set[frozenset[str]]
    """The references of intents that have no run yet."""
    runs: set[str]
    """Runs that belong to an intent."""
    items: Mapping[str, int]
    """The numbers of all items, by their references without tags."""
    placed: set[int]
    """Items that belong to a run."""
    asked: Mapping[int, frozenset[str]]
    """By number, the references of intents that a request without an answer was sent for."""
    decided: set[int]
    """Items of which a person has said that they may be billed again, or is asked."""

    def adopt(self, run_id: str, references: frozenset[str], numbers: Iterable[int], intent: int) -> None:
        """Register that an intent was made of items that were found in a run."""
        self.intents[references] = intent
        self.open.discard(references)
        self.runs.add(run_id)
        self.placed.update(numbers)


def ownership() -> Callable[[Execute], Ownership]:
    """Return the query for which references belong to what."""

    def query(execute: Execute) -> Ownership:
        own: dict[int, str] = dict(execute("SELECT number, run_id FROM intents WHERE run_id IS NOT NULL"))
        placed = execute("SELECT number FROM items WHERE run_id IS NOT NULL")
        decided = "SELECT number FROM items WHERE may_be_rebilled OR billed_run IS NOT NULL"
        sent = _references(execute, "<> 'DISSOLVED'")
        dissolved = _references(execute, "= 'DISSOLVED'")
        return Ownership(
            intents={references: number for number, references in sent.items() if number in own},
            dissolved={references: number for number, references in dissolved.items()},
            open={references for number, references in sent.items() if number not in own},
            runs=set(own.values()),
            items=dict(execute("SELECT reference, number FROM items")),
            placed={row[0] for row in placed},
            asked=_references(execute, "IN ('SENDING', 'UNKNOWN', 'AMBIGUOUS')"),
            decided={row[0] for row in execute(decided)},
        )

    return query


def _references(execute: Execute, condition: str) -> dict[int, frozenset[str]]:
    """Return the references, as they are sent, of intents whose state meets a condition."""
    query = (
        "SELECT intents.number, items.reference || tag FROM intents "
        "JOIN members ON members.intent = intents.number JOIN items ON items.number = item "
        f"WHERE intents.state {condition}"
    )
    found: dict[int, set[str]] = {}
    for number, reference in execute(query):
        found.setdefault(number, set()).add(reference)
    return {number: frozenset(references) for number, references in found.items()}
