"""Regular expressions that somebody else wrote, evaluated in bounded time.

`re` takes exponential time for some patterns and holds the interpreter meanwhile, so a thread is no help. A
pattern that is cheap by its form is evaluated here; any other in a process that can be killed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from functools import lru_cache

_SECONDS = 2.0
_MAX_STEPS = 1e7  # of `re`, some 0.2 s
_FOUND, _NOT_FOUND = 10, 11  # exit statuses that no failure has
_PROGRAM = (
    "import json, re, sys; pattern, text = json.load(sys.stdin); "
    f"sys.exit({_FOUND} if re.search(pattern, text) else {_NOT_FOUND})"
)
_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_GROUP = re.compile(r"\((?:\?(?::|P<\w+>|<?[=!]))?([^()]*)\)([*+?]|\{\d*,?\d*\})?")
_QUANTIFIER = re.compile(r"[*+?]|\{(\d*)(,?)(\d*)\}")

_too_slow: set[str] = set()


class PatternTooSlow(Exception):
    """A pattern takes longer than it may."""


def matches(pattern: str, text: str) -> bool:
    """Return whether a pattern is found in a text.

    Raises PatternTooSlow after two seconds, and at once for a pattern that was too slow before; re.error for
    a pattern that is none.
    """
    re.compile(pattern)
    if is_cheap(pattern, len(text)):
        return re.search(pattern, text) is not None
    if pattern in _too_slow:
        raise PatternTooSlow
    return _matches_in_process(pattern, text)


@lru_cache(maxsize=4096)
def _matches_in_process(pattern: str, text: str) -> bool:
    try:
        done = subprocess.run(  # noqa: S603 - this interpreter, and a program of this module
            [sys.executable, "-I", "-S", "-c", _PROGRAM],
            input=json.dumps([pattern, text]).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (subprocess.TimeoutExpired, OSError):
        _too_slow.add(pattern)
        raise PatternTooSlow from None
    if done.returncode not in (_FOUND, _NOT_FOUND):
        raise PatternTooSlow
    return done.returncode == _FOUND


def is_cheap(pattern: str, length: int) -> bool:
    """Whether a pattern takes a fraction of a second at most for texts of this length, by its form."""
    return estimated_steps(pattern, length) <= _MAX_STEPS


def estimated_steps(pattern: str, length: int) -> float:
    """Return an upper bound for the steps that `re` takes for a pattern and a text of a length. Pure.

    Infinite where a group with alternatives or quantifiers inside is itself repeated: such a pattern may try
    every way to divide the text.
    """
    plain = _ATOM.sub("x", pattern)
    steps = float(length + 1)
    while (found := _GROUP.search(plain)) is not None:
        content, quantifier = found[1], found[2] or ""
        if quantifier and (re.search(r"[*+?|]|\{\d", content)):
            return float("inf")
        # What is not repeated stays for its quantifiers to be counted.
        plain = f"{plain[: found.start()]}{'x' if quantifier else content}{quantifier}{plain[found.end() :]}"
    for each in _QUANTIFIER.finditer(plain):
        steps *= _repetitions(each, length)
    return steps * (plain.count("|") + 1)


def _repetitions(quantifier: re.Match[str], length: int) -> int:
    """Return in how many ways a quantifier may match."""
    if quantifier[0] == "?":
        return 2
    least, comma, most = quantifier[1] or "", quantifier[2] or "", quantifier[3] or ""
    if quantifier[0] in "*+" or (comma and not most):
        return length + 1
    return int(most) - int(least or 0) + 1 if comma else 1
