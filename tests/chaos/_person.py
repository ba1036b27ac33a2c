"""What a person decides about a job that waits for them; they see what the platform really has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from ._strangers import own_runs, rows_of


@frozen(kw_only=True)
class Decisions:
    """The decisions about one job."""

    chunks: Mapping[int, str | None] = field(factory=dict)
    """By chunk, its run; None for one without."""
    adopts: bool = False
    """Whether runs of the job's items are its own."""
    reruns: Sequence[str] = ()
    """Items that are to be analysed, although another run has them."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits for them."""
        return not (self.chunks or self.adopts or self.reruns)


def decisions(job: Path, data: Path, slides: str, *, adopts: bool = True) -> Decisions:
    """Return what is to be decided about a job, by the state of an emulator in its folder.

    Who does not adopt the job's other runs has the items that they hold analysed again.
    """
    database = job / "job.sqlite3"
    runs = {run_id: frozenset(references) for run_id, references, _ in own_runs(data, slides)}
    taken = {run_id for (run_id,) in rows_of(database, "SELECT run_id FROM intents WHERE run_id IS NOT NULL")}
    chunks: dict[int, set[str]] = {}
    query = (
        "SELECT intents.number, reference FROM intents JOIN members ON members.intent = intents.number "
        "JOIN items ON items.number = item WHERE intents.state = 'AMBIGUOUS'"
    )
    for chunk, reference in rows_of(database, query):
        chunks.setdefault(chunk, set()).add(reference)
    held = (
        "SELECT reference, billed_run FROM items "
        "WHERE state = 'SET_ASIDE' AND billed_run IS NOT NULL AND NOT may_be_rebilled"
    )
    items = dict(rows_of(database, held))
    adopts = adopts and any(run_id in runs for run_id in items.values())
    return Decisions(
        chunks={
            chunk: next(
                (run_id for run_id, its in runs.items() if its == wanted and run_id not in taken), None
            )
            for chunk, wanted in chunks.items()
        },
        adopts=adopts,
        reruns=[reference for reference, run_id in items.items() if not (adopts and run_id in runs)],
    )
