"""From slides on this machine to a run: metadata, checks, uploads, one POST, and finding it again.

`_billing_index` recognizes slides that were billed before, `_billed_runs` asks whether the platform has their
results.
"""

from ._billing import SubmissionBilling
from ._billing_index import BillingScope
from ._create import create_run
from ._find import FoundRuns, find_runs, runs_since
from ._metadata_cells import read_metadata
from ._outcome import CreationOutcome, creation_outcome
from ._prepare import prepare_items

__all__ = [
    "BillingScope",
    "CreationOutcome",
    "FoundRuns",
    "SubmissionBilling",
    "create_run",
    "creation_outcome",
    "find_runs",
    "prepare_items",
    "read_metadata",
    "runs_since",
]
