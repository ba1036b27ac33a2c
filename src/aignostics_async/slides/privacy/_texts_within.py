"""Texts in bytes whose type says nothing of them, as private tags and elements have them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

_RUN = re.compile(rb"[\t\r\n -~\x80-\xff]{6,}")
_SPACES = str.maketrans("", "", "\0\t\r\n\ufeff")
_MAX_WIDE = 65_536  # bytes: longer ones are no text of two bytes a letter, or one that says it early


def texts_within(value: bytes) -> Iterator[str]:
    """Give the texts in bytes: in ASCII, UTF-8 or Latin-1, or with two bytes a letter in either order."""
    narrow = value.replace(b"\0", b"") if value.count(0) * 3 > len(value) else value
    found = list(filter(_is_readable, _RUN.findall(narrow)))
    if 2 * sum(map(len, found)) >= len(narrow):  # other bytes look like letters at times
        yield from map(decoded, found)
    wide = value.removeprefix(b"UNICODE\0")[:_MAX_WIDE]  # as EXIF writes it
    for form in ("utf-16-le", "utf-16-be"):
        text = wide.decode(form, "ignore")
        if len(text) > 3 and text.translate(_SPACES).isprintable():  # of random bytes hardly any is
            yield text.translate({0: " "})


def _is_readable(run: bytes) -> bool:
    """Whether a run of bytes is UTF-8, or ASCII with a few letters of Latin-1."""
    try:
        run.decode()
    except UnicodeDecodeError:
        return 5 * sum(each < 0x80 for each in run) >= 4 * len(run)
    return True


def decoded(text: bytes) -> str:
    """Return a text in UTF-8, or else in Latin-1, as old programs write it."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")
