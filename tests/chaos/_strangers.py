"""Others who create runs beside a job: of its slides for another job, or with the metadata of its runs.

Their runs do no work, and are over a minute later: a job that takes one for its own gets no files of it.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Literal

from attrs import Factory, define, field

from aignostics_async.emulator.process import Emulator
from aignostics_async.models import RESERVED_KEY
from aignostics_async.submission._marks import new_mark

Habit = Literal["copies", "twins"]
VERSION = "he-tme:v1.0.0"
_PAUSE = 0.1  # seconds
_MOST = 10


@define(kw_only=True)
class Strangers:
    """Somebody who copies the metadata of a job's runs, or another job of the same slides."""

    emulator: Emulator
    data: Path
    """The folder of the emulator's state."""
    slides: str
    """What the references of the job begin with."""
    habit: Habit
    user: str | None
    """None for the job's own."""
    seed: int
    made: list[str] = field(factory=list, init=False)
    """The runs that they have created."""
    _random: Random = field(default=Factory(lambda self: Random(self.seed), takes_self=True), init=False)
    _known: set[object] = field(factory=set, init=False)
    _next: float = field(default=0.0, init=False)

    def act(self, job: Path) -> None:
        """Create what they would create now; `job` is the folder of the job."""
        if time.monotonic() < self._next or len(self.made) >= _MOST:
            return
        self._next = time.monotonic() + _PAUSE
        models = self._copies() if self.habit == "copies" else self._twins(job)
        for key, references, metadata in models:
            if key not in self._known:
                self._known.add(key)
                if self._random.random() < 0.7:
                    self._create(references, metadata)

    def _copies(self) -> Iterator[tuple[object, Sequence[str], Mapping[str, Any]]]:
        """Give the runs of the job that are there, sometimes with other slides."""
        for run_id, references, metadata in own_runs(self.data, self.slides):
            is_other = self._random.random() < 0.25
            if metadata is not None:
                yield run_id, [references[0], "another"] if is_other else references, json.loads(metadata)

    def _twins(self, job: Path) -> Iterator[tuple[object, Sequence[str], Mapping[str, Any]]]:
        """Give what requests of an unknown outcome have asked for, for another job."""
        query = (
            "SELECT intents.number, reference FROM intents JOIN members ON members.intent = intents.number "
            "JOIN items ON items.number = item WHERE intents.state IN ('SENDING', 'UNKNOWN')"
        )
        chunks: dict[int, list[str]] = {}
        for intent, reference in rows_of(job / "job.sqlite3", query):
            chunks.setdefault(intent, []).append(reference)
        for intent, references in chunks.items():
            mark = new_mark(job=str(uuid.uuid4()), intent=str(uuid.uuid4()))
            yield intent, references, {RESERVED_KEY: mark.as_json()}

    def _create(self, references: Sequence[str], metadata: Mapping[str, Any]) -> None:
        user = {} if self.user is None else {"submitted_by": self.user}
        steps = [*((60, reference, "SUCCEEDED") for reference in references), (61, None, "COMPLETED")]
        script = {"application_version_id": VERSION, "items": references, "custom_metadata": metadata}
        self.made += self.emulator.script({**script, **user, "steps": steps})


def own_runs(data: Path, slides: str) -> list[tuple[str, list[str], str | None]]:
    """Return the runs that jobs have created, the oldest first: id, references and metadata as text."""
    query = (
        "SELECT runs.id, reference, runs.metadata FROM runs JOIN items ON run_id = runs.id "
        "WHERE NOT scripted ORDER BY runs.number, items.number"
    )
    found: dict[str, tuple[str, list[str], str | None]] = {}
    for run_id, reference, metadata in rows_of(data / "emulator.sqlite3", query):
        found.setdefault(run_id, (run_id, [], metadata))[1].append(reference)
    return [run for run in found.values() if run[1][0].startswith(f"{slides}-")]


def rows_of(database: Path, query: str) -> list[Any]:
    """Return the rows of a query in a database that somebody else writes."""
    connection = sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=30)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()
