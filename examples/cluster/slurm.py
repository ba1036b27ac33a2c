"""Run or resume the stages of a bulk job on the nodes of SLURM, with dask-jobqueue.

    pip install 'dask-jobqueue>=0.9'
    python examples/cluster/slurm.py job/ --certificates tls/ --walltime 60 --maximum 20 --queue short

The job was created by `bulk run`, which may have been stopped. It ends as `bulk resume` does: 75 says that it
has to be called again. The folder `tls/` holds ca.pem, cert.pem and key.pem, readable by you alone, where the
nodes see them. The nodes take their credentials from the environment that `sbatch` passes on, or from
`--prologue`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from dask_jobqueue import SLURMCluster
from distributed import Security

from aignostics_async import Client, JobError
from aignostics_async.bulk import BulkJob, DaskEngine, JobStatus


def cluster_of(options: argparse.Namespace) -> Any:
    """Return a cluster that starts workers as there is work, and ends them before the queue's limit does."""
    folder = options.certificates.absolute()
    certificate, key = str(folder / "cert.pem"), str(folder / "key.pem")
    security = Security(
        tls_ca_file=str(folder / "ca.pem"),
        tls_scheduler_cert=certificate,
        tls_scheduler_key=key,
        tls_worker_cert=certificate,
        tls_worker_key=key,
        tls_client_cert=certificate,
        tls_client_key=key,
        require_encryption=True,
    )
    stagger = max(1, options.walltime // 15)
    cluster = SLURMCluster(
        queue=options.queue,
        walltime=f"00:{options.walltime}:00" if options.walltime < 60 else f"{options.walltime // 60}:00:00",
        cores=options.threads,
        processes=1,
        job_cpu=options.cores,
        memory=options.memory,
        protocol="tls://",
        security=security,
        interface=options.interface,
        scheduler_options={"dashboard_address": "127.0.0.1:0"},
        # A worker that ends by itself hands its items back; one that the queue kills loses what it is at.
        worker_extra_args=[
            "--lifetime", f"{options.walltime - stagger - 1}m", "--lifetime-stagger", f"{stagger}m",
            "--no-dashboard",
        ],
        job_script_prologue=options.prologue,
    )  # fmt: skip
    cluster.adapt(minimum=0, maximum=options.maximum)
    return cluster


async def work(folder: Path, cluster: Any) -> int:
    """Work on the job, and return the exit status."""
    async with Client.from_env() as client, BulkJob.open(folder) as job:
        try:
            summary = await job.run(
                client, engine=DaskEngine(cluster), listener=lambda event: print(event.to_json(), flush=True)
            )
        except JobError as error:
            print(error, file=sys.stderr)
            return JobStatus.UNFINISHED.exit_status
    return summary.status.exit_status


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("job", type=Path)
    parser.add_argument("--certificates", type=Path, required=True)
    parser.add_argument("--queue")
    parser.add_argument("--walltime", type=int, default=60, help="minutes: below an hour, or whole hours")
    parser.add_argument("--maximum", type=int, default=10, help="how many nodes at most")
    parser.add_argument("--cores", type=int, default=2, help="cores of a node")
    parser.add_argument("--threads", type=int, default=8, help="items that a node works on at a time")
    parser.add_argument("--memory", default="8GB")
    parser.add_argument("--interface", help="the network interface that the nodes reach, such as ib0")
    parser.add_argument("--prologue", nargs="*", default=[], help="lines of the script of each node")
    options = parser.parse_args()
    with cluster_of(options) as cluster:
        return asyncio.run(work(options.job, cluster))


if __name__ == "__main__":
    sys.exit(main())
