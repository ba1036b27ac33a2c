"""Checksums of files, remembered so that no poll reads a file again."""

from __future__ import annotations

import os
import time
from pathlib import Path

from .._core._crc32c import Crc32c, read_checksum
from .._core._file_fingerprint import Fingerprint

_SETTLED = 2_000_000_000  # nanoseconds


class ChecksumCache:
    """The checksums of files that were read whole while nothing changed them. Blocking."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Fingerprint, Crc32c]] = {}

    def checksum(self, path: Path) -> Crc32c | None:
        """Return the checksum of a file, or None if it can't be read or is no regular file.

        The file is read once, and again only after it changed.
        """
        key = os.fspath(path)
        try:
            if not path.is_file():  # reading a pipe would never end
                return None
            now = Fingerprint.of(path)
            known = self._known.get(key)
            if known is not None and known[0] == now:
                return known[1]
            found = read_checksum(path)
            # A second change within one tick of the file system's clock leaves the same time behind, so a
            # file that changed just now is not remembered.
            if Fingerprint.of(path) == now and time.time_ns() - now.changed > _SETTLED:
                self._known[key] = now, found
        except OSError:
            self._known.pop(key, None)
            return None
        return found
