"""Conversion and checks of arguments that several packages take."""

from __future__ import annotations

from datetime import timedelta


def seconds(value: float | timedelta) -> float:
    """Return a duration in seconds, given as a number of seconds or as a timedelta."""
    return value.total_seconds() if isinstance(value, timedelta) else float(value)
