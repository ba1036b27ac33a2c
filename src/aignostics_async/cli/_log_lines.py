"""The log of the package on standard error: warnings, and with --verbose every line and request."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ._output import err

_PACKAGE, _REQUESTS = "aignostics_async", "httpx"


@contextmanager
def shown_log_lines(*, verbose: bool, quiet: bool) -> Iterator[None]:
    """Show log lines while the block runs: errors if `quiet`, everything if `verbose`, else warnings."""
    levels = {_PACKAGE: logging.ERROR if quiet else logging.DEBUG if verbose else logging.WARNING}
    if verbose:
        levels[_REQUESTS] = logging.INFO
    loggers = {logging.getLogger(name): level for name, level in levels.items()}
    before = {logger: logger.level for logger in loggers}
    handler = _StandardError()
    formatter = logging.Formatter(_FORMAT if verbose else "%(levelname)s: %(message)s", "%H:%M:%SZ")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    for logger, level in loggers.items():
        logger.addHandler(handler)
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, level in before.items():
            logger.removeHandler(handler)
            logger.setLevel(level)


_FORMAT = "%(asctime)s %(levelname)s: %(message)s"


class _StandardError(logging.Handler):
    """Prints above the progress bars, which stand in for `sys.stderr` while they are shown."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(OSError, ValueError):  # nobody reads it
            err(self.format(record).replace(record.levelname, record.levelname.lower(), 1))
