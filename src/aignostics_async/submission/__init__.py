"""From slides on this machine to a run: metadata, checks, uploads, one POST, and finding it again."""

from ._create import create_run
from ._find import FoundRuns, find_runs
from ._prepare import prepare_items

__all__ = ["FoundRuns", "create_run", "find_runs", "prepare_items"]
