"""The submissions of a service in a file, so that the next process knows of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
from attrs import asdict, frozen

from .._core._atomic_file import atomic_file
from .._core._file_lock import FileLock, LocksUnsupported
from .._core._state_folder import make_private_folder
from ..errors import ConfigurationError


class SubmissionStatus(StrEnum):
    """The status of a submission in the background, as `Submission.status` has it.

        submission.status is SubmissionStatus.PENDING

    The values are PENDING (under way), CREATED (its run exists) and FAILED (there is no run of it, or it is
    unknown whether there is one).
    """

    PENDING = "PENDING"
    """It is under way."""
    CREATED = "CREATED"
    """Its run exists."""
    FAILED = "FAILED"
    """There is no run of it, or it is unknown whether there is one; `Submission.problem` says why."""


@frozen(kw_only=True)
class Submission:
    """A snapshot of a submission in the background, as `BackgroundSubmissions` passes it to `on_change`.

        print(submission.id, submission.status, submission.run_id or submission.problem)

    `BackgroundSubmissions.start` returns one, too. `id` is a UUID, `references` a tuple of the references of
    its items, and `owner` the user who started it, or None. `began` is the time of its start, with time zone.
    `status` is a `SubmissionStatus`, `run_id` None until there is a run, and `problem` a text for users,
    empty if there is no problem. `sent` and `size` are in bytes, and 0 until the first file is sent.
    """

    id: str
    """The id, a UUID."""
    references: tuple[str, ...]
    """The references of its items."""
    owner: str | None
    """The user who started it, as passed to `start`; None without sign-in."""
    began: datetime
    """When it was started, with time zone, by the clock of this machine."""
    status: SubmissionStatus = SubmissionStatus.PENDING
    """The status; PENDING by default."""
    run_id: str | None = None
    """The id of its run; None, the default, until there is one."""
    problem: str = ""
    """Why it has failed or makes no progress, for users; empty, the default, if there is no problem."""
    sent: int = 0
    """The bytes sent so far, of the files whose upload has started; 0 by default."""
    size: int = 0
    """The size of these files in bytes; 0 by default."""


class SubmissionJournal:
    """A file of submissions, which one process at a time can use. All methods but `close` block.

    Opening it raises ConfigurationError if another process uses it, or if it can't be locked or read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path.parent / f"{path.stem}.lock")

    def open(self) -> list[Submission]:
        """Lock the file, and return the submissions in it; there are none in a new one."""
        try:
            make_private_folder(self._path.parent)
            if not self._lock.acquire():
                raise ConfigurationError(f"another process uses {self._path}; stop it, or name another file")
            entries = json.loads(self._path.read_bytes()) if self._path.exists() else []
            return _as_submissions(entries)
        except LocksUnsupported:
            raise ConfigurationError(
                f"the file system of {self._path} has no locks, so two processes could submit the same; "
                "name a file on another one"
            ) from None
        except (OSError, ValueError, RecursionError) as error:
            self.close()
            raise ConfigurationError(f"{self._path} can't be read ({error}); move it away") from None

    def write(self, submissions: Iterable[Submission]) -> None:
        """Replace the content of the file, atomically and durably. Raises OSError."""
        with atomic_file(self._path) as file:
            file.write(json.dumps([_as_entry(each) for each in submissions]).encode())

    def close(self) -> None:
        """Let other processes use the file."""
        self._lock.release()


def _as_entry(submission: Submission) -> dict[str, Any]:
    return {**asdict(submission), "began": submission.began.isoformat()}


def _as_submissions(entries: Any) -> list[Submission]:
    """Return the submissions of a file; raises ValueError if it was damaged, since each costs money."""
    submissions = msgspec.convert(entries, list[Submission])
    for submission in submissions:
        if not submission.references or submission.began.tzinfo is None:
            raise ValueError(f"submission {submission.id!r} has no references or no time zone")
    if len({submission.id for submission in submissions}) < len(submissions):
        raise ValueError("a submission is in it twice")
    return submissions
