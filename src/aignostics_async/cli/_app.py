"""The root of the command line, and its exit statuses.

0   done
1   failed
2   used wrongly: an argument, a setting, or a job folder that does not allow it
3   finished, but the run, some items or some files failed; or nothing was found
4   whether a run was created is unknown, or a person has to decide about one
5   sign in first
6   a plan or the setup has faults
7   the platform has no such application, version or run
8   the organization's quota is used up
75  a bulk job has not finished and can be resumed
129, 130 and 143: interrupted by SIGHUP, SIGINT and SIGTERM
"""

from __future__ import annotations

import io
import os
import sys
from functools import cache, partial
from typing import Annotated

from cyclopts import App, CycloptsError, Group, Parameter

from .. import __version__
from ..errors import AignosticsError, UsageError
from ._failures import FAILED, USAGE, exit_status, show_error
from ._log_lines import shown_log_lines
from ._output import be_quiet, discard
from ._signals import run_interruptible

_ACCOUNT = Group("Signing in", sort_key=1)
_RUNS = Group("Running slides", sort_key=2)
_DEVELOPMENT = Group("Development", sort_key=3)
_HELP = Group("Help and completion", sort_key=4)
_EVERYWHERE = Group("Every command", sort_key=9)
_NARROWEST = 10  # columns

app = App(
    name="aignostics-async",
    help="Slides in, verified results out: an unofficial client for the Aignostics Platform.\n\n"
    "Example: `aignostics-async submit he-tme:v1.1.0 slides/ --store platform --download results/`",
    version=__version__,
    group_parameters=Group("Options", sort_key=8),
)
# By name: a command loads only what it needs.
_COMMANDS = {
    "_login:login": _ACCOUNT,
    "_login:whoami": _ACCOUNT,
    "_login:token": _ACCOUNT,
    "_login:logout": _ACCOUNT,
    "_doctor:doctor": _RUNS,
    "_applications:applications": _RUNS,
    "_applications:documents": _RUNS,
    "_slides:app": _RUNS,
    "_submit:submit": _RUNS,
    "runs:app": _RUNS,
    "bulk:app": _RUNS,
    "_emulator:emulator": _DEVELOPMENT,
    "_contract:app": _DEVELOPMENT,
}
for _place, (_command, _group) in enumerate(_COMMANDS.items()):
    _module, _, _name = _command.partition(":")
    _named = _module.removeprefix("_") if _name == "app" else _name
    app.command(f"{__package__}.{_command}", name=_named, group=_group, sort_key=_place)

app.register_install_completion_command(help="Install completion for the shell that this is called from.")
for _flag in ("--help", "--version", "--install-completion"):
    app[_flag].group = (_HELP,)


def _option(short: str, help_text: str) -> Parameter:
    return Parameter(alias=short, negative=(), show_default=False, group=_EVERYWHERE, help=help_text)


def run(arguments: list[str]) -> int:
    """Run one command and return its exit status. Errors of the package become one line on standard error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A reference that the terminal's encoding lacks must not end the command.
            stream.reconfigure(errors="backslashreplace")
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) < _NARROWEST:
        del os.environ["COLUMNS"]  # 0 is a width that is not known, and rich wraps to 1 for ever
    try:
        _load_for_help(arguments)
        status = run_interruptible(partial(_run, arguments))
        sys.stdout.flush()
    except (CycloptsError, AignosticsError) as error:
        status = exit_status(error) if isinstance(error, AignosticsError) else USAGE
        _tell(error, status, arguments)
    except BrokenPipeError:
        discard(sys.stdout)
        discard(sys.stderr)
        return FAILED
    except OSError as error:
        discard(sys.stdout)
        status = FAILED
        _tell(error, status, arguments)
    return status


def _tell(error: Exception, status: int, arguments: list[str]) -> None:
    try:
        show_error(error, status, as_json="--json" in arguments)
    except OSError:
        discard(sys.stderr)


def _load_for_help(arguments: list[str]) -> None:
    """Load every command if help will be shown."""
    if arguments[-1:] in ([], ["bulk"]) or any(flag in arguments for flag in ("--help", "-h")):
        _load_all()


@cache
def _load_all() -> None:
    from ._usage import name_arguments

    name_arguments(app)


async def _run(arguments: list[str]) -> int:
    result = await app.meta.run_async(
        arguments, exit_on_error=False, print_error=False, result_action="return_value"
    )
    return result if isinstance(result, int) else 0


@app.meta.default
async def _with_options_of_all(
    *arguments: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    verbose: Annotated[bool, _option("-v", "Show every line of the log, and each request.")] = False,
    quiet: Annotated[bool, _option("-q", "Show results and errors alone: no progress, no warnings.")] = False,
) -> object:
    """Run a command with the options that every command has."""
    if verbose and quiet:
        raise UsageError("--verbose and --quiet exclude each other; give one of them")
    if quiet:
        be_quiet()
    with shown_log_lines(verbose=verbose, quiet=quiet):
        return await app.run_async(
            arguments, exit_on_error=False, print_error=False, result_action="return_value"
        )
