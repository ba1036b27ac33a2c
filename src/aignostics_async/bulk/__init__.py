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

from ._job import BulkJob
from ._making import make_job
from ._plan import JobPlan
from .ahead._findings import Finding, Kind
from .ahead._look_ahead import Looked, look_ahead
from .ahead._outlook import Outlook
from .ahead._patterns import Rule
from .ahead._sources import Sources
from .once._quiet import Patience
from .record._journal import Happening, JobEvent
from .report import Account, Audit, Summary, Verdict, write_report

__all__ = [
    "Account",
    "Audit",
    "BulkJob",
    "Finding",
    "Happening",
    "JobEvent",
    "JobPlan",
    "Kind",
    "Looked",
    "Outlook",
    "Patience",
    "Rule",
    "Sources",
    "Summary",
    "Verdict",
    "look_ahead",
    "make_job",
    "write_report",
]
