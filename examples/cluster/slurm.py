"""Run or resume the stages of a bulk job on the nodes of SLURM, with dask-jobqueue.

    pip install 'dask-jobqueue>=0.9'
    python examples/cluster/slurm.py job/ --certificates tls/ --walltime 60 --maximum 20 --queue short

The job was created by `bulk run`, which may have been stopped, or by `create_job`. It ends as `bulk resume`
does: 75 says that it has to be called again. The folder `tls/` holds ca.pem, cert.pem and key.pem, readable
by you alone, where the nodes see them. The nodes take their credentials from the environment that `sbatch`
passes on, or from `--prologue`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from dask_jobqueue import SLURMCluster
from distributed import Security

from aignostics_async import Client, JobError, Settings, Transfers
from aignostics_async.bulk import BulkJob, DaskEngine, JobStatus


def cluster_of(options: argparse.Namespace) -> Any:
    """Return a cluster that starts workers as there is work, and ends them before the queue's limit does."""
    limit = round(60 * options.walltime)
    stagger = max(1, limit // 15)
    # A worker that ends by itself says so, and the scheduler gives its items to others at once; of one that
    # the queue ends it has to notice. The stagger is added or taken away.
    lifetime = limit - min(limit // 3, 300) - stagger
    cluster = SLURMCluster(
        queue=options.queue,
        walltime=f"{limit // 3600:02}:{limit // 60 % 60:02}:{limit % 60:02}",
        cores=options.threads,
        processes=1,
        job_cpu=options.cores,
        memory=options.memory,
        protocol="tls://",
        security=_security(options.certificates.absolute()),
        interface=options.interface,
        scheduler_options={"dashboard_address": "127.0.0.1:0"},
        worker_extra_args=[
            "--lifetime", f"{lifetime}s", "--lifetime-stagger", f"{stagger}s", "--no-dashboard",
        ],
        job_script_prologue=options.prologue,
        log_directory=options.logs,
    )  # fmt: skip
    cluster.adapt(minimum=0, maximum=options.maximum)
    return cluster


def _security(folder: Path) -> Security:
    certificate, key = str(folder / "cert.pem"), str(folder / "key.pem")
    return Security(
        tls_ca_file=str(folder / "ca.pem"),
        tls_scheduler_cert=certificate,
        tls_scheduler_key=key,
        tls_worker_cert=certificate,
        tls_worker_key=key,
        tls_client_cert=certificate,
        tls_client_key=key,
        require_encryption=True,
    )


async def work(folder: Path, cluster: Any, bandwidth: float | None) -> int:
    """Work on the job, and return the exit status."""
    settings = Settings(transfers=Transfers(bandwidth=bandwidth))
    async with Client.from_env(settings=settings) as client, BulkJob.open(folder) as job:
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
    parser.add_argument("--walltime", type=float, default=60, help="the queue's limit, in minutes")
    parser.add_argument("--maximum", type=int, default=10, help="how many nodes at most")
    parser.add_argument("--cores", type=int, default=2, help="cores of a node")
    parser.add_argument("--threads", type=int, default=8, help="items that a node works on at a time")
    parser.add_argument("--memory", default="8GB")
    parser.add_argument("--interface", help="the network interface that the nodes reach, such as ib0")
    parser.add_argument("--prologue", nargs="*", default=[], help="lines of the script of each node")
    parser.add_argument("--logs", help="a folder for what the nodes write")
    parser.add_argument("--bwlimit", type=float, help="bytes per second of the whole job")
    options = parser.parse_args()
    with cluster_of(options) as cluster:
        return asyncio.run(work(options.job, cluster, options.bwlimit))


if __name__ == "__main__":
    sys.exit(main())
