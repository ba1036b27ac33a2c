"""Bulk jobs: thousands of slides, exactly one run for each chunk of them, whatever happens on the way.

    from aignostics_async import Client
    from aignostics_async.bulk import BulkJob, JobPlan, Sources, create_job

    async with Client.from_env() as client:
        plan = JobPlan(
            api_root=client.api_root, application_version="he-tme:v1.0.0", store="s3://bucket/slides"
        )
        outlook = await create_job("job/", plan, Sources(places=["slides/"]), client)
        async with BulkJob.open("job/") as job:
            summary = await job.run(client)

`aignostics-async bulk` is the same on the command line.
"""

from typing import TYPE_CHECKING

from .._core._lazy_exports import exports

_HOMES: dict[str, tuple[str, ...]] = {
    "_job": ("BulkJob",),
    "_create": ("can_create_job", "create_job"),
    "_observer": ("JobObserver", "PendingDecisions"),
    "_plan": ("JobPlan",),
    "_stage_progress": ("StageProgress",),
    "preflight._findings": ("Finding", "FindingGroup", "FindingKind", "group_findings"),
    "preflight._preflight": ("PreflightProgress", "run_preflight"),
    "preflight._report": ("PreflightReport",),
    "preflight.sources._selection_rules": ("SelectionRule",),
    "preflight.sources._sources": ("Sources",),
    "reconciliation._quiescence": ("ReconciliationTimeouts",),
    "database._journal": ("EventType", "JobEvent"),
    "report._audit": ("ItemOutcome", "Audit", "JobStatus"),
    "report._description": ("describe_summary",),
    "report._next_steps": ("NextStep", "next_steps"),
    "report._rows": ("ReportedDuplicate", "ReportedRun"),
    "report._summary": ("Summary",),
    "report._write": ("write_report",),
}

if TYPE_CHECKING:
    from ._create import can_create_job as can_create_job, create_job as create_job
    from ._job import BulkJob as BulkJob
    from ._observer import JobObserver as JobObserver, PendingDecisions as PendingDecisions
    from ._plan import JobPlan as JobPlan
    from ._stage_progress import StageProgress as StageProgress
    from .database._journal import EventType as EventType, JobEvent as JobEvent
    from .preflight._findings import (
        Finding as Finding,
        FindingGroup as FindingGroup,
        FindingKind as FindingKind,
        group_findings as group_findings,
    )
    from .preflight._preflight import PreflightProgress as PreflightProgress, run_preflight as run_preflight
    from .preflight._report import PreflightReport as PreflightReport
    from .preflight.sources._selection_rules import SelectionRule as SelectionRule
    from .preflight.sources._sources import Sources as Sources
    from .reconciliation._quiescence import ReconciliationTimeouts as ReconciliationTimeouts
    from .report._audit import Audit as Audit, ItemOutcome as ItemOutcome, JobStatus as JobStatus
    from .report._description import describe_summary as describe_summary
    from .report._next_steps import NextStep as NextStep, next_steps as next_steps
    from .report._rows import ReportedDuplicate as ReportedDuplicate, ReportedRun as ReportedRun
    from .report._summary import Summary as Summary
    from .report._write import write_report as write_report
else:
    __getattr__, __dir__ = exports(__name__, _HOMES)

__all__ = [name for names in _HOMES.values() for name in names]
