"""How long a job takes, and what limits it: the resource that takes the most time per item decides."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from .costs import Costs

WINDOW = 1024
"""The most tasks of one stage under way, as the engine has it."""
API_REQUESTS = 8
"""The most requests to the platform of one process under way, as `Limits` has it."""
MEASURED_SLIDES = 100_000
"""The largest job that `benchmarks.bulk_pipeline` takes through all stages: an item costs no more there."""


@frozen(kw_only=True)
class Site:
    """What is assumed of a site and of the platform; bytes, seconds, and bytes per second."""

    slide: float = 5e9
    outputs: float = 50e6
    """Of one slide, together."""
    cores: int = 2
    """Of one worker."""
    threads: int = 8
    link: float = 125e6
    """Of one worker: 1 Gbit/s."""
    uplink: float = 1.25e9
    """Of all workers together, and of the file system that they read: 10 Gbit/s."""
    round_trip: float = 0.05
    create: float = 2.0
    """For the platform to create a run; one is created at a time."""
    chunk: int = 100
    """Slides of a run."""


@frozen
class Prediction:
    """How long a job takes, and why."""

    preflight: float
    run: float
    limits: Mapping[str, float]
    """The seconds per item of each resource while the job runs."""
    extrapolated: tuple[str, ...]
    """The inputs beyond what was measured."""

    @property
    def seconds(self) -> float:
        """The time of the preflight and of the run."""
        return self.preflight + self.run

    @property
    def first_limit(self) -> str:
        """The resource that decides."""
        return max(self.limits, key=self.limits.__getitem__)

    @property
    def coordinator_share(self) -> float:
        """How much of the time the coordinator's core is busy, from 0 to 1."""
        return self.limits["coordinator"] / max(self.limits.values())


def limits(site: Site, costs: Costs, workers: int) -> dict[str, float]:
    """Return the seconds per item that each resource would take alone."""
    moved = site.slide + site.outputs
    # A worker's connections share its link, so the shortest time of a task is that of one with all of it.
    task = site.round_trip * (costs.api_requests + costs.store_requests) + moved / site.link
    return {
        "links of the workers": moved / (workers * site.link),
        "cores of the workers": _worker_cpu(site, costs) / (workers * site.cores),
        "link of the site": moved / site.uplink,
        "tasks under way": task / min(WINDOW, workers * site.threads),
        # Some are the workers': as if the coordinator sent them all.
        "requests under way": costs.api_requests * site.round_trip / API_REQUESTS,
        "coordinator": costs.coordinator_cpu,
        "scheduler": costs.scheduler_cpu,
        "database": costs.commits * costs.commit_seconds,
        "creating runs": site.create / site.chunk,
    }


def _worker_cpu(site: Site, costs: Costs) -> float:
    return costs.worker_cpu + costs.worker_cpu_per_byte * (site.slide + site.outputs)


def predict(slides: int, workers: int, site: Site, costs: Costs) -> Prediction:
    """Return how long a job of N slides takes with N workers."""
    preflight = max(
        costs.preflight_coordinator_cpu,
        costs.preflight_scheduler_cpu,
        costs.preflight_worker_cpu / (workers * site.cores),
    )
    found = limits(site, costs, workers)
    beyond = {
        "slides": slides > MEASURED_SLIDES,
        "workers": workers > costs.workers,
        "size": site.slide > costs.bytes,
    }
    extrapolated = tuple(name for name, is_beyond in beyond.items() if is_beyond)
    return Prediction(slides * preflight, slides * max(found.values()), found, extrapolated)


ONE_OF = (
    "coordinator",
    "requests under way",
    "scheduler",
    "database",
    "creating runs",
    "link of the site",
)
"""What a job has one of, whatever its workers."""


def most_a_day(site: Site, costs: Costs) -> dict[str, float]:
    """Return the slides a day that each thing allows of which there is one."""
    found = limits(site, costs, workers=1)
    return {name: 86_400 / found[name] for name in ONE_OF}
