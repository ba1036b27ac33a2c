"""From slides on this machine to a run: metadata, checks, uploads, one POST, and finding it again."""

from ._create import create_run
from ._find import FoundRuns, find_runs, runs_since
from ._outcome import CreationOutcome, creation_outcome
from ._prepare import prepare_items

__all__ = [
    "CreationOutcome",
    "FoundRuns",
    "create_run",
    "creation_outcome",
    "find_runs",
    "prepare_items",
    "runs_since",
]
