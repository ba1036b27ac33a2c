"""The folder of this user's state, which is neither a cache nor synchronised between machines."""

from __future__ import annotations

from pathlib import Path

from ..errors import ConfigurationError


def state_folder(name: str) -> Path:
    """Return the folder for one kind of state, which may not exist yet.

    Raises ConfigurationError if the user has no home folder.
    """
    from platformdirs import user_state_path

    try:
        folder: Path = user_state_path("aignostics-async", appauthor=False) / name
        if folder.is_absolute():
            return folder
    except RuntimeError:
        pass  # as newer releases of platformdirs say it
    raise ConfigurationError("there is no home folder to keep state in; set HOME or XDG_STATE_HOME")


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user only. Raises OSError."""
    # The parents that `mkdir` makes have no mode but the umask's, which may let others write in them.
    for each in reversed([folder, *folder.parents]):
        if not each.is_dir():
            each.mkdir(mode=0o700, exist_ok=True)
