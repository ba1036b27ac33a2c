"""Which files count: patterns as in a list of ignored files, of which the last one that fits wins.

`*` and `?` stand for characters of one name, `**` for any number of folders. A pattern with a slash inside is
read from the folder that is searched; one without fits a name at any depth. What fits a folder fits all in
it; a slash at the end makes it fit folders only. Case does not count, nor how a letter with an accent is
stored.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from fnmatch import fnmatchcase

from attrs import field, frozen

from ....errors import UsageError

_MAGIC = frozenset("*?[")


@frozen
class SelectionRule:
    """A pattern of paths, and whether matching files are slides of the job.

        Sources(
            places=["slides/"],
            rules=[SelectionRule("*.svs", counts=True), SelectionRule("old/", counts=False)],
        )

    `*`, `?` and `[a-c]` match characters of one name, `**` any number of folders. A pattern with a slash,
    other than at its end, starts at the searched folder; one without matches at any depth, and one with a
    slash at the end matches folders only. Case and the Unicode form of accents do not matter.

    With `counts=True` matching files are taken, with False they are left out. The last rule that matches
    decides; a file that no rule matches is taken if the first rule leaves files out, and otherwise left out.
    `parts` is a tuple of the pattern's parts between slashes, in normal form. Raises UsageError for a pattern
    that is not a text, names nothing (as an empty one or `/`) or has the part `..`.
    """

    pattern: str
    """The pattern, such as `lung/**/*.svs`."""
    counts: bool
    """Whether matching files are taken (True) or left out (False)."""
    parts: tuple[str, ...] = field(init=False, repr=False)
    """The pattern's parts between slashes, in normal form; derived from `pattern`."""

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "parts", _parts(self.pattern))

    def fits(self, path: str) -> bool:
        """Return whether the pattern matches a path or a folder above it.

            SelectionRule("old/", counts=False).fits("lung/old/a.svs")  # True

        `path` is relative to the searched folder, with slashes. `counts` makes no difference.
        """
        return _fit(self.parts, _names(path), whole=False)

    def names(self, path: str) -> bool:
        """Return whether the pattern matches a path itself, not only a folder above it.

            SelectionRule("old/", counts=False).names("lung/old/a.svs")  # False

        `path` is relative to the searched folder, with slashes. False for a pattern that ends in a slash, or
        in a wildcard for all names such as `slides/*`.
        """
        return bool(self.parts[-1].strip("*")) and _fit(self.parts, _names(path), whole=True)


def counts(rules: Sequence[SelectionRule], path: str) -> bool:
    """Whether a file counts: the last rule that fits it says so.

    What none fits counts where there are no rules, or where the first one takes something out.
    """
    names = _names(path)
    verdict = not rules or not rules[0].counts
    for rule in rules:
        if _fit(rule.parts, names, whole=False):
            verdict = rule.counts
    return verdict


def may_count_inside(rules: Sequence[SelectionRule], folder: str) -> bool:
    """Whether something in a folder may count, which was not looked into."""
    verdict = not rules or not rules[0].counts
    for rule in rules:
        if reaches(rule, folder) if rule.counts else rule.fits(folder):
            verdict = rule.counts
    return verdict


def reaches(rule: SelectionRule, folder: str) -> bool:
    """Whether a pattern may match something in a folder."""
    return _reach(rule.parts, _names(folder))


def names(rules: Sequence[SelectionRule], path: str) -> bool:
    """Whether the last rule that a file fits takes it in, and names the file itself."""
    fitting = [rule for rule in rules if rule.fits(path)]
    return bool(fitting) and fitting[-1].counts and fitting[-1].names(path)


def is_pattern(text: str) -> bool:
    """Whether a text has a character that stands for others."""
    return not _MAGIC.isdisjoint(text)


def split_pattern(text: str) -> tuple[str, str]:
    """Return the folder that a pattern is searched in, and the rest of it, as a shell would read them."""
    parts = text.split("/")
    first = next(number for number, part in enumerate(parts) if is_pattern(part))
    folder = "/".join(parts[:first])
    return folder or ("/" if text.startswith("/") else "."), "/" + "/".join(parts[first:])


def _parts(pattern: str) -> tuple[str, ...]:
    names = [name for name in _names(pattern) if name not in ("", ".")] if isinstance(pattern, str) else []
    if not names or ".." in names:
        raise UsageError(f"{pattern!r} is no pattern of files; give one such as '*.svs' or 'lung/**'")
    if "/" not in pattern.rstrip("/"):
        names.insert(0, "**")
    if pattern.endswith("/"):
        # What is in a folder; `**` alone would do without one.
        names += ["*", "*"] if set(names) == {"**"} else ["*"]
    return tuple(names)


def _names(path: str) -> list[str]:
    return unicodedata.normalize("NFC", path).casefold().split("/")


def _fit(parts: Sequence[str], names: Sequence[str], *, whole: bool) -> bool:
    """Whether names fit the parts of a pattern; unless as a whole, that is enough of a folder above them."""
    if not parts:
        return not (whole and names)
    if not names:
        return False
    if parts[0] != "**":
        return fnmatchcase(names[0], parts[0]) and _fit(parts[1:], names[1:], whole=whole)
    if len(parts) == 1:
        return True
    return any(_fit(parts[1:], names[start:], whole=whole) for start in range(len(names)))


def _reach(parts: Sequence[str], names: Sequence[str]) -> bool:
    """Whether names, or names below them, may fit the parts of a pattern."""
    if not parts or not names or parts[0] == "**":
        return True
    return fnmatchcase(names[0], parts[0]) and _reach(parts[1:], names[1:])
