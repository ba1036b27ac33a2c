"""The numbered crash points: between which two steps of a job its process is killed.

Each is hung around the code that runs, from outside, in the process that is to die. Nothing in the package
knows of them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Literal

from attrs import define, frozen

from aignostics_async.bulk.database import _commands, _job_commands
from aignostics_async.bulk.database._database import Database
from aignostics_async.bulk.engines import _tasks
from aignostics_async.bulk.reconciliation import _platform, _submitter

When = Literal["before", "during", "after"]


@frozen
class Point:
    """A moment in a job."""

    number: int
    told: str
    when: When
    what: str
    """A command of the database by its name, or a call by `:name`."""


_POINTS: tuple[tuple[str, When, str], ...] = (
    ("an upload has its name, and has not begun", "after", "move_item SENDING"),
    ("an upload is under way", "during", ":put_once"),
    ("an upload is answered, and not written down", "before", "move_item STORED"),
    ("an upload is written down", "after", "move_item STORED"),
    ("a chunk is about to be sealed", "before", "seal"),
    ("a chunk is sealed, and nothing was asked", "after", "seal"),
    ("a request is prepared, and not written down", "before", "begin"),
    ("a request is written down, and not yet in the marker", "after", "begin"),
    ("a request is in the marker, and was not sent", "before", ":create"),
    ("a request is on its way", "during", ":create"),
    ("a request is answered, and not written down", "before", "conclude"),
    ("an answer is written down", "after", "conclude"),
    ("a listing is looked through", "before", ":references"),
    ("a doubt is settled, and not written down", "before", "resolve"),
    ("a doubt's end is written down", "after", "resolve"),
    ("a result is seen, and not written down", "before", "take_result"),
    ("a result is written down", "after", "take_result"),
    ("an output is on its way", "during", ":download_artifact"),
    ("outputs stand there, and are not written down", "before", "take_files"),
    ("outputs are written down", "after", "take_files"),
    ("a run's end is seen, and not written down", "before", "end_run"),
    ("a run's end is written down", "after", "end_run"),
    ("a resumed job has its epoch, and its marker not yet", "after", "set_job epoch"),
)
POINTS = tuple(Point(number, *point) for number, point in enumerate(_POINTS, start=1))
DOUBT = frozenset({13, 14, 15})
"""Points that only a job meets whose requests may or may not have created runs."""
REQUEST = 10
RESUMED = 23
AFTER_DUPLICATE = Point(24, "a second run is found, and not written down", "before", "find_duplicate")


@define
class Trap:
    """Ends this process at the nth passing of a point at which enough chunks are in flight."""

    point: Point
    database: Path
    random: Random
    skip: int = 0
    chunks: int = 2
    signal: int = signal.SIGKILL
    """SIGSTOP for a machine that is put to sleep there, and wakes later."""

    def is_sprung(self) -> bool:
        """Whether this passing is the one."""
        if chunks_in_flight(self.database) < self.chunks:
            return False
        self.skip -= 1
        return self.skip == -1

    def set(self) -> None:
        """Hang it around what it is for."""
        _name_commands()
        if self.point.what.startswith(":"):
            place, name = _CALLS[self.point.what]
            setattr(place, name, self._around(getattr(place, name)))
        else:
            Database.write = self._around(Database.write, self._is_command)  # type: ignore[method-assign]

    def _is_command(self, _database: Database, command: Any) -> bool:
        told: str = getattr(command, "told", command.__qualname__.split(".")[0])
        return told == self.point.what

    def _around(self, call: Callable[..., Any], concerns: Callable[..., bool] | None = None) -> Any:
        async def around(*values: Any, **options: Any) -> Any:
            is_it = (concerns is None or concerns(*values)) and self.is_sprung()
            if not is_it:
                return await call(*values, **options)
            task = asyncio.ensure_future(call(*values, **options)) if self.point.when != "before" else None
            if task is not None:
                is_whole = self.point.when == "after"
                await asyncio.wait([task], timeout=None if is_whole else self.random.uniform(0, 0.015))
            os.kill(os.getpid(), self.signal)
            return await (task or call(*values, **options))

        return around


def chunks_in_flight(database: Path) -> int:
    """Return how many chunks are sealed and have no run yet, or one that goes on.

    Reads a database that its process has open, or has left behind; it changes nothing.
    """
    query = (
        "SELECT count(*) FROM intents WHERE state IN ('SEALED', 'SENDING', 'UNKNOWN') OR (state = 'CREATED' "
        "AND EXISTS (SELECT 1 FROM seen WHERE seen.run_id = intents.run_id AND ended_at IS NULL))"
    )
    connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)
    try:
        return int(connection.execute(query).fetchone()[0])
    finally:
        connection.close()


_CALLS: dict[str, tuple[Any, str]] = {
    ":put_once": (_tasks, "put_once"),
    ":create": (_platform.PlatformClient, "create"),
    ":references": (_platform.PlatformClient, "references"),
    ":download_artifact": (_tasks, "download_artifact"),
    ":begin": (_submitter.Submitter, "begin"),
}


def _name_commands() -> None:
    """Let commands that differ by what they are given say which they are."""
    move_item, set_job = _commands.move_item, _job_commands.set_job

    def moving(number: int, state: Any, **columns: Any) -> Any:
        return _named(move_item(number, state, **columns), f"move_item {state}")

    def setting(**columns: Any) -> Any:
        return _named(set_job(**columns), f"set_job {next(iter(columns))}")

    _commands.move_item = moving
    _job_commands.set_job = setting


def _named(command: Any, name: str) -> Any:
    command.told = name
    return command
