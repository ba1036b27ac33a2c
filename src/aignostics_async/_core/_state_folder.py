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
