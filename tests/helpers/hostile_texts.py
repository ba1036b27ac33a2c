"""Texts that steer a terminal or do not show, and a terminal that records what reaches it."""

from __future__ import annotations

import io
import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

HOSTILE = (
    "\x1b[2J", "\x1b[31mred", "\x1b[6n", "\x1b[?1049h", "\x1b[3A\x1b[J", "\x1bc", "\x1b(0", "\x1b#8",
    "\x1b]0;owned\x07", "\x1b]2;owned\x1b\\", "\x1b]52;c;ZXZpbA==\x07",
    "\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1bPq\x1b\\", "\x1b_G\x1b\\", "\x1b^pm\x1b\\", "\x1bXsos\x1b\\",
    "\x9b2J", "\x9d0;owned\x9c", "\x90q\x9c", "\x9fG\x9c", "\x85next",
    "case\rSUCCEEDED", "case\nrun: SUCCEEDED", "case\r\nrun: SUCCEEDED", "bell\x07", "back\x08\x08\x08\x08",
    "tab\tstop", "vertical\x0btab", "form\x0cfeed", "shift\x0eout\x0f", "delete\x7f", "cancel\x18",
    "line\u2028separator", "paragraph\u2029separator",
    "\u202egnp.exe", "\u202dleft", "\u202bembedded\u202c", "\u2066isolated\u2069", "\u2067right",
    "mark\u200e", "mark\u200f", "letter\u061cmark",
    "zero\u200bwidth", "non\u200cjoiner", "joiner\u200d", "word\u2060joiner", "order\ufeffmark",
    "unit\x1f", "\u2068first", "soft\xadhyphen", "grapheme\u034fjoiner", "filler\u3164", "half\uffa0filler",
    "vowel\u180eseparator", "invisible\u2063plus",
    "tag\U000e0041\U000e0042\U000e007f", "selector\ufe0f", "selector\U000e0100", "annotation\ufff9x\ufffb",
    "braille\u2800blank", "note\U0001d159head", "hieroglyph\U00013430joiner", "khitan\U00016fe4filler",
    "syriac\u070fmark", "music\U0001d173", "shorthand\U0001bca0",
)  # fmt: skip
LITERAL = ("[red]text[/red]", "[link=https://evil.example]x[/link]", ":smile:", "{braces}", "%s %d", "症例-7")
"""Harmless texts that a library might read as markup."""

# Styles and cursor movements of the program itself; it moves up only to redraw its progress bars.
_OWN = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|2K|1A)|\r")
_STEERING = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u070f\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\U00013430-\U0001343f\U00016fe4\U0001d159\ufeff\uffa0\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def steering(output: str) -> list[str]:
    """Return the places of an output that steer a terminal and are not the program's own."""
    plain = _OWN.sub("", output)
    found = [repr(plain[max(0, hit.start() - 30) : hit.end() + 30]) for hit in _STEERING.finditer(plain)]
    return found + [repr(text) for text in HOSTILE if text in output]


class Terminal:
    """A pseudo-terminal in the place of standard output and standard error."""

    def __init__(self) -> None:
        self.output = ""


def _text(descriptor: int) -> io.TextIOWrapper:
    return io.TextIOWrapper(os.fdopen(descriptor, "wb", 0), "utf-8", write_through=True)


@contextmanager
def terminal(columns: int = 100) -> Iterator[Terminal]:
    """Give a terminal; what the block writes is in its `output` afterwards."""
    master, slave = os.openpty()
    received: list[bytes] = []

    def read() -> None:
        try:
            while piece := os.read(master, 65536):
                received.append(piece)
        except OSError:  # the other end was closed
            return

    reader = threading.Thread(target=read)
    reader.start()
    shown = Terminal()
    out, err = (
        io.TextIOWrapper(os.fdopen(os.dup(slave), "wb", 0), "utf-8", write_through=True) for _ in "12"
    )
    try:
        with (
            mock.patch.object(sys, "stdout", out),
            mock.patch.object(sys, "stderr", err),
            mock.patch.dict(os.environ, {"COLUMNS": str(columns), "LINES": "50", "TERM": "xterm-256color"}),
        ):
            yield shown
    finally:
        for each in (out, err):
            each.close()
        os.close(slave)
        reader.join(30)
        os.close(master)
        shown.output = b"".join(received).decode("utf-8", "surrogateescape")
