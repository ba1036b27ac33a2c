"""The folders of this user's jobs on this machine: a small file for each, in the state folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ..._core._atomic_file import atomic_file
from ..._core._state_folder import make_private_folder, state_folder
from ...errors import ConfigurationError

_SUFFIX = ".folder.json"


def register_folder(job_id: str, folder: Path) -> None:
    """Write down where a job is, unless that is known.

    Nothing depends on it but the list of jobs: a state folder that can't be written does not stop a job.
    """
    with suppress(OSError, ConfigurationError):
        path = _registry() / f"{job_id}{_SUFFIX}"
        place = folder.absolute()
        if _read(path) != place:
            make_private_folder(path.parent)
            with atomic_file(path, durable=False) as file:
                file.write(json.dumps({"folder": str(place)}).encode())


def registered_folders() -> Iterator[tuple[str, Path]]:
    """Yield the ids of jobs and the folders where they were last, which may have moved. Raises OSError."""
    for path in sorted(_registry().glob(f"*{_SUFFIX}")):
        folder = _read(path)
        if folder is not None:
            yield path.name.removesuffix(_SUFFIX), folder


def _registry() -> Path:
    return state_folder("jobs")


def _read(path: Path) -> Path | None:
    try:
        return Path(json.loads(path.read_bytes())["folder"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
