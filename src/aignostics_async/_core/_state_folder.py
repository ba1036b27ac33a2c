"""Where this user's state is kept: not in a cache, which cleaners empty, nor in what roams."""

from __future__ import annotations

from pathlib import Path

from ..errors import ConfigurationError


def state_folder(name: str) -> Path:
    """Return the folder for one kind of state; it may not be there yet.

    Raises ConfigurationError where the user has no home folder.
    """
    from platformdirs import user_state_path

    try:
        folder: Path = user_state_path("aignostics-async", appauthor=False) / name
        if folder.is_absolute():
            return folder
    except RuntimeError:
        pass  # as newer releases of platformdirs say it
    raise ConfigurationError("there is no home folder to keep state in; set HOME or XDG_STATE_HOME")
