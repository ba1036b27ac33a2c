# The public names, each once; scripts/public_names.py makes _exports.py from this list.

from ._corrections import CorrectionReport as CorrectionReport
from ._create import can_create_job as can_create_job, create_job as create_job
from ._job import BulkJob as BulkJob
from ._known_jobs import KnownJob as KnownJob, list_jobs as list_jobs
from ._observer import JobObserver as JobObserver, PendingDecisions as PendingDecisions
from ._plan import JobPlan as JobPlan
from ._stage_progress import StageProgress as StageProgress
from .cluster._connection import ClusterTls as ClusterTls
from .cluster._dask_engine import DaskEngine as DaskEngine
from .database._journal import EventType as EventType, JobEvent as JobEvent
from .database._states import ItemState as ItemState
from .engines._local import LocalEngine as LocalEngine
from .engines._protocol import StageEngine as StageEngine
from .preflight._findings import (
    Finding as Finding,
    FindingGroup as FindingGroup,
    FindingKind as FindingKind,
    group_findings as group_findings,
)
from .preflight._inspection import (
    InspectedSlide as InspectedSlide,
    Inspection as Inspection,
    inspect_slides as inspect_slides,
)
from .preflight._manifest_draft import (
    ManifestDraft as ManifestDraft,
    MetadataField as MetadataField,
    draft_manifest as draft_manifest,
)
from .preflight._preflight import PreflightProgress as PreflightProgress, run_preflight as run_preflight
from .preflight._report import PreflightReport as PreflightReport
from .preflight.sources._selection_rules import SelectionRule as SelectionRule
from .preflight.sources._sources import Sources as Sources
from .reconciliation._quiescence import ReconciliationTimeouts as ReconciliationTimeouts
from .report._audit import Audit as Audit, ItemOutcome as ItemOutcome, JobStatus as JobStatus
from .report._description import describe_summary as describe_summary
from .report._last_error import LastError as LastError
from .report._next_steps import NextStep as NextStep, next_steps as next_steps
from .report._results_table import write_results_table as write_results_table
from .report._rows import ReportedDuplicate as ReportedDuplicate, ReportedRun as ReportedRun
from .report._summary import Summary as Summary
from .report._write import write_report as write_report
