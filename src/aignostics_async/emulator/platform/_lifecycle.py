"""The lifecycle of runs: RECEIVED, SCHEDULED, RUNNING, then a final status. Items finish one by one."""

from __future__ import annotations

import secrets
import ssl
import tempfile
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from ..._config import Retries, Settings
from ..._core._lifetime import Lifetime
from ..._core._logging import get_logger
from ..._core._urls import is_loopback
from ..._http._client import ssl_context
from ...errors import AignosticsError, TransferError
from ...transfer._download import fetch_file
from ...transfer._engine import Engine
from .._options import EmulatorOptions
from ._analysis import UnreadableSlide, WrittenOutput, analyse
from ._catalogue import find_version
from ._history import History
from ._objects import Objects, SignatureRefused
from ._simulated_clock import SimulatedClock
from ._stored import FINAL, OPEN, StoredItem

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AsyncExitStack

_log = get_logger("aignostics_async.emulator")

# Seconds of the clock at speed 1.
_SCHEDULING = 1.0
_STARTING = 2.0
_PER_ITEM = 2.0
_FINISHING = 1.0
_THRESHOLD = "SCHEDULER.ITEMS_WITH_ERROR_THRESHOLD_REACHED"
_DEADLINE = "SCHEDULER.DEADLINE_EXCEEDED"
_SETTINGS = Settings(trust_env=False, retries=Retries(attempts=2, initial_wait=0.1))


@cache
def _tls() -> ssl.SSLContext:
    return ssl_context(_SETTINGS)


class InputRefused(Exception):
    """The user has to correct this input; the text becomes the item's error."""


class Lifecycle:
    """Advances runs, one task per run, and resumes unfinished runs after a restart."""

    def __init__(
        self,
        *,
        options: EmulatorOptions,
        origin: str,
        scratch: Path,
        clock: SimulatedClock,
        history: History,
        objects: Objects,
    ) -> None:
        self._options = options
        self._origin = origin
        self._scratch = scratch
        self._clock = clock
        self._now = clock.now
        self._history = history
        self._objects = objects
        self._tasks: TaskGroup | None = None

    async def open(self, stack: AsyncExitStack) -> None:
        """Resume the unfinished runs of the data folder; all tasks stop when `stack` closes."""
        lifetime = Lifetime()
        lifetime.begin()
        self._engine = Engine(_SETTINGS, lifetime).open(stack, _tls())
        # Analysis is CPU-bound; two at a time leave the event loop its share of a small machine.
        self._analysts = anyio.CapacityLimiter(2)
        self._tasks = await stack.enter_async_context(anyio.create_task_group())
        stack.callback(self._tasks.cancel_scope.cancel)
        for run_id in self._history.unfinished(self._now()):
            self.start(run_id)

    def start(self, run_id: str) -> None:
        """Start or resume a run."""
        self.background(self._live, run_id)
        run = self._history.run(run_id, self._now())
        if run is not None and run.deadline is not None:
            self.background(self._end_at, run_id, datetime.fromisoformat(run.deadline).timestamp())

    def background(self, work: Callable[..., Coroutine[Any, Any, None]], *arguments: object) -> None:
        """Run work that no request waits for. It is cancelled when the emulator stops."""
        assert self._tasks is not None  # noqa: S101 - the server opens it before it takes requests
        self._tasks.start_soon(work, *arguments)

    async def _live(self, run_id: str) -> None:
        try:
            await self._schedule(run_id)
            await self._process(run_id)
        except Exception:  # noqa: BLE001
            # A bug must end this run only: log it and fail the run.
            _log.exception("run %s stopped", run_id)
            for item in self._history.items(run_id, self._now()):
                self._history.finish_item(item, "ERROR_SYSTEM", self._now())
            self._history.move_run(run_id, "COMPLETED_WITH_ERROR", self._now())

    async def _end_at(self, run_id: str, deadline: float) -> None:
        await self._clock.sleep(deadline - self._now())
        told = "Run canceled because it was not completed by its deadline."
        self._history.end_run(run_id, "CANCELED_SYSTEM", self._now(), error=told, code=_DEADLINE)

    async def _schedule(self, run_id: str) -> None:
        if self._status(run_id) == "RECEIVED":
            await self._pause(_SCHEDULING)
            self._history.move_run(run_id, "SCHEDULED", self._now())
        if self._status(run_id) == "SCHEDULED":
            await self._pause(_STARTING)

    async def _process(self, run_id: str) -> None:
        for item in self._history.items(run_id, self._now()):
            if item.status not in OPEN:
                continue
            self._history.begin_item(item, self._now())
            await self._pause(_PER_ITEM)
            if self._status(run_id) in FINAL:
                return
            await self._finish(item)
            # The contract: RUNNING once the first result exists.
            self._history.move_run(run_id, "RUNNING", self._now())
            if self._given_up(run_id):
                return
        await self._pause(_FINISHING)
        items = self._history.items(run_id, self._now())
        clean = all(item.status == "SUCCEEDED" for item in items)
        self._history.move_run(run_id, "COMPLETED" if clean else "COMPLETED_WITH_ERROR", self._now())

    def _given_up(self, run_id: str) -> bool:
        items = self._history.items(run_id, self._now())
        failed = sum(item.status.startswith("ERROR") for item in items)
        if failed < self._options.failed_items_threshold:
            return False
        told = f"Run canceled given errors on {failed} items."
        return self._history.end_run(run_id, "CANCELED_SYSTEM", self._now(), error=told, code=_THRESHOLD)

    async def _finish(self, item: StoredItem) -> None:
        with tempfile.TemporaryDirectory(dir=self._scratch) as scratch:
            folder = Path(scratch)
            try:
                # Each input has to be there; the first one is analysed.
                slide, *_ = [
                    await self._fetch(source, folder / str(number))
                    for number, source in enumerate(item.inputs)
                ]
                declared, told = self._declared(item), item.inputs[0]["metadata"]
                outputs = await anyio.to_thread.run_sync(
                    analyse, slide, folder, declared, told, limiter=self._analysts
                )
            except (InputRefused, UnreadableSlide) as refused:
                self._history.finish_item(item, "ERROR_USER", self._now(), str(refused))
                return
            except Exception as error:  # noqa: BLE001
                # A bug, or a file that crashes a decoder, must fail this item only.
                _log.exception("item %s failed", item.id)
                reason = f"The analysis failed: {type(error).__name__}"
                self._history.finish_item(item, "ERROR_SYSTEM", self._now(), reason)
                return
            self._store(item, outputs)

    def _store(self, item: StoredItem, outputs: list[WrittenOutput]) -> None:
        artifacts = []
        for output in outputs:
            key = f"results/{item.run_id}/{item.id}/{secrets.token_hex(4)}-{output.path.name}"
            metadata = {
                "checksum_base64_crc32c": output.crc32c,
                "media_type": output.media_type,
                **output.metadata,
            }
            self._objects.adopt(key, output.path, output.crc32c, output.media_type)
            artifacts.append((output.name, key, metadata))
        if not self._history.finish_item(item, "SUCCEEDED", self._now(), artifacts=artifacts):
            for _, key, _ in artifacts:  # the run was cancelled in the meantime
                self._objects.delete(key)

    def _declared(self, item: StoredItem) -> frozenset[str]:
        """Return the names of the outputs of the item's application version."""
        run = self._history.run(item.run_id, self._now())
        version = find_version(run.version_id) if run else None
        return frozenset(output.name for output in version.outputs) if version else frozenset()

    async def _fetch(self, source: dict[str, Any], target: Path) -> Path:
        """Download an input from its URL and verify the checksum in its metadata."""
        url = self._url(source)
        metadata = source["metadata"]
        expected = metadata.get("checksum_base64_crc32c") or metadata.get("checksum_crc32c")

        async def ask() -> str:
            return url

        try:
            await fetch_file(self._engine, ask, target, name="input", expected=expected)
        except TransferError as error:
            raise InputRefused(f"The input could not be fetched: {error}") from None
        except AignosticsError as error:
            raise InputRefused(str(error)) from None
        return target

    def _url(self, source: dict[str, Any]) -> str:
        if "key" in source:
            try:
                self._objects.check("GET", source["key"], dict(parse_qsl(source["query"])))
            except SignatureRefused as refused:
                raise InputRefused(f"The input's URL was refused: {refused.code}") from None
            # Sign a new URL: the one of the request may name the port of an earlier start.
            return self._origin + self._objects.sign("GET", source["key"], 300)
        url: str = source["url"]
        if not self._options.remote_inputs and not is_loopback(urlsplit(url).hostname or ""):
            raise InputRefused(
                "The input is not on this machine; start the emulator with --remote-inputs to fetch it"
            )
        return url

    def _status(self, run_id: str) -> str:
        run = self._history.run(run_id, self._now())
        return run.status if run else "CANCELED_SYSTEM"

    async def _pause(self, duration: float) -> None:
        await self._clock.sleep(duration / self._options.speed)
