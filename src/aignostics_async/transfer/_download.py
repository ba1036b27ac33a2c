"""A signed URL to a file: fetched in ranges, verified, then moved under its name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from .._core._crc32c import readable_crc32c
from ..errors import ChecksumMismatch
from ._ranged_download import DownloadSpec, FetchedFile, RangedDownload
from .files._file_io import unwritable
from .files._partial_file import PartialFile
from .progress._events import guard_progress

if TYPE_CHECKING:
    from .._core._crc32c import Crc32c
    from .._core._secret import SecretText
    from ._engine import Engine


async def fetch_file(
    engine: Engine,
    url: Callable[[], Awaitable[str]],
    target: Path,
    *,
    name: str,
    expected: str | None,
    listed: SecretText | None = None,
    prepare: Callable[[], None] | None = None,
    find: Callable[[], Crc32c | None] | None = None,
    needs_checksum: bool = False,
    progress: Callable[[int, int | None], None] | None = None,
) -> FetchedFile:
    """Download to `target`, which appears whole and verified or not at all.

    `url` returns a signed URL. It is called at the start, unless one is `listed`, and again when the storage
    refuses the last one. With a listed one, a small file costs a single call in a thread. `expected` is the
    promised CRC32C in its wire form; without a readable one, the storage's own `x-goog-hash` counts; without
    either the result is not `verified`, or with `needs_checksum` nothing is kept. `prepare` is called before
    anything else, in a worker thread, and may be called again. So is `find` if something is in the place of
    the file; the checksum that it returns is that of a file to leave as it is. `progress` is called with the
    bytes so far and in all; what it raises ends the download and is raised.

    What a killed or failed download left is resumed if its length, its checksums and, without a promise, its
    ETag still hold. A large file is fetched over more connections while there are some to spare. Memory stays
    at four MiB per connection.

    Raises ChecksumMismatch after a second try from the start, ChecksumMissing, UrlRefused,
    TransferInterrupted and DiskFull.
    """
    with guard_progress(progress) as report:
        promise = readable_crc32c(expected)
        spec = DownloadSpec(url, target, name, promise, report, listed, prepare, find, needs_checksum)
        try:
            return await _fetch_once(engine, spec)
        except ChecksumMismatch:
            pass  # once more, from the start
        return await _fetch_once(engine, evolve(spec, listed=None, find=None))


async def _fetch_once(engine: Engine, spec: DownloadSpec) -> FetchedFile:
    part = PartialFile(spec.target, spec.promise, spec.name)
    try:
        return await RangedDownload(engine, spec, part).run()
    except OSError as error:
        part.give_up()
        failure = unwritable(error, spec.target, spec.name)
    except GeneratorExit:  # nothing can be waited for any more
        part.close()
        raise
    finally:
        try:
            await _close(engine, part)
        finally:
            engine.parts.discard(part)
    raise failure  # outside of the except clause: its traceback holds the request


async def _close(engine: Engine, part: PartialFile) -> None:
    if part.is_closing:
        return  # the thread that finished it has closed it
    if part.is_open:
        await engine.run_cleanup(part.close)
    else:  # nothing was opened, so this takes no time
        part.close()
