"""Locks between processes, and the file systems on which there are none."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import gc
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aignostics_async import JobBusy, JobError
from aignostics_async._core._file_lock import FileLock, LocksUnsupported
from aignostics_async.bulk.database._job_folder import JobFolder


@pytest.fixture(params=[errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTTY, errno.EPERM, 0])
def without_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every lock be refused, or be given to everybody."""

    def flock(_descriptor: int, _operation: int) -> None:
        if request.param:
            raise OSError(request.param, "told by the file system")

    monkeypatch.setattr(fcntl, "flock", flock)


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Let every write of this process fail."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.usefixtures("without_locks")
def test_a_file_system_without_locks_that_work_is_recognized(tmp_path: Path) -> None:
    before = open_files()
    with pytest.raises(LocksUnsupported):
        FileLock(tmp_path / "lock").acquire()
    with pytest.raises(JobError, match="keep the job's folder on a local disk"):
        JobFolder(tmp_path).acquire()
    assert JobFolder(tmp_path).holder() is None
    assert open_files() == before


def test_a_lock_excludes_others_until_it_is_released(tmp_path: Path) -> None:
    before = open_files()
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.acquire("the first")
    assert not second.acquire("the second")
    assert second.is_held()
    assert (tmp_path / "lock").read_text() == "the first"
    first.release()
    assert not second.is_held()
    assert second.acquire()
    second.release()
    assert open_files() == before


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_does_not_keep_a_lock(tmp_path: Path) -> None:
    first, second = JobFolder(tmp_path), JobFolder(tmp_path)
    first.acquire()
    with pytest.raises(JobBusy, match="another process works on this job"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_loop_that_was_closed_with_its_tasks_keeps_no_lock(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path)

    async def work() -> None:
        mine = JobFolder(tmp_path)
        mine.acquire()
        await asyncio.Event().wait()

    async def begin() -> None:
        asyncio.get_running_loop().tasks = {asyncio.create_task(work())}  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(begin())
    assert folder.holder() is not None
    for task in loop.tasks:  # type: ignore[attr-defined]
        task._log_destroy_pending = False
        del task
    loop.close()
    del loop
    gc.collect()
    folder.acquire()
    folder.release()


def test_the_holder_of_a_lock_is_told_harmlessly(tmp_path: Path) -> None:
    mine, other = JobFolder(tmp_path), JobFolder(tmp_path)
    mine.acquire()
    (tmp_path / "lock").write_bytes(b"\x1b[2Jmischief\xff" + b"x" * 10_000)
    assert len(other.holder() or "") < 400
    with pytest.raises(JobBusy) as caught:
        other.acquire()
    assert "\x1b" not in str(caught.value)
    mine.release()


def test_nothing_is_created_to_ask_for_the_holder(tmp_path: Path) -> None:
    assert JobFolder(tmp_path).holder() is None
    assert list(tmp_path.iterdir()) == []


def test_a_lock_whose_file_was_deleted_is_taken_again(tmp_path: Path) -> None:
    mine, other = JobFolder(tmp_path), JobFolder(tmp_path)
    mine.acquire()
    mine.keep_lock()
    (tmp_path / "lock").unlink()
    mine.keep_lock()
    with pytest.raises(JobBusy):
        other.acquire()
    (tmp_path / "lock").unlink()
    other.acquire()
    with pytest.raises(JobBusy, match=f"process {os.getpid()}"):
        mine.keep_lock()
    other.release()
    mine.release()


def test_a_lock_goes_with_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    mine = JobFolder(folder)
    mine.acquire()
    folder.rename(tmp_path / "moved")
    mine.keep_lock()
    with pytest.raises(JobBusy):
        JobFolder(tmp_path / "moved").acquire()
    mine.release()


@pytest.mark.parametrize("request_of", [JobFolder.request, JobFolder.forget])
def test_a_request_that_can_t_be_written_is_the_job_s_error(
    tmp_path: Path, request_of: Callable[[JobFolder, Path], None]
) -> None:
    folder = JobFolder(tmp_path / "missing")
    folder.make()
    folder.pause.mkdir()
    with pytest.raises(JobError, match="look at what it is"):
        folder.forget(folder.pause)
    folder.pause.rmdir()
    folder.path.rmdir()
    folder.path.write_bytes(b"a file")
    with pytest.raises(JobError, match="Not a directory"):
        request_of(folder, folder.pause)
