"""Asking before what costs money or can't be undone."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from ..errors import UsageError
from ._signals import interrupting_at_once

Yes = Annotated[bool, Parameter(name="--yes", negative=(), help="That you mean it; a script is not asked.")]


def confirm(what: str, *, yes: bool, option: str = "--yes") -> None:
    """Return if a person agrees, or an option has said so; else raise UsageError, and nothing is changed."""
    if yes:
        return
    if not sys.stdin.isatty() or not sys.stderr.isatty():
        raise UsageError(f"{what}; pass {option} if you mean it. Nothing was changed")
    with interrupting_at_once():
        print(f"{what}. Go on? [y/N] ", end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
    if answer.strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was changed")
