"""Names for files, made from texts of the server's: safe on every system, and never two alike."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TypeVar

from ..errors import UnsafePath

K = TypeVar("K", bound=Hashable)

# Bytes in UTF-8. File systems allow 255; the difference is for suffixes and for long folders on Windows.
_LONGEST = 150
_FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(\..*)?", re.IGNORECASE)

_EXTENSIONS = {
    "application/dicom": ".dcm",
    "application/geo+json": ".geojson",
    "application/json": ".json",
    "application/vnd.apache.parquet": ".parquet",
    "application/zip": ".zip",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/tiff": ".tiff",
    "text/csv": ".csv",
    "text/plain": ".txt",
}


def extension(mime_type: str) -> str:
    """Return the file name extension for a media type, `.bin` for one that is not known here."""
    return _EXTENSIONS.get(mime_type.partition(";")[0].strip().lower(), ".bin")


def safe_name(text: str) -> str:
    """Return a text as one file name that no system refuses and no system reads as a path.

    Different texts may give equal names; `distinct_names` tells them apart.
    """
    text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    printable = (c if unicodedata.category(c)[0] not in "CZ" or c == " " else "_" for c in text)
    name = _FORBIDDEN.sub("_", "".join(printable)).lstrip(". ").rstrip(". ")
    if _DEVICE.fullmatch(name):
        name = f"_{name}"
    if len(name.encode("utf-8")) > _LONGEST:
        stem, suffix = _split(name)
        kept = stem.encode("utf-8")[: _LONGEST - 9 - len(suffix)].decode("utf-8", "ignore")
        name = f"{kept}~{_digest(text)}{suffix}"
    return name or f"_{_digest(text)}"


def distinct_names(texts: Mapping[K, str]) -> dict[K, str]:
    """Return a safe name for each key, all different on every system, and the same at every call.

    Names that would be one file where case or Unicode form does not count get a digest of key and text.
    """
    plain = {key: safe_name(text) for key, text in texts.items()}
    names = plain
    marked: set[K] = set()
    while True:
        uses = Counter(_folded(name) for name in names.values())
        twins = {key for key, name in names.items() if uses[_folded(name)] > 1}
        # A text can be chosen to look like another one's marked name; then it is marked too.
        if twins <= marked:
            return names
        marked |= twins
        names = {
            key: _marked(name, key, texts[key]) if key in marked else name for key, name in plain.items()
        }


def check_inside(root: Path, target: Path) -> None:
    """Raise UnsafePath unless `target` lies below `root`, links followed; a last lock behind `safe_name`."""
    try:
        if target.resolve().is_relative_to(root.resolve()):
            return
    except (OSError, RuntimeError):  # a loop of links is one or the other, by Python's version
        pass
    raise UnsafePath(f"it would leave {root}; remove the link that stands in its place", name=str(target))


def _marked(name: str, key: Hashable, text: str) -> str:
    stem, suffix = _split(name)
    return f"{stem}~{_digest(f'{key}/{text}')}{suffix}"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _split(name: str) -> tuple[str, str]:
    stem, dot, suffix = name.rpartition(".")
    return (stem, dot + suffix) if stem and len(suffix) <= 8 else (name, "")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
