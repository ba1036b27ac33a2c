"""The engine of a cluster at work: sends tasks to workers, and believes what their answers say.

The state of a future says nothing: it may be lost after its value was fetched, and a scheduler that is gone
cancels all of them. So a task is done if its own answer came, and nothing else is known of it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager, suppress
from copy import copy
from typing import Any, TypeVar

import anyio
from anyio import to_thread
from attrs import evolve

from ..._core._display_text import count
from ..._core._tasks import plain_task_group
from ..._version import __version__
from ...errors import AignosticsError, ClusterLost, ClusterRefused, LocalFileChanged, SlideError
from ...slides._fingerprints import measure
from ...slides.workers._probed_slide import ProbedSlide
from ...transfer.progress._events import Direction, Progress, TransferEvent, ignore
from ..database._samples import Stage
from ..engines._protocol import EngineSetup, OpenEngine, StageTask
from ..engines._tasks import UploadTask
from ._bandwidth import BandwidthShares
from ._connection import check_addresses, load_distributed
from ._crowd import Crowd
from ._handshake import Stay, remarks
from ._introduction import Introduction
from ._requests import TaskAnswer, TaskRequest
from ._sealed import Sealed
from ._worker import perform

T = TypeVar("T")

_FOLLOW_SECONDS = 1.0
_ANSWER_SECONDS = 20.0
_MAX_WINDOW = 1024
_MAX_STRANGERS = 3
# What is nearest to its end goes first, so that items are done and not only begun.
_PRIORITIES = {Stage.PROBE: 0, Stage.UPLOAD: 1, Stage.DOWNLOAD: 2}
_SUSPECT = "workers died at an item; it is tried again alone, when what is under way has ended"


class OpenDaskEngine:
    """Runs tasks on the workers of a cluster, and on this machine those that the workers can't do."""

    def __init__(
        self, client: Any, setup: EngineSetup, local: OpenEngine, store_endpoint: str | None
    ) -> None:
        self._client = client
        self._setup = setup
        self._local = local
        self._introduction = Introduction(client, setup, store_endpoint)
        self._shares = BandwidthShares(client, setup.client)
        self._crowd = Crowd()
        self._gone: asyncio.Future[AignosticsError] = asyncio.get_running_loop().create_future()
        self._workers: dict[str, int] = {}
        self._stays: dict[Stage, Stay] = {}
        self._attempts: Counter[tuple[Stage, int]] = Counter()
        self._followed: dict[str, tuple[StageTask[Any], Progress]] = {}
        self.unseen: list[str] = []
        """The paths that workers did not see, or saw differently."""

    @property
    def description(self) -> str:
        """What runs the tasks, in words."""
        threads = sum(self._workers.values())
        return f"dask: {count(len(self._workers), 'worker')} with {count(threads, 'thread')}"

    @property
    def remarks(self) -> tuple[tuple[str, str], ...]:
        """What a person should know: what stays with this machine, and why."""
        return remarks(self._stays)

    def window(self, stage: Stage) -> int:
        """Return how many tasks of a stage should be under way: some more than there are threads."""
        if stage in self._stays:
            return self._local.window(stage)
        threads = sum(self._workers.values())
        return min(_MAX_WINDOW, threads + max(2, threads // 4))

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Ask the workers what they can do, and follow the cluster while the block runs."""
        name = self._introduction.name
        async with self._introduction.made():
            self._workers, self._stays = self._introduction.workers, self._introduction.stays
            self._client.subscribe_topic(name, self._take_events)
            async with plain_task_group() as group:
                group.start_soon(self._follow)
                try:
                    await self._share()
                    yield
                finally:
                    group.cancel_scope.cancel()
                    self._shares.end()

    async def run(self, task: StageTask[T], progress: Progress = ignore) -> T:
        """Return the result of a task; raises the AignosticsError of its failure, and ClusterLost."""
        if task.stage in self._stays:
            return await self._local.run(task, progress)
        answer = await self._answer(task, progress)
        if answer.is_unseen or await to_thread.run_sync(_is_other_file, task, answer):
            await self._note_unseen(str(next(iter(task.paths), self._setup.results)))
            return await self._local.run(task, progress)
        for number, event in enumerate(answer.events):
            if event.kind in ("finished", "failed"):
                progress(evolve(event, name=_shown_name(task, number)))
        if answer.error is not None:
            raise answer.error
        result: T = answer.value
        return result

    async def _note_unseen(self, path: str) -> None:
        if not self.unseen:
            self._setup.on_remark(f"workers don't see {path}, or see another file; such work stays here")
        self.unseen.append(path)
        await self._share()

    async def _answer(self, task: StageTask[Any], progress: Progress) -> TaskAnswer:
        """Return a worker's answer; a task that no worker has survived is tried once more, alone.

        Its neighbours may have been the cause.
        """
        async with self._crowd.together():
            answer = await self._ask(task, progress)
        if answer is None:
            self._setup.on_wait(_SUSPECT)
            async with self._crowd.alone():
                answer = await self._ask(task, progress)
        if answer is None:
            path = str(next(iter(task.paths), task.reference))
            raise SlideError(
                "each worker of the cluster that worked on it alone died",
                path=path,
                remedy="it may take more memory than a worker has; look into the logs of the workers",
            )
        return answer

    async def _ask(self, task: StageTask[Any], progress: Progress) -> TaskAnswer | None:
        """Return the answer of a worker; None if too many died while they had the task."""
        of = task.stage, task.number
        for _ in range(_MAX_STRANGERS):
            self._attempts[of] += 1
            token = secrets.token_hex(8)
            self._followed[token] = task, progress
            try:
                answer = await self._sent(task, token, self._attempts[of])
            finally:
                del self._followed[token]
            if answer is None:
                return None
            # The scheduler may still have had a task of this key, sent by a process that is gone.
            if answer.token == token:
                del self._attempts[of]
                return answer
        raise ClusterLost(
            "the cluster answers with results of other requests; is another process at this job?"
        )

    async def _sent(self, task: StageTask[Any], token: str, attempt: int) -> TaskAnswer | None:
        request = TaskRequest(
            setup=self._introduction.sealed,
            task=task,
            token=token,
            bandwidth=self._shares.of_one,
            topic=self._introduction.name,
            progress_interval=max(1.0, len(self._workers) / 50),
        )
        key = f"{self._introduction.name}-{task.stage.lower()}-{task.number}"
        future = self._client.submit(
            perform,
            __version__,
            Sealed.of(request),
            key=key if attempt == 1 else f"{key}-{attempt}",
            pure=False,
            priority=_PRIORITIES[task.stage],
        )
        try:
            got = await self._result(future)
        finally:
            future.release()
        if isinstance(got, str):
            difference = f"aignostics-async is {__version__} here and {got} on a worker"
            raise ClusterRefused(f"the cluster's versions differ: {difference}", differences=[difference])
        answer: TaskAnswer | None = None if got is None else got.open()
        return answer

    async def _result(self, future: Any) -> Any:
        """Return the value of a future; None if its workers died. Raises ClusterLost."""
        waiting = asyncio.ensure_future(future.result())
        try:
            await asyncio.wait({waiting, self._gone}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise copy(self._gone.result())
            return waiting.result()
        except load_distributed().KilledWorker:
            return None
        except AignosticsError:
            raise
        except (CancelledError, OSError):  # Dask's own: what a task meets on a worker comes as an answer
            raise self._lose() from None
        except Exception as error:  # noqa: BLE001 - its text may hold what nobody should read
            raise ClusterLost(
                f"the cluster can't run its tasks ({type(error).__name__}); look into the logs of the workers"
            ) from None
        finally:
            waiting.cancel()

    def _lose(self, error: AignosticsError | None = None) -> AignosticsError:
        """Let all who wait know that the scheduler is gone, and return the error."""
        if not self._gone.done():
            self._gone.set_result(
                error or ClusterLost("the scheduler of the cluster is gone, or was restarted")
            )
        return copy(self._gone.result())

    async def _follow(self) -> None:
        """Notice that workers come and go, and that the scheduler is gone."""
        while self._client.status == "running":
            try:
                with suppress(OSError, TimeoutError), anyio.move_on_after(_ANSWER_SECONDS):
                    await self._changed(dict(await self._client.nthreads()))
            except ClusterRefused as error:
                self._lose(error)
                return
            await anyio.sleep(_FOLLOW_SECONDS)
        self._lose()

    async def _changed(self, workers: dict[str, int]) -> None:
        if workers == self._workers:
            return
        check_addresses("tls://", workers)
        if not workers and self._followed:
            self._setup.on_wait("the cluster has no workers")
        self._workers = workers
        await self._share()
        self._setup.on_grown()

    async def _share(self) -> None:
        await self._shares.divide(len(self._workers), is_local=bool(self._stays or self.unseen))

    def _take_events(self, event: tuple[float, Any]) -> None:
        """Pass on how far the files of a task are."""
        token, files = event[1]
        if token not in self._followed:
            return
        task, progress = self._followed[token]
        direction: Direction = "download" if task.stage is Stage.DOWNLOAD else "upload"
        for number, kind, done, total, retries in files:
            name = _shown_name(task, number)
            progress(TransferEvent(kind, direction, task.reference, name, done, total, retries))


def _shown_name(task: StageTask[Any], number: int) -> str:
    return task.file_name or f"output {number + 1}"


def _is_other_file(task: StageTask[Any], answer: TaskAnswer) -> bool:
    """Whether the worker has read another file than the one that this machine sees; blocks."""
    if isinstance(answer.value, ProbedSlide):
        return not _is_as_here(answer.value)
    if isinstance(task, UploadTask) and isinstance(answer.error, LocalFileChanged):
        return _is_as_here(task.slide)
    return False


def _is_as_here(slide: ProbedSlide) -> bool:
    try:
        return measure(slide.info.files)[1] == slide.fingerprint
    except OSError:
        return False
