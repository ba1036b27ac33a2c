"""Checks of arguments before anything is done with them: their errors say what a parameter takes."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import UsageError


def as_path(value: str | os.PathLike[str], what: str) -> Path:
    """Return a path; raises UsageError for what no path can be."""
    try:
        path = Path(value)
    except TypeError:
        raise UsageError(f"{what} is a path, not {type(value).__name__}") from None
    try:
        usable = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise UsageError(f"{what} is a path, and no file of this system can have the name {str(path)!r}")
    return path


def check_kind(value: object, kind: type, what: str) -> None:
    """Raise UsageError unless a value is an instance of a class, or has the methods of a protocol."""
    if not isinstance(value, kind):
        raise UsageError(f"{what} takes a {kind.__name__}, not {type(value).__name__}")
