"""What identifies the content of a file without reading it."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen


@frozen
class Fingerprint:
    """Where a file is, its size and its times in nanoseconds; it changes when the content does.

    `changed` can't be set by anybody, unlike `modified`. It also moves when a file is linked or its mode
    changes.
    """

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> Fingerprint:
        """Return the fingerprint of a file, links followed; costs one system call. Raises OSError."""
        stat = Path(path).stat()
        return cls(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)

    def has_same_content(self, other: Fingerprint) -> bool:
        """Whether both are of one file with one content, whatever became of its links and its mode."""
        return (self.device, self.inode, self.size, self.modified) == (
            other.device,
            other.inode,
            other.size,
            other.modified,
        )
