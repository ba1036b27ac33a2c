"""Atomic writes: a file appears complete or not at all, and readable by its owner only."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ._portable import sync


@contextmanager
def atomic_file(
    path: Path, *, prefix: str = ".", replaces: bool = True, durable: bool = True
) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces `path` when the block succeeds, and is deleted when it fails.

        with atomic_file(path) as file:
            file.write(content)

    Until then `path` is unchanged; afterwards a power cut does not undo it. Only a killed process leaves the
    temporary file, which lies beside `path` with `prefix` and the mode 0600. Costs an fsync of the file and
    one of the folder, unless it need not be `durable`. Without `replaces`, a file that is there already
    stays, whichever process wrote it. Raises OSError.
    """
    descriptor, name = tempfile.mkstemp(prefix=prefix, suffix=".part", dir=path.parent)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            if durable:
                sync(descriptor)
        if replaces:
            part.replace(path)
        else:
            _link(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if durable:
        _sync_folder(path.parent)


def _link(part: Path, path: Path) -> None:
    """Give a file its name unless there is one."""
    with suppress(FileExistsError):
        path.hardlink_to(part)
    part.unlink()


def _sync_folder(folder: Path) -> None:
    # Not every system can open a folder, or sync it; the file itself is safe by then.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
