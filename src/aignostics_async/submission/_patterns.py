"""Regular expressions that somebody else wrote, evaluated in bounded time.

`re` takes exponential time for some patterns and holds the interpreter meanwhile, so a thread is no help. A
pattern that is cheap by its form is evaluated here; any other in a process that can be killed.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import defaultdict
from functools import cache

_SECONDS = 2.0  # for one text
_MAX_SECONDS = 20.0  # for all texts of one pattern
_MAX_STEPS = 1e7  # of `re`, some 0.2 s
_PROGRAM = """
import json, re, sys
for line in sys.stdin:
    pattern, text = json.loads(line)
    print(int(re.search(pattern, text) is not None), flush=True)
"""
_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_GROUP = re.compile(r"\((?:\?(?::|P<\w+>|<?[=!]))?([^()]*)\)([*+?]|\{\d*,?\d*\})?")
_QUANTIFIER = re.compile(r"[*+?]|\{(\d*)(,?)(\d*)\}")


class PatternTooSlow(Exception):
    """A pattern takes longer than it may."""


class _Evaluator:
    """A process that evaluates patterns, one at a time, and is killed when it takes too long."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._spent: defaultdict[str, float] = defaultdict(float)  # seconds, of each pattern

    def matches(self, pattern: str, text: str) -> bool:
        """Return whether a pattern is found in a text; raises PatternTooSlow."""
        with self._turn:
            if self._spent[pattern] >= _MAX_SECONDS:
                raise PatternTooSlow
            began = time.monotonic()
            answer = self._ask(json.dumps([pattern, text]))
            self._spent[pattern] += time.monotonic() - began
            if answer not in ("0", "1"):
                self.close()
                self._spent[pattern] = _MAX_SECONDS
                raise PatternTooSlow
            return answer == "1"

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            with process:  # closes its pipes and waits for it
                process.kill()

    def _ask(self, question: str) -> str:
        """Return the answer, or an empty text if the process did not answer in time."""
        try:
            process = self._process = self._process or _start()
        except OSError:
            return ""
        impatience = threading.Timer(_SECONDS, process.kill)
        impatience.daemon = True
        impatience.start()
        try:
            if process.stdin is None or process.stdout is None:
                return ""
            process.stdin.write(f"{question}\n")
            process.stdin.flush()
            return process.stdout.readline().strip()
        except OSError:
            return ""
        finally:
            impatience.cancel()


def _start() -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - this interpreter, and a program of this module
        [sys.executable, "-I", "-S", "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@cache
def _evaluator(_process_id: int) -> _Evaluator:
    evaluator = _Evaluator()
    atexit.register(evaluator.close)
    return evaluator


def matches(pattern: str, text: str) -> bool:
    """Return whether a pattern is found in a text.

    Raises PatternTooSlow after two seconds, or when a pattern has taken twenty for several texts, and
    re.error for a pattern that is none. Blocks, so it belongs into a thread.
    """
    re.compile(pattern)
    if is_cheap(pattern, len(text)):
        return re.search(pattern, text) is not None
    # Of this process: a forked one must not share the pipes of its parent.
    return _evaluator(os.getpid()).matches(pattern, text)


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
