"""Positions in a watcher's stream of changes, from which cursors are computed. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ._transitions import ObservedState


class Position:
    """The position of one change: what had been observed of its run before, then the next position.

    Links lead forward only, so a position is freed as soon as no change at it or before it is held. A list
    with an index per change would have to be trimmed by hand, or grow as long as the watcher lives.
    """

    __slots__ = ("_next", "_observed", "_run_id")

    def __init__(self) -> None:
        self._run_id = ""
        self._observed = ObservedState()
        self._next: Position | None = None

    def advance(self, run_id: str, observed: ObservedState) -> Position:
        """Record a change of a run, with the state before it; return the position after it."""
        self._run_id, self._observed, self._next = run_id, observed, Position()
        return self._next

    def rewind(self, current: Mapping[str, ObservedState]) -> dict[str, ObservedState]:
        """Return the states at this position, given the current ones."""
        earlier: dict[str, ObservedState] = {}
        at = self
        while at._next is not None:
            earlier.setdefault(at._run_id, at._observed)
            at = at._next
        return {**current, **earlier}
