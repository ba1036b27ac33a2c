"""The writer thread, with group commit: many callers share a commit, and continue when it is durable."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from ..._core._threads import start_thread
from ...errors import JobDatabaseError
from ._failures import describe

T = TypeVar("T")

Execute = Callable[..., sqlite3.Cursor]
CLOSED = "the job was closed; open it again"
_MAX_BATCH = 512  # commands of one commit

# Plain tuples, since each step of each item makes one.
_Command = tuple[Callable[[Execute], Any], asyncio.Future[Any]]
_Outcome = tuple[Any, BaseException | None]


class Writer:
    """Carries out commands one after the other, several in one transaction.

    A command is a function of `execute` without other effects, and may be called again. It is applied whole
    or not at all, independently of the others in its transaction, and its caller continues when it is
    durable. Cancelling a caller does not revoke its command.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._commands: SimpleQueue[_Command | None] = SimpleQueue()
        self._ended: JobDatabaseError | None = None
        self.commits = 0

    def start(self) -> None:
        """Start the thread; raises what the connection raises, and ConfigurationError without a thread."""
        ready: Future[None] = Future()
        self._ready = ready
        self._thread = start_thread(self._run, "aignostics job writer", daemon=True)
        ready.result()

    def write(self, command: Callable[[Execute], T]) -> asyncio.Future[T]:
        """Carry out a command; the future has its result when that is durable.

        It raises what the command raised, which then left nothing, and JobDatabaseError where the disk failed
        or the thread has ended.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._commands.put((command, future))
        if self._ended is not None:
            self._refuse_rest(self._ended)
        return future

    def stop(self) -> None:
        """Carry out the pending commands, and end the thread."""
        self._commands.put(None)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            connection = self._connect()
        except BaseException as error:  # noqa: BLE001 - it is raised in `start`
            self._ready.set_exception(error)
            return
        self._ready.set_result(None)
        batch: Sequence[_Command] = ()
        is_last, ended = False, CLOSED
        try:
            while not is_last:
                batch, is_last = self._take()
                if batch:
                    _tell(batch, self._commit(connection, batch))
                batch = ()
        except BaseException as error:  # noqa: BLE001 - no caller may wait forever
            ended = f"the job's database failed ({type(error).__name__}: {error}); resume the job"
        with suppress(sqlite3.Error):
            connection.close()
        # In this command: a command that comes from now on is refused by whoever brings it.
        self._ended = JobDatabaseError(ended)
        _tell(batch, [(None, self._ended)] * len(batch))
        self._refuse_rest(self._ended)

    def _refuse_rest(self, error: JobDatabaseError) -> None:
        with suppress(Empty):
            while True:
                command = self._commands.get_nowait()
                if command is not None:
                    _tell([command], [(None, error)])

    def _take(self) -> tuple[list[_Command], bool]:
        batch: list[_Command] = []
        command = self._commands.get()
        while command is not None:
            batch.append(command)
            if len(batch) == _MAX_BATCH or self._commands.empty():
                return batch, False
            command = self._commands.get()
        return batch, True

    def _commit(self, connection: sqlite3.Connection, batch: Sequence[_Command]) -> list[_Outcome]:
        """Return the outcome of each command."""
        execute = connection.execute
        try:
            execute("BEGIN IMMEDIATE")
            given = [command(execute) for command, _ in batch]
            execute("COMMIT")
        except BaseException as error:  # noqa: BLE001 - whoever gave it gets it
            # A future accepts any exception but this one.
            failure = RuntimeError("a command stopped early") if isinstance(error, StopIteration) else error
        else:
            self.commits += 1
            return [(each, None) for each in given]
        if connection.in_transaction:
            connection.rollback()
        if len(batch) > 1:
            # One of them failed, and must not fail the others.
            return [self._commit(connection, [command])[0] for command in batch]
        if isinstance(failure, sqlite3.Error) and not isinstance(failure, sqlite3.IntegrityError):
            failure = JobDatabaseError(
                f"the job's database can't be written ({describe(failure)}); nothing of this step was "
                "kept. Resume the job after that"
            )
        return [(None, failure)]


def _tell(batch: Iterable[_Command], outcomes: Iterable[_Outcome]) -> None:
    """Resolve the futures of commands, with one call for each event loop."""
    told: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], _Outcome]]] = {}
    for (_, future), outcome in zip(batch, outcomes, strict=True):
        told.setdefault(future.get_loop(), []).append((future, outcome))
    for loop, answers in told.items():
        # A loop that has ended has no caller left.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, answers)


def _resolve(answers: Iterable[tuple[asyncio.Future[Any], _Outcome]]) -> None:
    for future, (given, failure) in answers:
        if future.done():
            continue  # its caller was cancelled
        if failure is None:
            future.set_result(given)
        else:
            future.set_exception(failure)
