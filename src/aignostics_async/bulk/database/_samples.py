"""Throughput over time: samples of the stages of a job, and their rates."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from enum import StrEnum

from attrs import frozen

from ._writer import Execute

BUCKETS = 240
"""How finely a job's time is divided, whatever it took."""


class Stage(StrEnum):
    """What a sample is of, in the order of the work."""

    PROBE = "PROBE"
    """Slides whose size and resolution were read."""
    UPLOAD = "UPLOAD"
    """Slides and their bytes on the way to the object store."""
    ANALYSIS = "ANALYSIS"
    """Items that the platform ended."""
    DOWNLOAD = "DOWNLOAD"
    """Items whose outputs are here, and the bytes of outputs on their way."""


@frozen
class Sample:
    """What a stage has moved since its sample before; bytes count as they pass, not file by file."""

    stage: Stage
    items: int
    bytes: int = 0


def add_samples(samples: Iterable[Sample]) -> Callable[[Execute], None]:
    """Return the command that records samples as of now, without empty ones."""
    now = time.time()
    rows = [(now, each.stage, each.items, each.bytes) for each in samples if each.items or each.bytes]

    def command(execute: Execute) -> None:
        for row in rows:
            execute("INSERT INTO samples (at, stage, items, bytes) VALUES (?, ?, ?, ?)", row)

    return command


@frozen
class Series:
    """What one stage has moved in each of equal stretches of time, all of them the same for all stages."""

    stage: Stage
    begins: float
    """In seconds of the epoch."""
    width: float
    """Seconds of one stretch."""
    items: tuple[int, ...]
    bytes: tuple[int, ...]


def read_series(execute: Execute, buckets: int = BUCKETS) -> tuple[Series, ...]:
    """Return the series of the stages that moved anything; their size does not grow with the job's."""
    first, last = execute("SELECT min(at), max(at) FROM samples").fetchone()
    if first is None:
        return ()
    width = max(last - first, 1.0) / buckets
    query = (
        "SELECT stage, min(CAST((at - ?) / ? AS INTEGER), ?) AS bucket, sum(items), sum(bytes) FROM samples "
        "GROUP BY stage, bucket"
    )
    items = {stage: [0] * buckets for stage in Stage}
    sizes = {stage: [0] * buckets for stage in Stage}
    for name, bucket, count, size in execute(query, (first, width, buckets - 1)):
        items[Stage(name)][bucket] = count
        sizes[Stage(name)][bucket] = size
    return tuple(
        Series(stage, first, width, tuple(items[stage]), tuple(sizes[stage]))
        for stage in Stage
        if any(items[stage]) or any(sizes[stage])
    )
