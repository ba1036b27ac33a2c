"""Find retired words: names and phrases that were replaced, and that must not return.

The list is a TOML file with one table, `words`. A key is a word or a phrase, or several forms of it with `|`
between them. Its value is a table:

say      what to write instead
scope    "identifiers", "prose" or "both" (the default)
unless   phrases in which the word is right, such as "wall clock"
allowed  patterns of paths in which it is right

Prose is comments, docstrings and other strings of Python files, and all of any other file. A string without a
space is data. An identifier is split at underscores and capitals, so `max_wait` also finds `MaxWait` and
`_max_wait_s`. In prose, an identifier is a word with an underscore or in backticks.
"""

from __future__ import annotations

import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal, NamedTuple

Scope = Literal["identifiers", "prose", "both"]

# Between two words of a phrase: a line may end, a comment go on, a string be continued by the next.
_GAP = r"(?:[\s#]|[\"']\s+[rf]?[\"'])+"
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_IN_CODE = re.compile(r"`[^`\n]+`|\b\w+_\w+\b")
_FIELD = re.compile(r"\{[^{}]*\}")
_PROSE_TOKENS = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


class Use(NamedTuple):
    """A retired word, and where it is used."""

    path: Path
    line: int
    text: str
    say: str


@dataclass(frozen=True)
class Word:
    """One entry of the list."""

    forms: tuple[str, ...]
    say: str
    scope: Scope = "both"
    unless: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()

    @cached_property
    def anywhere(self) -> re.Pattern[str]:
        """Match a superset of the other patterns, to skip clean files quickly."""
        forms = [r"[\W_]*".join(map(re.escape, parts(form))) for form in self.forms]
        return re.compile("|".join(forms), re.IGNORECASE)

    @cached_property
    def prose(self) -> re.Pattern[str]:
        """Match a form as whole words."""
        return re.compile(rf"(?<![\w-])(?:{_phrases(self.forms)})(?![\w-])", re.IGNORECASE)

    @cached_property
    def exceptions(self) -> re.Pattern[str]:
        """Match the phrases in which the word is right."""
        return re.compile(_phrases(self.unless) if self.unless else r"(?!)", re.IGNORECASE)

    def names(self, identifier: str) -> bool:
        """Whether an identifier contains one of the forms."""
        words = f"_{'_'.join(parts(identifier))}_"
        return any(f"_{'_'.join(parts(form))}_" in words for form in self.forms)

    def is_allowed(self, path: Path) -> bool:
        """Whether the word may stand in a file."""
        return any(path.match(pattern) or path.is_relative_to(pattern) for pattern in self.allowed)


def read_words(path: Path) -> list[Word]:
    """Read the list; raises TypeError for an entry without `say` or with an unknown key."""
    entries: dict[str, dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["words"]
    return [_word(forms, entry) for forms, entry in entries.items()]


def uses(path: Path, text: str, words: list[Word]) -> Iterator[Use]:
    """Give the uses of retired words in one file and in its name.

    `path` is relative to the root. It decides what is allowed, and whether the text is Python.
    """
    suspects = [
        word for word in words if word.anywhere.search(f"{path}\n{text}") and not word.is_allowed(path)
    ]
    if not suspects:
        return
    prose, names = _split(text) if path.suffix == ".py" else (text, [])
    names += [(1, name) for name in path.with_suffix("").parts]
    names += [
        (_line(prose, match.start()), name) for match in _IN_CODE.finditer(prose) for name in _names(match)
    ]
    for word in suspects:
        if word.scope != "identifiers":
            yield from (Use(path, line, phrase, word.say) for line, phrase in _in_prose(prose, word))
        if word.scope != "prose":
            yield from (Use(path, line, name, word.say) for line, name in names if word.names(name))


def _in_prose(prose: str, word: Word) -> Iterator[tuple[int, str]]:
    right = [match.span() for match in word.exceptions.finditer(prose)]
    for match in word.prose.finditer(prose):
        if not any(start <= match.start() and match.end() <= end for start, end in right):
            yield _line(prose, match.start()), " ".join(match[0].split())


def parts(name: str) -> list[str]:
    """Split a name at underscores, spaces and capitals, in small letters: `MaxWait` is `max`, `wait`."""
    return [part.lower() for part in _PARTS.findall(name)]


def _split(source: str) -> tuple[str, list[tuple[int, str]]]:
    """Return the prose of Python source with all code blotted out, and the identifiers with their lines."""
    starts = [0, *accumulate(map(len, source.splitlines(keepends=True)))]
    prose: list[str] = []
    names: list[tuple[int, str]] = []
    end = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        line, column = token.start
        if token.type == tokenize.NAME:
            names.append((line, token.string))
        elif token.type in _PROSE_TOKENS and _is_prose(token.string):
            text, inner = _without_fields(token.string)
            names += [(line, name) for name in inner]
            prose += [_blot(source[end : starts[line - 1] + column]), text]
            end = starts[line - 1] + column + len(text)
    return "".join(prose) + _blot(source[end:]), names


def _is_prose(text: str) -> bool:
    return text.startswith("#") or " " in text.strip("\"' ")


def _without_fields(text: str) -> tuple[str, list[str]]:
    """Blot out the replacement fields of an f-string, and return the names in them."""
    if "f" not in text[:2].lower() or text[:1] == "#":
        return text, []
    fields = _FIELD.findall(text)
    return _FIELD.sub(lambda match: _blot(match[0]), text), re.findall(r"[^\W\d]\w*", " ".join(fields))


def _blot(code: str) -> str:
    return re.sub(r"\S", "\0", code)


def _names(match: re.Match[str]) -> list[str]:
    return re.findall(r"\w+", match[0])


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _phrases(forms: tuple[str, ...]) -> str:
    return "|".join(_GAP.join(map(re.escape, form.split())) for form in forms)


def _word(forms: str, entry: dict[str, Any]) -> Word:
    unless, allowed = (tuple(entry.pop(key, ())) for key in ("unless", "allowed"))
    return Word(tuple(forms.split("|")), unless=unless, allowed=allowed, **entry)
