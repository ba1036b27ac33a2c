"""File names made from the server's texts: safe on every system, and all different."""

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
_MAX_BYTES = 150
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
_MEDIA_TYPES = {suffix: media_type for media_type, suffix in _EXTENSIONS.items()}


def extension(mime_type: str) -> str:
    """Return the file name extension of a media type, `.bin` for an unknown one."""
    return _EXTENSIONS.get(mime_type.partition(";")[0].strip().lower(), ".bin")


def media_type_of(path: Path) -> str:
    """Return the media type for which `extension` gives the suffix of a path."""
    return _MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream")


def safe_name(text: str) -> str:
    """Return a text as one file name that every system accepts and none reads as a path.

    Different texts may yield the same name; `distinct_names` yields different ones.
    """
    text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    printable = (c if unicodedata.category(c)[0] not in "CZ" or c == " " else "_" for c in text)
    name = _FORBIDDEN.sub("_", "".join(printable)).lstrip(". ").rstrip(". ")
    if _DEVICE.fullmatch(name):
        name = f"_{name}"
    if len(name.encode("utf-8")) > _MAX_BYTES:
        stem, suffix = _split(name)
        kept = stem.encode("utf-8")[: _MAX_BYTES - 9 - len(suffix)].decode("utf-8", "ignore")
        name = f"{kept}~{_digest(text)}{suffix}"
    return name or f"_{_digest(text)}"


def distinct_names(texts: Mapping[K, str]) -> dict[K, str]:
    """Return a safe name for each key, all different on every system, and the same at every call.

    Names that would be the same file on a system that ignores case or Unicode form get a digest of key and
    text.
    """
    plain = {key: safe_name(text) for key, text in texts.items()}
    names = plain
    marked: set[K] = set()
    while True:
        uses = Counter(_folded(name) for name in names.values())
        twins = {key for key, name in names.items() if uses[_folded(name)] > 1}
        # A text can equal the marked name of another one; then it is marked too.
        if twins <= marked:
            return names
        marked |= twins
        names = {
            key: _marked(name, key, texts[key]) if key in marked else name for key, name in plain.items()
        }


def check_inside(root: Path, target: Path) -> None:
    """Raise UnsafePath unless `target`, links resolved, lies below `root`; a defence beside `safe_name`."""
    try:
        if target.resolve().is_relative_to(root.resolve()):
            return
    except (OSError, RuntimeError):  # which of the two a loop of links raises depends on Python's version
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
