"""One document of a version to its file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .._core._file_names import safe_name
from .._core._secret import SecretText
from ..transfer._download import fetch_file
from ..transfer.files._target_folder import make_room

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
    """Download a document and return its path; raises ChecksumMissing where the storage names no checksum.

    The contract has none. What was under the name stays until the new file is verified. No folder is made
    for a document that there is not.
    """
    path = folder / safe_name(name)
    await fetch_file(
        engine,
        url,
        path,
        name=name,
        expected=None,
        listed=SecretText(await url()),
        prepare=lambda: make_room(engine.checked_folders, folder, path, name),
        needs_checksum=not allow_unverified,
    )
    return path
