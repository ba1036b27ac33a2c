"""The loggers of the package."""

from __future__ import annotations

import logging

from ._display_text import visible_lines


class _VisibleText(logging.Filter):
    """Rewrites records whose text would steer a terminal or forge a line of a log."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        safe = visible_lines(text)
        if safe != text:
            record.msg, record.args = safe, None
        return True


def get_logger(name: str) -> logging.Logger:
    """Return a logger that makes texts from elsewhere harmless, whichever handler writes them."""
    logger = logging.getLogger(name)
    if not any(isinstance(each, _VisibleText) for each in logger.filters):
        logger.addFilter(_VisibleText())
    return logger
