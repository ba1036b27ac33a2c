"""Reading slides in processes of their own: native code may crash or hang, and takes one slide with it then.

Each process reads one slide at a time, so that a slide which ends it can't be another one's fault.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from typing import Any, Self

import anyio
from attrs import frozen

from ..._core._lifetime import running_loop
from ..._inputs import Slide
from ...errors import ConfigurationError, MissingExtra, SlideError
from ..formats._dicom import DicomHeader
from ._probed_slide import ProbedSlide
from ._worker import ERRORS, MISSING_EXTRA, OK, main

_MOST_WORKERS = 8
_MOST_LOSSES = 20  # in a row: then it is not the slides
_LAST_SECONDS = 10.0
_DECODING_SECONDS = 3600.0
_LONGEST_ANSWER = 64 * 1024 * 1024
_PROGRAM = f"from {main.__module__} import main; main()"
_SECRET = re.compile(r"AIGNOSTICS|TOKEN|SECRET|PASSW|CREDENTIAL|KEY|PROXY", re.IGNORECASE)


class Prober:
    """Processes that read slides, as many as there are processors; a context manager.

    They start when they are needed, and none is left when the block ends. `timeout` is the number of seconds
    that one slide may take; with `decode` every pixel of it is decoded, and it may take an hour.
    """

    def __init__(self, *, workers: int | None = None, timeout: float = 60.0, decode: bool = False) -> None:
        self.workers = workers or min(_MOST_WORKERS, max(2, _processors()))
        self._timeout = max(timeout, _DECODING_SECONDS) if decode else timeout
        self._decode = decode
        self._limiter = anyio.CapacityLimiter(self.workers)
        self._idle: list[_Worker] = []
        self._losses = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        ending, self._idle = self._idle, []
        for worker in ending:
            worker.kill()  # all of them before the first wait, which may be cancelled
        for worker in ending:
            await worker.end()

    async def probe(self, slide: Slide) -> ProbedSlide:
        """Return what a slide says of itself.

        Raises SlideError, or the error under it that says more, if it can't be read or its process is lost;
        MissingExtra without the `slides` extra; and ConfigurationError where no process can be started, or
        one after the other is lost.
        """
        options: dict[str, Any] = {"files": [str(path) for path in slide.files]} if slide.files else {}
        if slide.mpp is not None:
            options["mpp"] = slide.mpp if isinstance(slide.mpp, tuple) else (slide.mpp, slide.mpp)
        if slide.mpp_source is not None:
            options["mpp_source"] = slide.mpp_source
        if slide.include_label:
            options["include_label"] = True
        if self._decode:
            options["decode"] = True
        return ProbedSlide.from_dict(await self._ask("slide", str(slide.path), options))

    async def header(self, path: str) -> DicomHeader:
        """Return the header of a DICOM file; raises what `probe` raises."""
        return DicomHeader.from_dict(await self._ask("header", path, None))

    async def picture(self, path: str) -> bytes:
        """Return a small picture of a slide as JPEG; raises what `probe` raises."""
        return base64.b64decode((await self._ask("picture", path, None))["jpeg"])

    async def _ask(self, *request: Any) -> dict[str, Any]:
        async with self._limiter:
            outcome = await self._exchange(json.dumps(request).encode() + b"\n")
        if isinstance(outcome, _Lost):
            raise SlideError(outcome.problem, path=request[1], remedy=outcome.remedy)
        kind, told = json.loads(outcome)
        if kind == MISSING_EXTRA:
            raise MissingExtra("reading slides", extra="slides")
        if kind != OK:
            # JSON has no tuples.
            raise ERRORS[kind](
                **{name: tuple(each) if isinstance(each, list) else each for name, each in told.items()}
            )
        answer: dict[str, Any] = told
        return answer

    async def _exchange(self, request: bytes) -> bytes | _Lost:
        while True:
            worker = self._idle.pop() if self._idle else await _Worker.start(self._timeout)
            lost: _Lost | None = None
            try:
                with anyio.fail_after(self._timeout):
                    answer = await worker.ask(request)
            except _Gone:
                await worker.end()
                continue  # it died before it was asked: that is nobody's fault
            except TimeoutError:
                lost = _too_slow(self._timeout)
                await worker.end()
            except BaseException:
                # It may be in the middle of a slide, and would give that answer to the next question.
                await worker.end()
                raise
            if lost is None and not answer:
                lost = _crashed(await worker.ended())
            if lost is None:
                self._losses = 0
                self._idle.append(worker)
                return answer
            self._count(lost)
            return lost

    def _count(self, lost: _Lost) -> None:
        self._losses += 1
        if self._losses >= _MOST_LOSSES:
            raise ConfigurationError(
                f"{self._losses} slides in a row ended the process that read them, the last one because "
                f"{lost.problem}; check the storage of the slides and this machine"
            )


@frozen
class _Lost:
    """Why there was no answer."""

    problem: str
    remedy: str


def _too_slow(seconds: float) -> _Lost:
    return _Lost(
        f"reading it took longer than {seconds:g} s and was given up",
        "is it complete, and its storage well?",
    )


def _crashed(status: int) -> _Lost:
    how = f"ended with status {status}"
    if status < 0:
        try:
            how = f"was ended by {signal.Signals(-status).name}"
        except ValueError:
            how = f"was ended by signal {-status}"
    return _Lost(f"the process that read it {how}", "it may be damaged; leave it out, or replace it")


class _Gone(Exception):
    """A process was not there any more to take a request."""


class _Worker:
    """One process."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._is_killed = False
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError
        self._requests, self._answers, self._complaints = process.stdin, process.stdout, process.stderr

    @classmethod
    async def start(cls, patience: float) -> Self:
        """Start a process and wait until it is ready; raises ConfigurationError."""
        running_loop()
        if not sys.executable:
            raise ConfigurationError(
                "slides are read by processes of their own, and this program can't start Python"
            )
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-W", "ignore", "-c", _PROGRAM, str(2 * patience)),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                env=_environment(),
                limit=_LONGEST_ANSWER,
            )
        except OSError as error:
            raise ConfigurationError(
                f"the process that reads slides can't be started ({error.strerror})"
            ) from None
        worker = cls(process)
        try:
            with anyio.move_on_after(max(patience, 60.0)):
                if await worker._answers.readline():
                    return worker
                words = (await worker._complaints.read(20_000)).decode("utf-8", "replace").strip()
                raise ConfigurationError(
                    f"the process that reads slides can't be started: {words.rpartition(chr(10))[2]}"
                )
        except BaseException:
            await worker.end()
            raise
        await worker.end()
        raise ConfigurationError("the process that reads slides does not start; is this machine overloaded?")

    async def ask(self, request: bytes) -> bytes:
        """Return the answer to a request; nothing if the process ended. Raises _Gone if it had before."""
        if self._process.returncode is not None:
            raise _Gone
        try:
            self._requests.write(request)
            await self._requests.drain()
        except (BrokenPipeError, ConnectionResetError):
            raise _Gone from None
        return await self._answers.readline()

    async def ended(self) -> int:
        """Return the status of a process that has given up."""
        # Killing one that is about to end would take its status from whoever waits for it.
        with anyio.move_on_after(_LAST_SECONDS):
            return await self._process.wait()
        return await self.end()

    def kill(self) -> None:
        """Have the process end, whatever it does."""
        if self._process.returncode is None and not self._is_killed:
            self._is_killed = True  # a second signal would take its status from whoever waits for it
            with suppress(ProcessLookupError):
                self._process.kill()

    async def end(self) -> int:
        """End the process, whatever it does, and return its status."""
        with anyio.CancelScope(shield=True):
            self.kill()
            self._requests.close()
            await self._process.wait()
        return self._process.returncode or 0


def _environment() -> dict[str, str]:
    """Return the environment of a process that needs no secrets, and the same modules as this one."""
    kept = {name: value for name, value in os.environ.items() if not _SECRET.search(name)}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
