"""What a round is, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from attrs import define, field, frozen

from ._judge import Judgement
from ._points import Point

Kind = Literal[
    "calm",
    "kills",
    "late",
    "copy",
    "asleep",
    "turns",
    "quota",
    "callback",
    "full",
    "together",
    "rerun",
    "user",
    "marks",
    "unfiltered",
]
MARKS: tuple[Kind, ...] = ("together", "rerun", "user", "marks", "unfiltered")
"""What marks have to withstand: copies of the job's folder at work at once, runs with copied metadata, those
of another user, marks that show late, and a server that ignores the filter.
"""


@frozen(kw_only=True)
class Kill:
    """When to kill: at a point, or at some part of the time that a job takes."""

    point: Point | None = None
    skip: int = 0
    part: float = 0.0
    chunks: int = 2
    sleeps: bool = False
    """Whether the process is put to sleep instead, for longer than all timeouts, and wakes."""


@frozen(kw_only=True)
class Plan:
    """A round."""

    name: str
    seed: int
    kind: Kind
    kills: Sequence[Kill]
    has_tag: bool = False
    is_late: bool = False
    """Whether commits come later than the bound."""
    guard: str | None = None
    """Which guard is weakened, so that the round has to go wrong."""


@frozen
class Death:
    """A kill that hit."""

    point: int | None
    """None for one at a random moment."""
    in_flight: int


@define
class Outcome:
    """What a round came to."""

    plan: str
    kind: Kind
    deaths: list[Death] = field(factory=list)
    stops: int = 0
    """How often the job stopped by itself, for an outage, and was resumed."""
    broken: list[str] = field(factory=list)
    """What `PRAGMA integrity_check` said that was not ok, after a kill or in the end."""
    judgement: Judgement | None = None
    told: int = 0
    """Second runs that the job told of."""
    naps: int = 0
    """How often the process was asleep for longer than the timeouts for detector."""
    options: int = 0
    """Lives under a client with other options than the one that holds the connections."""
    callbacks: int = 0
    """Lives that a callback of the caller ended."""
    full: int = 0
    """Lives that a full disk ended."""
    is_late: bool = False
    decisions: int = 0
    """How often somebody decided what the job had left to a person."""
    copied: int = 0
    """Copies of the folder that were at work at the same time."""
    strangers: int = 0
    """Runs that others have created with a mark."""
    cancelled: int = 0
    """Second runs that the job has cancelled."""
    cancelled_wrongly: list[str] = field(factory=list)
    """Cancelled runs that are no second ones, or that a database has."""
    untold: list[str] = field(factory=list)
    """Slides that were paid for twice, and no copy of the job tells of it."""
    reconciliations: list[int] = field(factory=list)
    """How many requests it took to find each run whose request was not answered."""
    trouble: str = ""
    """Why the job did not come to its end."""

    @property
    def is_well(self) -> bool:
        """Whether nothing of it speaks against the promise."""
        seen = self.judgement
        if self.trouble or self.broken or self.cancelled_wrongly or self.untold or seen is None:
            return False
        is_fine = not (seen.lost or seen.wrong or seen.uploaded_again)
        return is_fine and (self.kind == "together" or seen.duplicates == (self.told if self.is_late else 0))
