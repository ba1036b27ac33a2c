"""Text for people: harmless on a terminal, in a log line, in HTML and in CSV.

References, file names, claims and error messages come from elsewhere. A terminal obeys their control
characters, and direction and zero-width characters make one text look like another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

# Controls, bidirectional and other format characters, line separators, fillers and blanks, variation
# selectors, lone surrogates, tag characters: whatever steers a display or does not show.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

_VISIBLE = re.compile(r"‹U\+([0-9A-F]{4,5}|10[0-9A-F]{4})›")
# Also after a semicolon: where that is the separator, a quoted cell ends at it.
_FORMULA = re.compile(r"(^|;)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")


def visible(text: str) -> str:
    """Return a text on one line, with control and invisible characters replaced by their code points.

        visible("case" + chr(0x202E))  # "case‹U+202E›"

    Use it to print references, file names, claims and messages of servers. It replaces line breaks, terminal
    controls, bidirectional and zero-width characters, and lone surrogates; wide and no-break spaces stay. A
    text without such characters is returned unchanged.
    """
    if text.isascii() and text.isprintable():
        return text
    return _INVISIBLE.sub(lambda found: f"‹U+{ord(found[0]):04X}›", text)


def with_code(error: str | None, code: str | None) -> str | None:
    """Return an error with the platform's code for it; None without either."""
    return f"{error} [{code}]" if error and code else error or code


def from_visible(text: str) -> str:
    """Return the text that `visible` made visible, for files that are read back.

    from_visible(visible(name)) == name
    """
    return _VISIBLE.sub(_original, text) if "‹" in text else text


def _original(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    # No file has a name with a zero in it.
    return character if _INVISIBLE.fullmatch(character) and character != "\0" else found[0]


def harmless(text: str) -> str:
    """Return a text that no spreadsheet calculates, on one line."""
    return _FORMULA.sub(r"\1'", visible(text))


def visible_lines(text: str) -> str:
    """Return a text of several lines like `visible`, with every line but the first indented.

    The indentation keeps a line break inside a foreign text from forging a line of output.
    """
    return "\n  ".join(visible(line) for line in text.split("\n"))


def escape_json(document: str) -> str:
    r"""Return a JSON document of the same value, with control and invisible characters as `\u` escapes."""
    if document.isascii() and "\x7f" not in document:
        return document
    return _INVISIBLE.sub(_json_escape, document)


def _json_escape(found: re.Match[str]) -> str:
    if found[0] == "\n":  # between values; JSON has none inside a string
        return "\n"
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[index : index + 2].hex()}" for index in range(0, len(units), 2))


def shorten(text: str, limit: int) -> str:
    """Return at most `limit` characters of a text, the last of them an ellipsis if it was cut."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def some_of(names: Sequence[object], most: int = 3) -> str:
    """Return the first of some names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 slide`, `2,000 slides`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def human_money(amount: Decimal, currency: str | None) -> str:
    """Return an amount with at least two decimals and its currency, if any: `1,250.00 EUR`."""
    exponent = amount.as_tuple().exponent
    shown = f"{amount:,}" if isinstance(exponent, int) and exponent < -2 else f"{amount:,.2f}"
    return shown if currency is None else f"{shown} {currency}"


def moment(seconds: Any) -> datetime | None:
    """Return seconds of the epoch as a moment in UTC; None for what is no time, or has no year."""
    with suppress(TypeError, ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(seconds, UTC)
    return None


def human_moment(when: datetime) -> str:
    """Return a moment in UTC to the minute: `2026-11-30 18:00 UTC`; in its own zone if UTC lacks the year."""
    with suppress(OverflowError):
        when = when.astimezone(UTC)
    return f"{when:%Y-%m-%d %H:%M %Z}"


def human_time(seconds: float) -> str:
    """Return a duration in its two largest units: `40 s`, `12 min`, `2 h 10 min`, `3 d 4 h`."""
    minutes = round(seconds / 60)
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return _two_units(minutes, 60, "h", "min")
    return _two_units(round(minutes / 60), 24, "d", "h")


def _two_units(number: int, factor: int, large: str, small: str) -> str:
    whole, rest = divmod(number, factor)
    return f"{whole} {large} {rest} {small}" if rest else f"{whole} {large}"


def human_size(size: int) -> str:
    """Return a number of bytes with a decimal unit, in three digits: `1.25 MB`."""
    for factor, unit in ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= factor:
            return f"{size / factor:.3g} {unit}" if size < 999.5 * factor else f"{size / factor:,.0f} {unit}"
    return f"{size} B"
