"""Errors in words for the users of a service, who must not see what is on its machine."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from ..errors import (
    APIStatusError,
    ConnectionFailed,
    InvalidSubmission,
    SlideError,
    SubmissionUnknown,
    TransferError,
)


def public_message(error: BaseException, *, root: str | os.PathLike[str] | None = None) -> str:
    """Return a text about an error for the users of a service, without what is for its operator alone.

        {"detail": public_message(error, root="slides/")}

    `root` is the folder of the users' slides; files in it are named relative to it. None, the default, if
    there is none: then the faults of an InvalidSubmission name files by their paths, as they do for files
    outside of `root`. For an error that is not of this package, or whose message is for the service's
    operator, the text has the name of its class only; log the error itself. Raises nothing.
    """
    if isinstance(error, SlideError):
        told = f"{Path(error.path).name}: {error.problem}"
        return _without([Path(error.path).parent], f"{told}; {error.remedy}" if error.remedy else told)
    if isinstance(error, InvalidSubmission):
        folders = [] if root is None else _names_of(Path(root))
        return _without(folders, "\n".join(map(str, error.faults)))
    return _brief(error)


def _brief(error: BaseException) -> str:
    match error:
        case SubmissionUnknown():
            return "whether the run was created is unknown; it appears within minutes if it was"
        case APIStatusError():
            return f"the platform answered {error.status}; {error.advice}"
        case ConnectionFailed():
            return "the platform can't be reached"
        case TransferError():
            return f"{Path(error.name).name}: the file could not be transferred ({type(error).__name__})"
        case _:
            return f"{type(error).__name__}; the service's log has more"


def _names_of(root: Path) -> list[Path]:
    """Return the paths by which a folder is named in messages, as far as they can be told."""
    names = []
    for name in (Path.resolve, Path.absolute):
        # The working directory may be gone, or a link be one of a loop.
        with suppress(OSError, RuntimeError, ValueError):
            names.append(name(root))
    return [*names, root]


def _without(folders: list[Path], text: str) -> str:
    """Return a text in which files of these folders are named relative to them."""
    for folder in folders:
        beginning = "" if folder.is_absolute() else "/"
        own = re.escape(os.path.join(folder, ""))  # noqa: PTH118 - with the separator at its end
        text = re.sub(rf"(?<![\w.{beginning}-]){own}", "", text)
    return text
