"""MIRAX slides: a small file that is opened, and a folder of its name beside it that holds the pixels."""

from __future__ import annotations

from pathlib import Path

from ..errors import SlideError


def is_mirax(path: Path) -> bool:
    """Whether a file's name says that it is MIRAX."""
    return path.suffix.lower() == ".mrxs"


def mirax_folder(path: Path) -> Path:
    """Return the folder that belongs to a MIRAX file."""
    return path.with_suffix("")


def mirax_members(path: Path) -> tuple[Path, ...]:
    """Return a MIRAX file and then what its folder holds, sorted; raises SlideError if that can't be read."""
    folder = mirax_folder(path)
    try:
        members = sorted(each for each in folder.iterdir() if each.is_file())
    except OSError as error:
        raise SlideError(
            f"its folder {folder.name} can't be read ({error.strerror})", path=str(path)
        ) from None
    return (path, *members)
