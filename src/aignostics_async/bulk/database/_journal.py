"""What happens in a job, as it happens: told to who listens, and kept line by line for people.

Nothing is read back from the file; the database is the truth. It holds names of slides, no secret and no URL.
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
    """What can happen."""

    STARTED = "started"
    QUARANTINED = "set_aside"
    UPLOADED = "uploaded"
    RUN_CREATED = "run_created"
    RUN_UNKNOWN = "run_unknown"
    RUN_REFUSED = "run_refused"
    RUN_AMBIGUOUS = "run_ambiguous"
    RUN_ADOPTED = "run_adopted"
    RUN_DUPLICATE = "run_duplicate"
    RUN_ENDED = "run_ended"
    ITEM_FAILED = "item_failed"
    ITEM_DONE = "item_done"
    WAITING = "waiting"
    RESULTS_EXPIRE = "results_expire"
    DRAINING = "draining"
    STOPPED = "stopped"
    FINISHED = "finished"


@frozen(kw_only=True)
class JobEvent:
    """Something that happened in a job."""

    type: EventType
    reference: str | None = None
    run_id: str | None = None
    text: str | None = field(default=None, converter=optional(redact))
    """Why, in words; secrets are removed."""
    at: float = field(factory=time.time)
    """In seconds of the epoch."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as what JSON can hold; what is not known is left out."""
        values = asdict(self)
        return {
            name: value for name, value in {"what": values.pop("type"), **values}.items() if value is not None
        }

    def to_json(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(self.as_dict())


Listener = Callable[[JobEvent], None]


class Journal:
    """The events of a job: a file, and a listener. Raises JobError where there can be no file."""

    def __init__(self, path: Path, listener: Listener | None = None) -> None:
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise JobError(f"{path} can't be written ({error.strerror}); move it away, then resume") from None
        self._file = os.fdopen(descriptor, "a", buffering=1, encoding="utf-8")
        self._listener = listener

    def emit(self, event_type: EventType, **detail: Any) -> None:
        """Tell an event. A file that can't be written to any more is no reason to stop a job."""
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
    """Reads a file of events as it grows, the latest that are there first."""

    def __init__(self, path: Path, most: int = 20) -> None:
        self._path = path
        self._most = most
        self._place: int | None = None

    def read(self) -> list[Mapping[str, Any]]:
        """Return the events that came since the last time; the first time, at most `most`."""
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                first = self._place is None
                # A line can be as long as an error; what is not whole is read the next time.
                place = max(0, size - self._most * 1000) if self._place is None else self._place
                file.seek(place)
                read = file.read()
        except OSError:
            return []
        whole = read[: read.rfind(b"\n") + 1]
        self._place = place + len(whole)
        events = list(_parsed(whole.decode("utf-8", "replace").splitlines()))
        return events[-self._most :] if first else events


def _parsed(lines: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        with suppress(ValueError, TypeError):
            yield dict(json.loads(line))
