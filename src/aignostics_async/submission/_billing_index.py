"""An index of the slides that this user had analysed, by jobs and by `submit`, in the state folder.

It tells that a slide was billed before, under whatever name. It holds keyed hashes (HMAC-SHA256), ids of runs
and times, from which no name, path, reference or checksum can be read. Key and index are files of mode 0600.
It is a hint, never evidence: whether a run still has results is the platform's to say, and an
index that is lost or damaged only means that nothing is recognized.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from .._core._atomic_file import atomic_file
from .._core._logging import get_logger
from .._core._portable import open_file
from .._core._state_folder import make_private_folder, state_folder
from ..errors import ConfigurationError

_log = get_logger("aignostics_async.submission")

_TABLE = """
CREATE TABLE IF NOT EXISTS billed (
    digest BLOB NOT NULL, run_id TEXT NOT NULL, reference BLOB NOT NULL, organization BLOB,
    billed_at REAL NOT NULL, PRIMARY KEY (digest, run_id, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS billed_by_time ON billed (billed_at);
"""
_FIND = """
SELECT run_id, reference, billed_at FROM billed
WHERE digest = :digest AND (organization IS NULL OR :organization IS NULL OR organization = :organization)
ORDER BY billed_at DESC LIMIT 100
"""
_VERSION = 1
_KEY_SIZE = 32  # bytes
_SAMPLE_SIZE = 64 * 1024  # bytes at the beginning, in the middle and at the end
_LOST = "unknown-"
_RETENTION = 120 * 86400.0  # seconds; the platform keeps results for 30 days after the end of a run


@frozen(kw_only=True)
class BillingScope:
    """Where an analysis is billed: the same slide elsewhere, or with another version, is another analysis."""

    api_root: str
    application_version: str
    organization: str | None = None
    """None where it is not known; it then matches every organization."""

    @property
    def deployment(self) -> str:
        """The API root without its path: a deployment may serve each contract below a path of its own.

        Two deployments on one host are no matter, as the platform is asked whether it has the run.
        """
        return urlsplit(self.api_root)._replace(path="").geturl()


@frozen
class FileSample:
    """What files are recognized by without reading them whole."""

    inodes: tuple[tuple[int, int, int, int], ...]
    """Of each file: device, inode, size in bytes, and modification time in nanoseconds."""
    content: str
    """A hash of the sizes and of 64 KiB at the beginning, in the middle and at the end of each file."""

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for _, _, size, _ in self.inodes)


@frozen(kw_only=True)
class SlideIdentity:
    """What a slide is recognized by. Two slides with different metadata are different analyses."""

    metadata: Mapping[str, Any]
    """As the run is created with it, except for the checksum: a fixed one stands in for it."""
    sample: FileSample | None = None
    """None where the local files are gone."""
    content: tuple[int, str] | None = None
    """Size and CRC32C of the object that was uploaded; None before the upload."""

    def marks(self) -> Iterator[Sequence[object]]:
        """Give everything by which it can be recognized."""
        if self.content is not None:
            yield ("content", *self.content)
        if self.sample is not None:
            yield ("sample", self.sample.content)
            yield ("inode", *self.sample.inodes)


@frozen(kw_only=True)
class BilledRun:
    """A run in which a slide was analysed, or is going to be; or a request that may have created one."""

    run_id: str
    """The id of the run, or what `reserve` has returned; see `is_unknown`."""
    reference_digest: bytes
    """The keyed hash of the item's reference in that run; see `BillingIndex.digest_of`."""
    billed_at: float
    """In seconds of the epoch."""

    @property
    def is_unknown(self) -> bool:
        """Whether only the request was recorded, and not which run it created, if any."""
        return self.run_id.startswith(_LOST)


def sample_files(files: Sequence[Path]) -> FileSample:
    """Return what files are recognized by; reads up to 192 KiB of each. Raises OSError."""
    digest = hashlib.sha256()
    inodes = []
    for path in files:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            inodes.append((status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns))
            digest.update(b"%d\n" % status.st_size)
            for start in _sample_starts(status.st_size):
                file.seek(start)
                digest.update(file.read(_SAMPLE_SIZE))
    return FileSample(tuple(inodes), digest.hexdigest())


def _sample_starts(size: int) -> Sequence[int]:
    last = max(0, size - _SAMPLE_SIZE)
    return (0, last // 2, last)


class BillingIndex:
    """The index, in the state folder or another one.

    All methods block; call them in a thread. None raises for an index that can't be used: the first logs a
    warning, and all behave as if it were empty. Several processes may use it at once.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._kept_key: bytes | None = None
        self._has_warned = False

    def find(self, scope: BillingScope, slides: Sequence[SlideIdentity]) -> list[tuple[BilledRun, ...]]:
        """Return the runs that each slide was billed in, the newest first."""
        found: list[tuple[BilledRun, ...]] = [() for _ in slides]
        with self._opened("read") as connection:
            if connection is not None:
                found = [self._find(connection, scope, slide) for slide in slides]
        return found

    def record(self, scope: BillingScope, run_id: str, slides: Iterable[tuple[str, SlideIdentity]]) -> None:
        """Keep that a run was created of slides, each with its reference in that run. May be called again."""
        now = time.time()
        with self._opened("written") as connection:
            if connection is None:
                return
            organization = self._organization(scope)
            rows = [
                (digest, run_id, self.digest_of(reference), organization, now)
                for reference, slide in slides
                for digest in self._digests(scope, slide)
            ]
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM billed WHERE billed_at < ?", (now - _RETENTION,))
            connection.executemany("INSERT OR IGNORE INTO billed VALUES (?, ?, ?, ?, ?)", rows)
            connection.execute("COMMIT")

    def reserve(self, scope: BillingScope, slides: Iterable[tuple[str, SlideIdentity]]) -> str:
        """Keep, before the request, that a run may be created of slides; return what `settle` takes.

        So it is known even if the process ends before the reply.
        """
        request_id = _LOST + secrets.token_hex(16)
        self.record(scope, request_id, slides)
        return request_id

    def settle(self, request_id: str, run_id: str | None) -> None:
        """Keep which run a request has created, or with None that it has created none."""
        with self._opened("written") as connection:
            if connection is None:
                return
            if run_id is None:
                connection.execute("DELETE FROM billed WHERE run_id = ?", (request_id,))
            else:
                update = "UPDATE OR REPLACE billed SET run_id = ? WHERE run_id = ?"
                connection.execute(update, (run_id, request_id))

    def missing(self, run_ids: Sequence[str]) -> set[str]:
        """Return the runs that were not recorded; none where the index can't be read."""
        with self._opened("read") as connection:
            if connection is not None:
                rows = connection.execute("SELECT DISTINCT run_id FROM billed")
                return set(run_ids) - {run_id for (run_id,) in rows}
        return set()

    def digest_of(self, reference: str) -> bytes:
        """Return the keyed hash of a reference, to compare with `BilledRun.reference_digest`."""
        return self._digest("reference", reference)

    def _find(
        self, connection: sqlite3.Connection, scope: BillingScope, slide: SlideIdentity
    ) -> tuple[BilledRun, ...]:
        organization = self._organization(scope)
        runs = {
            BilledRun(run_id=run_id, reference_digest=reference, billed_at=billed_at)
            for digest in self._digests(scope, slide)
            for run_id, reference, billed_at in connection.execute(
                _FIND, {"digest": digest, "organization": organization}
            )
        }
        return tuple(sorted(runs, key=lambda run: run.billed_at, reverse=True))

    def _digests(self, scope: BillingScope, slide: SlideIdentity) -> Iterator[bytes]:
        for mark in slide.marks():
            yield self._digest(scope.deployment, scope.application_version, slide.metadata, *mark)

    def _organization(self, scope: BillingScope) -> bytes | None:
        return None if scope.organization is None else self._digest("organization", scope.organization)

    def _digest(self, *values: object) -> bytes:
        text = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
        return hmac.digest(self._key(), text.encode(), "sha256")

    def _path(self, name: str) -> Path:
        folder = self._folder or state_folder("billing")
        return folder / name

    def _key(self) -> bytes:
        if self._kept_key is None:
            self._kept_key = _read_key(self._path("key"))
        return self._kept_key

    @contextmanager
    def _opened(self, what: str) -> Iterator[sqlite3.Connection | None]:
        """Give a connection, or None; an error of the index ends the block, and is no error of its user."""
        connection = None
        try:
            path = self._path("index.sqlite3")
            make_private_folder(path.parent)
            self._key()
            connection = _connect(path)
        except (OSError, sqlite3.Error, ConfigurationError, ValueError) as error:
            self._warn(what, error)
        try:
            yield connection
        except (OSError, sqlite3.Error) as error:
            self._warn(what, error)
        finally:
            if connection is not None:
                connection.close()

    def _warn(self, what: str, error: Exception) -> None:
        if self._has_warned:
            return
        self._has_warned = True
        _log.warning(
            "the index of billed slides can't be %s (%s); slides that were analysed before are recognized by "
            "their references at most. Move its folder away, and a new one is begun",
            what,
            error,
        )


def _connect(path: Path) -> sqlite3.Connection:
    os.close(open_file(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise ValueError("it was written by a newer release")
        if version < _VERSION:
            connection.executescript(f"BEGIN IMMEDIATE;{_TABLE}PRAGMA user_version = {_VERSION};COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection


def _read_key(path: Path) -> bytes:
    """Return the key, made by whichever process needs it first. Raises OSError and ValueError."""
    with suppress(FileNotFoundError):
        return _checked(path.read_bytes())
    with atomic_file(path, replaces=False) as file:  # two processes end with the same key
        file.write(secrets.token_bytes(_KEY_SIZE))
    return _checked(path.read_bytes())


def _checked(key: bytes) -> bytes:
    if len(key) != _KEY_SIZE:
        raise ValueError("its key is damaged")
    return key
