"""A signed URL to a file: fetched in ranges, verified, then moved under its name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .._core._crc32c import Crc32c, readable_crc32c
from .._core._file_names import check_inside
from ..errors import ChecksumMismatch
from ._file_io import unwritable
from ._partial_file import PartialFile, clear_abandoned
from ._progress import guard_progress
from ._ranged_download import DownloadSpec, FetchedFile, RangedDownload

if TYPE_CHECKING:
    from ._cancel_token import CancelToken
    from ._engine import Engine

_ABANDONED = 30 * 24 * 3600.0  # seconds; the platform keeps results for as long


async def fetch_file(
    engine: Engine,
    url: Callable[[], Awaitable[str]],
    target: Path,
    *,
    name: str,
    expected: str | None,
    find: Callable[[], Crc32c | None] | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> FetchedFile:
    """Download to `target`, which appears whole and verified or not at all.

    `url` returns a signed URL. It is called at the start, and again when the storage refuses the last one.
    `expected` is the promised CRC32C in its wire form; without a readable one, the storage's own
    `x-goog-hash` counts; without either the result is not `verified`. `find` is called before anything else,
    in a worker thread; the checksum that it returns is that of a file to leave as it is. `progress` is called
    with the bytes so far and in all; what it raises ends the download and is raised.

    What a killed or failed download left is resumed if its length, its checksums and, without a promise, its
    ETag still hold. A large file is fetched over more connections while there are some to spare. Memory stays
    at four MiB per connection.

    Raises ChecksumMismatch after a second try from the start, UrlRefused, TransferInterrupted and DiskFull.
    """
    with guard_progress(progress) as report:
        spec = DownloadSpec(url, target, name, readable_crc32c(expected), report)
        try:
            return await _fetch_once(engine, spec, find)
        except ChecksumMismatch:
            pass  # once more, from the start
        return await _fetch_once(engine, spec, None)


async def _fetch_once(
    engine: Engine, spec: DownloadSpec, find: Callable[[], Crc32c | None] | None
) -> FetchedFile:
    def begin(token: CancelToken) -> PartialFile | Crc32c:
        found = None if find is None else find()
        return PartialFile.open(token, spec.target, spec.promise, spec.name) if found is None else found

    try:
        part = await engine.run_file_io(begin, release=_close)
    except OSError as error:
        raise unwritable(error, spec.target, spec.name) from None
    if isinstance(part, Crc32c):
        return FetchedFile(part.length, part.wire, verified=True, is_new=False)
    engine.parts.add(part)
    try:
        return await RangedDownload(engine, spec, part).run()
    except OSError as error:
        part.give_up()
        failure = unwritable(error, spec.target, spec.name)
    except GeneratorExit:  # nothing can be waited for any more
        part.close()
        raise
    finally:
        engine.parts.discard(part)
        if not part.is_closing:
            await engine.run_cleanup(part.close)
    raise failure  # outside of the except clause: its traceback holds the request


def _close(begun: PartialFile | Crc32c) -> None:
    if isinstance(begun, PartialFile):
        begun.close()


def make_room(engine: Engine, root: Path, target: Path) -> None:
    """Make the folder that `target` goes into, and delete what was abandoned there a month ago.

    Raises UnsafePath if a link leads the folder out of `root`, else TransferError.
    """
    folder = target.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stat = folder.stat()
        # Once for each folder, which may hold thousands of files, unless another one is in its place now.
        if engine.checked_folders.get(folder) != (stat.st_dev, stat.st_ino):
            check_inside(root, folder)
            clear_abandoned(folder, _ABANDONED)
            engine.checked_folders[folder] = stat.st_dev, stat.st_ino
        if target.is_symlink():
            check_inside(root, target)
    except OSError as error:
        raise unwritable(error, target, target.name) from None
