"""From slides on this machine to a run: metadata, checks, uploads, one POST, and finding it again.

`_billing_index` recognizes slides that were billed before, `_billed_runs` asks whether the platform has their
results.
"""

from ._find import FoundRuns
from ._metadata_cells import read_metadata

__all__ = ["FoundRuns", "read_metadata"]
