"""Opening a slide with OpenSlide, which is an extra."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MissingExtra, SlideError
from .files._members import Members
from .formats._detection import Format
from .formats._dicom import EXPORT_AS

if TYPE_CHECKING:
    from openslide import OpenSlide

_FOLDER = "aignostics-async-"
_LINK = re.compile(rf"[^()]*[\\/]{_FOLDER}\w+[\\/](\d{{5}})\.dcm")
_SYNTAX = re.compile(r"transfer syntax ([\d.]+\d)")


@contextmanager
def open_slide(path: Path, members: Members) -> Iterator[OpenSlide]:
    """Open a slide of known members with OpenSlide; whatever its reader raises becomes SlideError.

    A DICOM series is opened through links in a folder of its own: OpenSlide reads every file beside the one
    that it is given, and so would see other slides, or labels that are not sent.
    """
    try:
        import openslide
    except ImportError:
        raise MissingExtra("reading slides", extra="slides") from None
    try:
        with _opened(path, members) as source, openslide.OpenSlide(str(source)) as image:
            yield image
    except SlideError:
        raise
    except openslide.OpenSlideError as error:
        said = _said(str(error), members)
        raise SlideError(
            f"OpenSlide can't read it as a slide ({said})", path=str(path), remedy=_remedy(members, said)
        ) from None
    except OSError as error:
        raise SlideError(f"it can't be read ({error.strerror})", path=str(path)) from None
    except Exception as error:  # noqa: BLE001 - a damaged slide raises whatever its reader did not foresee
        raise SlideError(
            f"its reader failed ({type(error).__name__}: {error})",
            path=str(path),
            remedy="it may be damaged; copy it again, or leave it out",
        ) from None


def _said(error: str, members: Members) -> str:
    """Return what OpenSlide says, of the slide's own files and not of the links to them."""
    said = _LINK.sub(lambda link: members.files[int(link[1])].name, error)
    return _SYNTAX.sub(lambda found: _transfer_syntax(found[1]), said)


def _transfer_syntax(uid: str) -> str:
    """Return a transfer syntax of DICOM with its name, such as `JPEG XL (1.2.840.10008.1.2.4.110)`."""
    from pydicom.config import IGNORE
    from pydicom.uid import UID

    name = UID(uid, validation_mode=IGNORE).name
    return f"transfer syntax {uid}" if name == uid else f"transfer syntax {name} ({uid})"


def _remedy(members: Members, said: str) -> str:
    if "transfer syntax" in said:
        return EXPORT_AS
    if members.content.format is Format.TIFF:
        return "is it a whole slide with tiles, and complete? Convert it to a tiled, pyramidal TIFF"
    return "is it complete, and of a format that OpenSlide knows?"


@contextmanager
def _opened(path: Path, members: Members) -> Iterator[Path]:
    """Give the file to open."""
    if members.content.format is not Format.DICOM:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix=_FOLDER) as folder:
        yield link_all(members.files, Path(folder))


def link_all(files: Sequence[Path], folder: Path) -> Path:
    """Make a link in a folder to each file, and return the first."""
    links = [folder / f"{number:05d}.dcm" for number in range(len(files))]
    for file, link in zip(files, links, strict=True):
        link.symlink_to(file.absolute())
    return links[0]
