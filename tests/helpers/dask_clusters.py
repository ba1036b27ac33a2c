"""Dask clusters for tests: a real scheduler and real workers, each a process on the loopback."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest
from attrs import define, field

if find_spec("distributed") is None:  # importing it takes half a second of each worker
    pytest.skip("clusters need the extra `cluster`: pip install '.[cluster]'", allow_module_level=True)

_PATIENCE = 60.0  # seconds
_PAGES = (
    "info/main/workers.html",
    "info/main/exceptions.html",
    "info/main/logs.html",
    "json/counts.json",
    "json/identity.json",
    "metrics",
    "sitemap.json",
)
_MOST_PAGES = 200


@define
class DaskCluster:
    """A scheduler and its workers; all of them end with the block of `dask_cluster`."""

    folder: Path
    environment: Mapping[str, str] = field(factory=dict)
    scheduler: subprocess.Popen[bytes] = field(init=False)
    workers: list[subprocess.Popen[bytes]] = field(factory=list)

    @property
    def file(self) -> Path:
        """The scheduler's file."""
        return self.folder / "scheduler.json"

    @property
    def address(self) -> str:
        """The scheduler's address."""
        return str(json.loads(self.file.read_text())["address"])

    @property
    def dashboard(self) -> str:
        """The root of the scheduler's pages."""
        port = json.loads(self.file.read_text())["services"]["dashboard"]
        return f"http://127.0.0.1:{port}"

    @property
    def logs(self) -> str:
        """All that scheduler and workers have written."""
        return "\n".join(path.read_text("utf-8", "replace") for path in self.folder.glob("*.log"))

    def pages(self) -> Iterator[tuple[str, str]]:
        """Yield the pages of the scheduler, and all that they lead to: workers, tasks, stacks and logs."""
        waiting = [f"{self.dashboard}/{page}" for page in _PAGES]
        seen = set(waiting)
        while waiting and len(seen) < _MOST_PAGES:
            url = waiting.pop(0)
            answer = httpx.get(url, timeout=30)
            yield url, answer.text
            linked = {urljoin(url, link) for link in re.findall(r'href="([^"#]+)"', answer.text)} - seen
            found = sorted(link for link in linked if link.startswith(f"{self.dashboard}/info/"))
            seen.update(found)
            waiting += found

    def start_scheduler(self, *options: str) -> None:
        """Start a scheduler, and wait until it answers."""
        self.file.unlink(missing_ok=True)
        listening = ("--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0")
        self.scheduler = self._start("scheduler", *listening, "--scheduler-file", str(self.file), *options)
        wait_until(lambda: self.file.exists() and self.file.read_text().endswith("}"), self.scheduler)

    def start_worker(self, threads: int = 4, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start a worker, which is there some time later."""
        told = ("--scheduler-file", str(self.file), "--nthreads", str(threads), "--no-nanny")
        place = ("--host", "127.0.0.1", "--death-timeout", "60", "--local-directory", str(self.folder))
        pages = ("--dashboard-address", "127.0.0.1:0")
        worker = self._start("worker", *told, *place, *pages, *options, **environment)
        self.workers.append(worker)
        return worker

    def _start(self, what: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{what}-{time.monotonic_ns()}.log").open("wb")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", "distributed.cli.dask_" + what, *options],
                env={**os.environ, **self.environment, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def end(self) -> None:
        """End all processes."""
        for process in (*self.workers, self.scheduler):
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=30)


def wait_until(is_so: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait until something is so, as long as a process runs."""
    until = time.monotonic() + _PATIENCE
    while not is_so():
        assert process.poll() is None, "it has ended"
        assert time.monotonic() < until
        time.sleep(0.05)


@contextmanager
def dask_cluster(
    folder: Path,
    environment: Mapping[str, str],
    *options: str,
    workers: int = 2,
    threads: int = 4,
    tls: Sequence[str] = (),
) -> Iterator[DaskCluster]:
    """Give a cluster on this machine; the options are its workers', those of `tls` the scheduler's, too."""
    folder.mkdir()
    cluster = DaskCluster(folder, environment)
    cluster.start_scheduler(*tls)
    try:
        for _ in range(workers):
            cluster.start_worker(threads, *options, *tls)
        yield cluster
    finally:
        cluster.end()


def certificates(folder: Path) -> dict[str, Path]:
    """Write the certificates of a cluster into a folder, and return their paths: `ca`, `cert` and `key`."""
    from distributed import Security

    made = Security.temporary()
    texts = {"ca": made.tls_ca_file, "cert": made.tls_client_cert, "key": made.tls_client_key}
    paths = {name: folder / f"{name}.pem" for name in texts}
    for name, text in texts.items():
        paths[name].write_text(text)
    return paths
