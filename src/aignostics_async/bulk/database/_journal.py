"""The events of a job: passed to a listener, and appended to a file for people.

The job reads nothing from the file; the database is the truth. It holds names of slides, but no secret and
no URL.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

from attrs import asdict, field, frozen
from attrs.converters import optional

from ..._core._redaction import redact
from ...errors import JobError


class EventType(StrEnum):
    """The type of an event of a job, as `JobEvent.type` has it.

        await job.run(client, listener=lambda event: print(event.type is EventType.ITEM_DONE))

    The values are the names in lower case, such as `"run_created"`, except `"set_aside"` for QUARANTINED.
    `JobEvent.as_dict` and the lines of a job's `events.jsonl` have them under the key `what`.
    """

    STARTED = "started"
    """`run` has begun."""
    QUARANTINED = "set_aside"
    """An item is held back with a fault, in `text`."""
    UPLOADED = "uploaded"
    """A slide is in the store; `text` tells if it is unverified."""
    RUN_CREATED = "run_created"
    """A chunk has its run."""
    RUN_UNKNOWN = "run_unknown"
    """The reply to a request for a run was lost; the job looks for the run."""
    RUN_REFUSED = "run_refused"
    """A chunk gets no run, mostly because the platform refused it; `text` says why. Refused items continue in
    smaller ones, and a single one is quarantined.
    """
    RUN_AMBIGUOUS = "run_ambiguous"
    """A person has to decide whether a chunk has a run."""
    RUN_ADOPTED = "run_adopted"
    """A run that the database did not know is now the job's."""
    RUN_DUPLICATE = "run_duplicate"
    """A chunk has a second run; `text` tells what was done about it."""
    RUN_ENDED = "run_ended"
    """A run is final, or is gone; `text` is its status, or the error and how many slides were quarantined."""
    ITEM_FAILED = "item_failed"
    """The platform ended an item without results."""
    ITEM_DONE = "item_done"
    """All outputs of an item are downloaded, and verified if a checksum was promised."""
    WAITING = "waiting"
    """The job waits, for the reason in `text`."""
    ENGINE = "engine"
    """What the cluster that runs the stages can't do, so that this machine does it; `text` tells why."""
    RESULTS_EXPIRE = "results_expire"
    """Results that are not downloaded yet will be deleted soon."""
    DRAINING = "draining"
    """The job finishes what is under way and begins nothing new."""
    STOPPED = "stopped"
    """`run` ended with the error in `text`."""
    FINISHED = "finished"
    """`run` ended; `text` is the name of the `JobStatus`."""


@frozen(kw_only=True)
class JobEvent:
    """An event of a job, as passed to the `listener` of `BulkJob.run`.

        def show(event: JobEvent) -> None:
            print(event.type, event.reference, event.run_id, event.text)

        await job.run(client, listener=show)

    `type` is an `EventType`, and `at` when it happened, in seconds since the epoch. `reference` is the
    item's, `run_id` the run's, and `text` a reason or status for people, without secrets. These three are
    None by default, for what does not apply.
    """

    type: EventType
    """What happened."""
    reference: str | None = None
    """The reference of the item; None for an event of a run or the job."""
    run_id: str | None = None
    """The id of the run; None if there is none."""
    text: str | None = field(default=None, converter=optional(redact))
    """A reason or status for people, with secrets removed; None if there is nothing to add."""
    at: float = field(factory=time.time)
    """When the event happened, in seconds since the epoch; now by default."""

    def as_dict(self) -> dict[str, Any]:
        """Return the event as a mapping of JSON values.

            event.as_dict()  # {"what": "item_done", "reference": "case-7", "at": 1795953600.0}

        Its keys are `what` (the value of `type`), `at` (seconds since the epoch) and, unless they are None,
        `reference`, `run_id` and `text`.
        """
        values = asdict(self)
        return {
            name: value
            for name, value in {"what": str(values.pop("type")), **values}.items()
            if value is not None
        }

    def to_json(self) -> str:
        """Return the mapping of `as_dict` as one line of ASCII JSON, without a line break.

            await job.run(client, listener=lambda event: print(event.to_json()))

        `events.jsonl` in the job's folder has such lines.
        """
        return json.dumps(self.as_dict())


Listener = Callable[[JobEvent], None]


class Journal:
    """The events of a job: a file and a listener. Raises JobError if the file can't be opened."""

    def __init__(self, path: Path, listener: Listener | None = None) -> None:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise JobError(f"{path} can't be written ({error.strerror}); move it away, then resume") from None
        self._file = os.fdopen(descriptor, "a", buffering=1, encoding="utf-8")
        self._listener = listener

    def emit(self, event_type: EventType, **detail: Any) -> None:
        """Emit an event. A file that can't be written any more does not stop the job."""
        event = JobEvent(type=event_type, **detail)
        with suppress(OSError, ValueError):
            self._file.write(event.to_json() + "\n")
        if self._listener is not None:
            self._listener(event)

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):
            self._file.close()


class Tail:
    """Reads a file of events as it grows."""

    def __init__(self, path: Path, limit: int = 20) -> None:
        self._path = path
        self._limit = limit
        self._place: int | None = None

    def read(self) -> list[Mapping[str, Any]]:
        """Return the events since the last call; the first call returns the latest ones, at most `limit`."""
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                first = self._place is None
                # A line is at most as long as an error. An incomplete one is read by the next call.
                place = max(0, size - self._limit * 1000) if self._place is None else self._place
                file.seek(place)
                read = file.read()
        except OSError:
            return []
        whole = read[: read.rfind(b"\n") + 1]
        self._place = place + len(whole)
        events = list(_parsed(whole.decode("utf-8", "replace").splitlines()))
        return events[-self._limit :] if first else events


def _parsed(lines: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        with suppress(ValueError, TypeError, RecursionError):
            yield dict(json.loads(line))
