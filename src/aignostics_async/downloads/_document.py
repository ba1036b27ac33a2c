"""One document of a version to its file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .._core._file_names import safe_name
from ..errors import ChecksumMissing
from ..transfer._download import fetch_file
from ..transfer._target_folder import make_room

if TYPE_CHECKING:
    from ..transfer._engine import Engine


async def download_document(
    engine: Engine,
    url: Callable[[], Awaitable[str]],
    folder: Path,
    name: str,
    *,
    allow_unverified: bool,
) -> Path:
    """Download a document and return its path. Raises ChecksumMissing, and keeps nothing, without a promise.

    The contract promises no checksum, so the one of the storage counts.
    """
    path = folder / safe_name(name)
    fetched = await fetch_file(
        engine, url, path, name=name, expected=None, prepare=lambda: make_room(engine, folder, path)
    )
    if not fetched.verified and not allow_unverified:
        path.unlink(missing_ok=True)
        raise ChecksumMissing("the storage gave no checksum; allow_unverified=True keeps it", name=name)
    return path
