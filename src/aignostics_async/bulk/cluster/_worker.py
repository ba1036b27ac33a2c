"""What runs in a worker process: a task, the facts of the worker, and a change of the bandwidth.

Nothing here raises: an exception would be kept by the scheduler, and shown in its pages and logs. A failure
is part of the answer, which is sealed.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from ..._version import __version__
from ...errors import AignosticsError, JobError
from ...transfer.progress._events import TransferEvent
from ..engines._protocol import StageTask
from ..engines._tasks import DownloadTask
from ._requests import TaskAnswer, TaskRequest, WorkerFacts
from ._sealed import Sealed
from ._worker_tools import WorkerTools, open_tools, tools_for


async def perform(version: str, sealed: Sealed) -> Sealed | str:
    """Return the sealed answer to a request for a task; or this worker's release, if it is another one."""
    if version != __version__:
        return __version__
    request: TaskRequest = sealed.open()
    return Sealed.of(await _answer(request))


async def describe(sealed: Sealed, dask_worker: Any = None) -> Sealed:
    """Return the sealed facts of this worker, which Dask passes unless this is a task."""
    from distributed import get_worker

    try:
        async with tools_for(sealed, (dask_worker or get_worker()).state.nthreads) as tools:
            facts = await tools.facts()
    except Exception as error:  # noqa: BLE001 - see above
        reason = str(_typed(error))
        facts = WorkerFacts(api=reason, user=None, store=reason, sees_results=False)
    return Sealed.of(facts)


async def limit(bandwidth: float | None) -> None:
    """Limit what the tasks in this process move, in bytes per second."""
    for tools in open_tools():
        tools.limit(bandwidth)


async def _answer(request: TaskRequest) -> TaskAnswer:
    from distributed import get_worker

    worker = get_worker()
    feed = _ProgressFeed(request, worker)
    try:
        async with tools_for(request.setup, worker.state.nthreads) as tools:
            if not await _is_seen(request.task, tools):
                return TaskAnswer(token=request.token, is_unseen=True)
            tools.limit(request.bandwidth)
            value = await request.task.perform(tools.tools, feed)
    except Exception as error:  # noqa: BLE001 - see above
        return TaskAnswer(token=request.token, error=_typed(error), events=feed.last)
    return TaskAnswer(token=request.token, value=value, events=feed.last)


async def _is_seen(task: StageTask[Any], tools: WorkerTools) -> bool:
    if isinstance(task, DownloadTask):
        return await tools.sees_results()
    return await to_thread.run_sync(_exist, task.paths)


def _exist(paths: Sequence[Path]) -> bool:
    return all(path.exists() for path in paths)


def _typed(error: Exception) -> AignosticsError:
    """Return an error of this package: the same one, or one that names the kind and place of another."""
    if isinstance(error, AignosticsError):
        return error.with_traceback(None)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return JobError(f"a worker of the cluster failed with {type(error).__name__}{place}; please report it")


class _ProgressFeed:
    """Tells the coordinator now and then how far the files of a task are; by numbers, without names."""

    def __init__(self, request: TaskRequest, worker: Any) -> None:
        self._request = request
        self._worker = worker
        self._next = anyio.current_time() + request.progress_interval
        self._numbers: dict[str, int] = {}
        self._last: dict[str, TransferEvent] = {}

    @property
    def last(self) -> Sequence[TransferEvent]:
        """The last event of each file."""
        return tuple(self._last.values())

    def __call__(self, event: TransferEvent) -> None:
        """Take an event."""
        self._numbers.setdefault(event.name, len(self._numbers))
        self._last[event.name] = event
        now = anyio.current_time()
        if now >= self._next:
            self._next = now + self._request.progress_interval
            self._tell()

    def _tell(self) -> None:
        files = [
            [self._numbers[name], event.kind, event.done, event.total, event.retries]
            for name, event in self._last.items()
            if event.kind in ("advanced", "retried")
        ]
        if files:
            self._worker.log_event(self._request.topic, [self._request.token, files])
