"""Bulk jobs: thousands of slides, exactly one run for each chunk of them, whatever happens on the way.

    from aignostics_async import Client
    from aignostics_async.bulk import BulkJob, JobPlan, Sources, make_job

    async with Client.from_env() as client:
        plan = JobPlan(
            api_root=client.api_root, application_version="he-tme:v1.0.0", store="s3://bucket/slides"
        )
        outlook = await make_job("job/", plan, Sources(places=["slides/"]), client)
        async with BulkJob.open("job/") as job:
            summary = await job.run(client)

`aignostics-async bulk` is the same on the command line.
"""

from typing import TYPE_CHECKING

from .._exports import exports

_HOMES: dict[str, tuple[str, ...]] = {
    "_job": ("BulkJob",),
    "_making": ("make_job",),
    "_plan": ("JobPlan",),
    "ahead._findings": ("Finding", "Kind"),
    "ahead._look_ahead": ("Looked", "look_ahead"),
    "ahead._outlook": ("Outlook",),
    "ahead._patterns": ("Rule",),
    "ahead._sources": ("Sources",),
    "once._quiet": ("Patience",),
    "record._journal": ("Happening", "JobEvent"),
    "report._audit": ("Account", "Audit", "Verdict"),
    "report._summary": ("Summary",),
    "report._write": ("write_report",),
}

if TYPE_CHECKING:
    from ._job import BulkJob as BulkJob
    from ._making import make_job as make_job
    from ._plan import JobPlan as JobPlan
    from .ahead._findings import Finding as Finding, Kind as Kind
    from .ahead._look_ahead import Looked as Looked, look_ahead as look_ahead
    from .ahead._outlook import Outlook as Outlook
    from .ahead._patterns import Rule as Rule
    from .ahead._sources import Sources as Sources
    from .once._quiet import Patience as Patience
    from .record._journal import Happening as Happening, JobEvent as JobEvent
    from .report._audit import Account as Account, Audit as Audit, Verdict as Verdict
    from .report._summary import Summary as Summary
    from .report._write import write_report as write_report
else:
    __getattr__, __dir__ = exports(__name__, _HOMES)

__all__ = [name for names in _HOMES.values() for name in names]
