"""The root of the command line, and what its exit statuses mean.

0 done; 1 failed; 2 used wrongly; 3 finished, but the run, some items or some files failed; 4 whether a run
was created is unknown, or somebody has to decide about one; 5 sign in first; 6 a plan would fail; 75 a bulk
job is not at its end and can be resumed; 130 and 143 interrupted by SIGINT and SIGTERM.
"""

from __future__ import annotations

import asyncio
import io
import signal
import sys

from cyclopts import App, CycloptsError

from .._version import __version__
from ..errors import AignosticsError
from ._common import mute
from ._status import exit_status

app = App(
    name="aignostics-async",
    help="Slides in, verified results out: an unofficial client for the Aignostics Platform.",
    version=__version__,
)
# By name: a command loads what it needs, and not what the others do.
for _command in ("login", "logout", "whoami", "token"):
    app.command(f"{__package__}._login:{_command}")
app.command(f"{__package__}._applications:applications")
app.command(f"{__package__}._runs:app", name="runs")
app.command(f"{__package__}._submit:submit")
app.command(f"{__package__}._bulk:app", name="bulk")
app.command(f"{__package__}._emulator:emulator")


def run(arguments: list[str]) -> int:
    """Run one command and return its exit status; errors of ours are one text on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A reference that the terminal's encoding lacks must not end the command.
            stream.reconfigure(errors="backslashreplace")
    try:
        _load_for_help(arguments)
        status = _interruptible(arguments)
        sys.stdout.flush()
    except CycloptsError:
        return 2
    except AignosticsError as error:
        print(f"error: {error}", file=sys.stderr)
        return exit_status(error)
    except BrokenPipeError:
        mute()
        return 1
    except OSError as error:
        mute()
        print(f"error: {error}", file=sys.stderr)
        return 1
    return status


def _load_for_help(arguments: list[str]) -> None:
    """Load every command if help will be shown, which tells what each of them does."""
    if arguments[-1:] in ([], ["bulk"]) or any(flag in arguments for flag in ("--help", "-h")):
        for each in (app, app["bulk"]):
            each.resolved_commands()


def _interruptible(arguments: list[str]) -> int:
    """Run a command; SIGTERM ends it as orderly as Ctrl-C does."""
    interrupted: list[int] = []

    async def main() -> int:
        task = asyncio.current_task()

        def stop() -> None:
            interrupted.append(signal.SIGTERM)
            if task is not None:
                task.cancel()

        if sys.platform != "win32":
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
        result = await app.run_async(arguments, exit_on_error=False, result_action="return_value")
        return result if isinstance(result, int) else 0

    try:
        return asyncio.run(main())
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except asyncio.CancelledError:
        if not interrupted:
            raise
        return 128 + signal.SIGTERM
