"""Whether a file changed, and whether files are copies, without reading all of their bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

_SAMPLE = 65_536
_SAMPLES = 16


def sampled_digest(path: Path) -> str:
    """Return a digest of a file's size and of 16 samples of its bytes; raises OSError."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for offset in _offsets(size):
            file.seek(offset)
            digest.update(file.read(_SAMPLE))
    return digest.hexdigest()


def _offsets(size: int) -> Sequence[int]:
    if size <= _SAMPLE * _SAMPLES:
        return range(0, size, _SAMPLE)
    step = (size - _SAMPLE) / (_SAMPLES - 1)
    return [round(number * step) for number in range(_SAMPLES)]


def measure(files: Iterable[Path]) -> tuple[int, str]:
    """Return the bytes of files together, and a fingerprint of their sizes, times and places on the disk.

    Raises OSError for a file whose status can't be read.
    """
    size = 0
    digest = hashlib.sha256()
    for path in files:
        status = path.stat()
        size += status.st_size
        digest.update(f"{status.st_size} {status.st_mtime_ns} {status.st_ino}\n".encode())
    return size, digest.hexdigest()
