"""Files whose bytes were checked, remembered so that no poll hashes them again."""

from __future__ import annotations

import os
import time
from pathlib import Path

from attrs import frozen

from .._core._crc32c import Crc32c, read_checksum

_SETTLED = 2_000_000_000  # nanoseconds


@frozen
class Fingerprint:
    """What changes when a file's bytes do. The time of its last change can't be set by anybody."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> Fingerprint:
        stat = path.stat()
        return cls(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


class ChecksumCache:
    """The checksums of files that were read whole while nothing changed them. Blocking."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Fingerprint, Crc32c]] = {}

    def checksum(self, path: Path) -> Crc32c | None:
        """Return the checksum of a file, or None if there is none that can be read.

        It is read once, and then not again until it changes.
        """
        key = os.fspath(path)
        try:
            now = Fingerprint.of(path)
            known = self._known.get(key)
            if known is not None and known[0] == now:
                return known[1]
            found = read_checksum(path)
            # A change within one tick of the file system's clock would leave the same time behind. So what
            # was changed just now counts for this time and is not remembered.
            if Fingerprint.of(path) == now and time.time_ns() - now.changed > _SETTLED:
                self._known[key] = now, found
        except OSError:
            self._known.pop(key, None)
            return None
        return found
