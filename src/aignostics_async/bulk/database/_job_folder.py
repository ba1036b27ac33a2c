"""The folder of a job: its lock, its files, and whether its database is the newest one.

    job.sqlite3     the database, the only truth
    events.jsonl    the events, for people; the job reads nothing from it
    lock            held by the one process that works on the job
    reserve         space for the last commit of a job that fills the disk
    pause, cancel   requests of another process
    results/        outputs, unless the plan says another place

The user's state folder holds the job's high-water mark. A database that records less than the mark is an old
copy: the platform may have runs that it does not know.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import frozen

from ..._core._arguments import as_path
from ..._core._atomic_file import atomic_file
from ..._core._display_text import visible
from ..._core._file_lock import FileLock, LocksUnsupported
from ..._core._portable import is_windows
from ..._core._state_folder import make_private_folder, state_folder
from ...errors import JobBusy, JobError

_RESERVE = 256 * 1024  # bytes: some pages of the database and of its log

_LOCK_ATTEMPTS = 3
_LOCK_INTERVAL = 0.01  # seconds
_MAX_HOLDER = 300  # bytes


@frozen
class HighWaterMark:
    """How far a job is: the number of processes that worked on it, and of its requests for runs."""

    generation: int
    attempts: int


def has_database(path: Path) -> bool:
    """Return whether there is a file at the path of a job's database; raises JobError if that is unknown."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise JobError(
            f"{path.parent} can't be read ({_reason(error)}); pass the folder of a job, as the user who "
            "created it"
        ) from None


def _reason(error: OSError | ValueError) -> object:
    """Return why a path can't be used; it may have a null byte, or characters that can't be encoded."""
    return error.strerror if isinstance(error, OSError) else error


class JobFolder:
    """The folder of a job, whose files are readable by their owner only."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = as_path(path, "the folder of a job")
        self._lock = FileLock(self.path / "lock")

    @property
    def database(self) -> Path:
        """The job's database."""
        return self.path / "job.sqlite3"

    @property
    def events(self) -> Path:
        """The audit trail."""
        return self.path / "events.jsonl"

    @property
    def results(self) -> Path:
        """Where outputs go unless the plan says another place."""
        return self.path / "results"

    @property
    def pause(self) -> Path:
        """Exists while another process asks the one that works on the job to drain."""
        return self.path / "pause"

    @property
    def cancel(self) -> Path:
        """Exists from the request to cancel the job until its runs are cancelled."""
        return self.path / "cancel"

    def begin_work(self) -> None:
        """Forget a request to pause, and reserve disk space to write down that the disk is full."""
        self.forget(self.pause)
        with suppress(OSError):
            if not self._reserve.exists():
                with atomic_file(self._reserve) as file:
                    file.write(bytes(_RESERVE))

    def make_results(self) -> None:
        """Make the folder for outputs, closed to other users as a job's own may not be; raises JobError."""
        with changing(self.results):
            make_private_folder(self.results)

    def request(self, what: Path) -> None:
        """Ask the process that works on the job for `pause` or `cancel`; raises JobError."""
        with changing(what):
            what.touch(mode=0o600)

    def forget(self, what: Path) -> None:
        """Forget a request, if there is one; raises JobError."""
        with changing(what):
            what.unlink(missing_ok=True)

    def free_space(self) -> None:
        """Release the reserved space."""
        with suppress(OSError):
            self._reserve.unlink(missing_ok=True)

    @property
    def _reserve(self) -> Path:
        return self.path / "reserve"

    def make(self) -> None:
        """Create the folder, and close it to other users if it is empty; raises JobError.

        One that holds files is shared with whatever they belong to, and keeps its mode.
        """
        try:
            make_private_folder(self.path)
            if self.path.stat().st_mode & 0o077 and not any(self.path.iterdir()):
                self.path.chmod(0o700)
        except (OSError, ValueError) as error:
            raise JobError(
                f"{self.path} can't be a job's folder ({_reason(error)}); choose another"
            ) from None

    def acquire(self) -> None:
        """Lock the job for this process; raises JobBusy and JobError.

        The system releases the lock when the process ends, however it ends.
        """
        if is_windows():
            raise JobError(
                "bulk jobs do not run on Windows, where nobody has tried that they never pay twice; run "
                "them on Linux, macOS or WSL"
            )
        try:
            is_free = self._acquire()
        except LocksUnsupported:
            raise JobError(
                f"{self.path} is on a file system without file locks that work, where two processes on the "
                "same job could pay twice; keep the job's folder on a local disk (slides and results may "
                "stay where they are)"
            ) from None
        except OSError as error:
            raise JobError(
                f"{self.path} can't be locked ({error.strerror}); whoever works on a job must be able to "
                "write in its folder"
            ) from None
        if not is_free:
            raise JobBusy(f"{self._named_holder()} works on this job; wait for it, or pause it")

    def keep_lock(self) -> None:
        """Lock the job again if the lock's file was deleted, as by a cleaner of old files.

        Raises JobBusy if another process was faster, and JobError.
        """
        if self._lock.is_lost():
            self._lock.release()
            self.acquire()

    def _acquire(self) -> bool:
        # Whoever asks for the holder has the lock for a moment.
        for _ in range(_LOCK_ATTEMPTS):
            if self._lock.acquire(f"process {os.getpid()} of {socket.gethostname()}"):
                return True
            time.sleep(_LOCK_INTERVAL)
        return False

    def holder(self) -> str | None:
        """Return a description of the process that works on the job; None if none is known."""
        try:
            return self._named_holder() if self._lock.is_held() else None
        except OSError:
            return None

    def _named_holder(self) -> str:
        with suppress(OSError):
            text = (self.path / "lock").read_bytes()[:_MAX_HOLDER]
            if text:
                return visible(text.decode("utf-8", "replace"))
        return "another process"

    def release(self) -> None:
        """Release the lock."""
        self._lock.release()


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Raise JobError for what can't be written or removed in the job's folder."""
    try:
        yield
    except OSError as error:
        raise JobError(
            f"{path} can't be written or removed ({error.strerror}); look at what it is and at its rights"
        ) from None


class HighWaterMarkFile:
    """The high-water mark of a job, in the state folder."""

    def __init__(self, job_id: str, folder: Path | None = None) -> None:
        self._path = (folder or state_folder("jobs")) / f"{job_id}.json"

    def read(self) -> HighWaterMark | None:
        """Return the mark; None if there is none that can be read."""
        try:
            kept = json.loads(self._path.read_bytes())
            return HighWaterMark(int(kept["epoch"]), int(kept["attempts"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, mark: HighWaterMark) -> None:
        """Write the mark; it is on the disk when this returns. Raises JobError."""
        text = json.dumps({"epoch": mark.generation, "attempts": mark.attempts})
        try:
            make_private_folder(self._path.parent)
            with atomic_file(self._path) as file:
                file.write(text.encode())
        except OSError as error:
            raise JobError(
                f"{self._path.parent} can't be written ({error.strerror}); what stands there tells an old "
                "copy of the job from the job. Set XDG_STATE_HOME to a folder that can be"
            ) from None
