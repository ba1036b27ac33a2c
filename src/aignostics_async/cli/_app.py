"""The root of the command line, and what its exit statuses mean.

0 done; 1 failed; 2 used wrongly; 3 finished, but some items or files failed; 4 whether a run was created
is unknown; 5 sign in first; 130 interrupted.
"""

from __future__ import annotations

import asyncio
import sys

from cyclopts import App, CycloptsError

from .._errors import (
    AignosticsError,
    AuthenticationError,
    ConfigurationError,
    SubmissionUnknown,
    Unauthorized,
    UsageError,
)
from .._version import __version__
from . import _applications, _emulator, _runs, _submit

app = App(
    name="aignostics-async",
    help="Slides in, verified results out: an unofficial client for the Aignostics Platform.",
    version=__version__,
)
app.command(_applications.applications)
app.command(_runs.app)
app.command(_submit.submit)
app.command(_emulator.emulator)

_STATUS: tuple[tuple[type[AignosticsError], int], ...] = (
    (ConfigurationError, 2),
    (UsageError, 2),
    (SubmissionUnknown, 4),
    (AuthenticationError, 5),
    (Unauthorized, 5),
)


def run(arguments: list[str]) -> int:
    """Run one command and return its exit status; errors of ours are one text on standard error."""
    try:
        status = asyncio.run(_dispatch(arguments))
    except CycloptsError:
        return 2
    except AignosticsError as error:
        print(f"error: {error}", file=sys.stderr)
        return next((status for kind, status in _STATUS if isinstance(error, kind)), 1)
    except KeyboardInterrupt:
        return 130
    return status


async def _dispatch(arguments: list[str]) -> int:
    result = await app.run_async(arguments, exit_on_error=False, result_action="return_value")
    return result if isinstance(result, int) else 0
