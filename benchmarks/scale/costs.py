"""What one item of a bulk job costs, as measured."""

from __future__ import annotations

import json
from pathlib import Path

from attrs import asdict, frozen

MEASURED = Path(__file__).with_name("measured.json")


@frozen(kw_only=True)
class Costs:
    """The costs of one item, in seconds of CPU, requests and commits; and what they were measured with."""

    preflight_coordinator_cpu: float
    preflight_scheduler_cpu: float
    preflight_worker_cpu: float
    coordinator_cpu: float
    """Of the process of the job, from the upload to the last output."""
    scheduler_cpu: float
    worker_cpu: float
    worker_cpu_per_byte: float
    api_requests: float
    """To the platform, by the coordinator and the workers together."""
    store_requests: float
    commits: float
    commit_seconds: float
    """How long the disk takes for one commit."""
    slides: int
    """The most slides of a measured job."""
    workers: int
    bytes: int
    """The size of the largest measured slide."""
    machine: str

    def save(self, path: Path) -> None:
        """Write them to a JSON file."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n")


def load(path: Path = MEASURED) -> Costs:
    """Read them from a JSON file."""
    return Costs(**json.loads(path.read_text()))
