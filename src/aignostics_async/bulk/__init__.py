"""Bulk jobs: thousands of slides, and exactly one run for each chunk of them.

    from aignostics_async import Client
    from aignostics_async.bulk import BulkJob, JobPlan, Sources, create_job

    async with Client.from_env() as client:
        plan = JobPlan(
            api_root=client.api_root, application_version="he-tme:v1.0.0", store="s3://bucket/slides"
        )
        report = await create_job("job/", plan, Sources(places=["slides/"]), client)
        async with BulkJob.open("job/") as job:
            summary = await job.run(client)

`aignostics-async bulk` is the same on the command line.
"""

from .._core._lazy_exports import lazy_exports
from ._exports import HOMES

__getattr__, __dir__, __all__ = lazy_exports(__name__, HOMES)
