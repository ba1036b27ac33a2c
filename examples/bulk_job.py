"""Every slide of a folder, whatever happens on the way: run it again to continue.

    python examples/bulk_job.py JOB SLIDES --store URL [--application-version ID]

The environment says which platform to use and as whom, as `Client.from_env` reads it.
"""

import argparse
import asyncio
import sys
from pathlib import Path

from aignostics_async import AignosticsError, Client, Settings, visible
from aignostics_async.bulk import BulkJob, JobPlan, Sources, create_job


async def main(arguments: argparse.Namespace) -> int:
    async with Client.from_env(settings=Settings(poll_interval=arguments.poll_interval)) as client:
        if not (arguments.job / "job.sqlite3").exists():
            plan = JobPlan(
                api_root=client.api_root,
                application_version=arguments.application_version,
                store=arguments.store,
            )
            report = await create_job(arguments.job, plan, Sources(places=[str(arguments.slides)]), client)
            if not report.is_clear:  # nothing was sent
                print(*(visible(str(each)) for each in report.faults), sep="\n")
                return report.exit_status
        async with BulkJob.open(arguments.job) as job:
            summary = await job.run(client)
    print(f"{summary.status.name}: {dict(summary.states)}, {summary.outputs.verified} outputs verified")
    return summary.status.exit_status


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Every slide of a folder, whatever happens on the way.")
    parser.add_argument("job", type=Path)
    parser.add_argument("slides", type=Path)
    parser.add_argument("--store", required=True)
    parser.add_argument("--application-version", default="he-tme:v1.1.0")
    parser.add_argument("--poll-interval", type=float, default=30.0)
    try:
        sys.exit(asyncio.run(main(parser.parse_args())))
    except AignosticsError as error:
        sys.exit(f"error: {visible(str(error))}")
