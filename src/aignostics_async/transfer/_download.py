"""A signed URL to a file: fetched in ranges, verified, then moved under its name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .._core._crc32c import readable_crc32c
from .._core._file_names import check_inside
from ..errors import ChecksumMismatch
from ._partial_file import PartialFile, clear_abandoned, local_error
from ._ranged_download import DownloadSpec, FetchedFile, RangedDownload

if TYPE_CHECKING:
    from ._engine import Engine

_ABANDONED = 30 * 24 * 3600.0  # seconds; the platform keeps results for as long


async def fetch_file(
    engine: Engine,
    url: Callable[[], Awaitable[str]],
    target: Path,
    *,
    name: str,
    expected: str | None,
    progress: Callable[[int, int | None], None] | None = None,
) -> FetchedFile:
    """Download to `target`, which appears whole and verified or not at all.

    `url` is asked for a signed URL at the start, and again whenever the storage refuses the one it gave.
    `expected` is the promised CRC32C in its wire form; without a readable one, the storage's own
    `x-goog-hash` counts; without either the result is not `verified`. `progress` is told bytes so far and
    in all.

    What a killed or failed download left is taken up again where its ETag, its length and its checksums
    still hold. A large file is fetched over more connections while there are some to spare. Memory stays at
    four MiB per connection.

    Raises ChecksumMismatch after a second try from the start, UrlRefused, TransferInterrupted and DiskFull.
    """
    order = DownloadSpec(url, target, name, readable_crc32c(expected), progress or _untold)
    try:
        return await _fetch_once(engine, order)
    except ChecksumMismatch:
        pass  # once more, from the start
    return await _fetch_once(engine, order)


async def _fetch_once(engine: Engine, order: DownloadSpec) -> FetchedFile:
    try:
        part = await engine.run_file_io(
            lambda token: PartialFile.open(token, order.target, order.promise, order.name)
        )
    except OSError as error:
        raise local_error(error, order.target, order.name) from None
    engine.parts.add(part)
    try:
        return await RangedDownload(engine, order, part).run()
    except OSError as error:
        part.give_up()
        raise local_error(error, order.target, order.name) from None
    finally:
        engine.parts.discard(part)
        if part.is_over:
            part.close()  # no more than closing it, which is not worth a thread
        else:
            await engine.run_cleanup(part.close)


def make_room(root: Path, target: Path) -> None:
    """Make the folder that `target` goes into, and clear it of what was left there a month ago.

    Raises UnsafePath if a link leads the folder out of `root`, else TransferError.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        check_inside(root, target)
        clear_abandoned(target.parent, _ABANDONED)
    except OSError as error:
        raise local_error(error, target, target.name) from None


def _untold(_done: int, _total: int | None) -> None:
    """Tell nobody."""
