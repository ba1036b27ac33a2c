"""The command line: `aignostics-async`. Needs the `cli` extra.

It stands on the public API, like a program of a user. A module per group of commands:

- `_login`, `_doctor`, `_applications`, `_slides`, `_submit`, `_emulator`, `_contract`
- `runs`, `bulk`: packages of their own

and what they share:

- `_app`: the root, signals and exit statuses
- `_output`: the only module that writes to a terminal or a pipe
- `_options`, `_confirm`, `_signals`, `_failures`, `_progress`
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line with the arguments of the process, and exit with its status.

    The entry point of `aignostics-async`. Always raises SystemExit: with the status that
    docs/command-line.md lists for the outcome, and with 2 if the `cli` extra is not installed.
    """
    _open_closed_streams()
    try:
        from ._app import run
    except ModuleNotFoundError as error:
        if error.name not in ("cyclopts", "rich"):
            raise
        from ..errors import MissingExtra

        # That of the emulator brings this one.
        extra = "emulator" if sys.argv[1:2] == ["emulator"] else "cli"
        print(f"error: {MissingExtra('the command line', extra=extra)}", file=sys.stderr)
        sys.exit(2)
    sys.exit(run(sys.argv[1:]))


def _open_closed_streams() -> None:
    """Connect closed standard streams to the null device.

    Python sets them to None, and the next file that is opened would take their descriptor.
    """
    for descriptor, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != descriptor:
                os.dup2(null, descriptor)
            setattr(sys, name, os.fdopen(descriptor, mode, encoding="utf-8"))
