"""The package without the names that only POSIX has, as far as a stand-in for Windows can tell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aignostics_async._core import _portable
from aignostics_async._core._portable import _Poll
from aignostics_async.bulk.database._job_folder import JobFolder
from aignostics_async.errors import JobError

SAMPLE = """
import asyncio, sys, tempfile
from pathlib import Path
import without_posix
import aignostics_async, aignostics_async.bulk, aignostics_async.cli._app, aignostics_async.emulator
from aignostics_async import FileStore, Settings, Token, TokenKey, TokenSet
from aignostics_async._core._file_lock import FileLock
from aignostics_async.transfer._cancel_token import CancelToken
from aignostics_async.transfer.files._partial_file import PartialFile, Span

folder = Path(tempfile.mkdtemp())

async def logins():
    store, key = FileStore(folder), TokenKey("https://idp.example.com", "client")
    async with store.lock(key):
        await store.save(key, TokenSet(access=Token("text")))
        await store.save(key, TokenSet(access=Token("other")))
    assert (await store.load(key)).access.text == "other"
    await store.delete(key)

asyncio.run(logins())
one, other = FileLock(folder / "lock"), FileLock(folder / "lock")
assert one.acquire("me") and not other.acquire() and other.is_held()
assert (folder / "lock").read_bytes() == b"me"
one.release()
assert other.acquire()
other.release()

for content in (b"first", b"second"):
    part = PartialFile(folder / "target", None, "name")
    with part.in_use():
        part.open(CancelToken())
        part.total = len(content)
        part.write(memoryview(content), part.spans[0])
    part.finish()
    part.close()
    assert (folder / "target").read_bytes() == content
left = PartialFile(folder / "left", None, "name")
left.open(CancelToken())
left.discard()
left.close()
print("done")
"""


@pytest.mark.process
def test_files_locks_and_logins_work(root: Path) -> None:
    """With renames and deletions of open files refused."""
    done = subprocess.run(
        [sys.executable, "-c", SAMPLE],
        cwd=root / "tests/helpers",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout == "done\n", done.stderr


@pytest.mark.timeout(400)
@pytest.mark.slow
@pytest.mark.process
def test_whole_files_of_tests_pass(root: Path) -> None:
    files = (
        "tests/faults/test_downloads.py",
        "tests/flows/test_stores.py",
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "0",
        "-p",
        "without_posix",
        "-m",
        "not slow",
        *files,
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=300)
    print(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stdout


def test_polling_without_poll() -> None:
    import socket

    one, other = socket.socketpair()
    with one, other:
        poll = _Poll()
        poll.register(one, _portable.POLLIN)
        assert poll.poll(0) == []
        other.send(b"x")
        assert poll.poll(0) == [(one.fileno(), _portable.POLLIN)]
        poll.register(one.fileno(), _portable.POLLIN | _portable.POLLOUT)
        assert poll.poll(None) == [(one.fileno(), _portable.POLLIN | _portable.POLLOUT)]
        poll.unregister(one)
        assert poll.poll(0) == []


def test_a_file_is_brought_to_the_disk_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS, where fsync leaves it in the cache of the drive."""
    asked: list[int] = []

    class MacOS:
        F_FULLFSYNC = 51
        refuses = False

        @classmethod
        def fcntl(cls, _descriptor: int, operation: int) -> None:
            asked.append(operation)
            if cls.refuses:
                raise OSError("not supported")

    monkeypatch.setattr(_portable, "_fcntl", MacOS)
    monkeypatch.setattr(os, "fsync", asked.append)
    with (tmp_path / "file").open("wb") as file:
        _portable.sync(file.fileno())
        assert asked == [51]
        MacOS.refuses = True
        _portable.sync(file.fileno())
        assert asked == [51, 51, file.fileno()]


def test_bulk_jobs_refuse_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(JobError, match="do not run on Windows"):
        JobFolder(tmp_path).acquire()
