"""Watching runs: what polling sees, and the changes in it.

A `Watcher` is what a user iterates. All watchers of a client share one `Poller`, which two activities feed:
`Rounds` ask how the runs stand, `Readings` how their items do. What they ask for is decided by pure
generators (`_survey`, `_reading`), when by `_schedule`, and what follows from an answer by pure state
(`_tracked`, `_transitions`, `_ranks`).
"""

from ._transitions import Change
from ._watcher import Watcher

__all__ = ["Change", "Watcher"]
