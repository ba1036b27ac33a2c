"""Confirmation before a command costs money or can't be undone."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from ..errors import UsageError
from ._output import ask
from ._signals import interrupting_at_once, wait_for_line

Yes = Annotated[
    bool, Parameter(name="--yes", negative=(), show_default=False, help="Do not ask for confirmation.")
]


def confirm(consequence: str, *, yes: bool, option: str = "--yes") -> None:
    """Return if `yes` is given or a person agrees on the terminal; else raise UsageError."""
    if yes:
        return
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        raise UsageError(f"{consequence}; pass {option} if you mean it. Nothing was changed")
    with interrupting_at_once():
        ask(f"{consequence}. Continue? [y/N]")
        wait_for_line()
        answer = sys.stdin.readline().strip()
    if answer.lower() not in ("y", "yes"):
        raise UsageError("nothing was changed")
