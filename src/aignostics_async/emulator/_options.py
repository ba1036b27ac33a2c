"""The options of an emulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import field, frozen

from ..errors import ConfigurationError


def _positive(_instance: object, attribute: Any, value: float) -> None:
    if not value > 0:
        raise ConfigurationError(f"{attribute.name} must be more than 0, not {value}")


def _not_negative(_instance: object, attribute: Any, value: float) -> None:
    if not value >= 0:
        raise ConfigurationError(f"{attribute.name} must not be less than 0, as {value} is")


@frozen(kw_only=True)
class EmulatorOptions:
    """How an emulator behaves. Durations are in seconds."""

    data: Path
    """The folder of its state; it goes on where the last one on the same folder ended."""
    speed: float = field(default=1.0, validator=_positive)
    """Scales the life of a run, and nothing else."""
    clock_rate: float = field(default=1.0, validator=_not_negative)
    """So many seconds pass here in one: for runs, tokens, signed URLs and the Date header alike."""
    token_lifetime: float = 24 * 3600
    refresh_overlap: float = 0
    """How long a refresh token may be used again, for a program that lost the answer to its use."""
    device_lifetime: float = 600
    """Of the code of a login on another device."""
    device_interval: float = 5
    """Between two questions of a program that waits for such a login."""
    url_lifetime: float = 3600
    """Of the download URLs of results."""
    remote_inputs: bool = False
    """Whether inputs may come from other machines than this one."""
    failed_items_threshold: int = 50
    """So many failed items, and the run is given up."""
    violations: Path | None = None
    """Compare every answer of the API with the contract, and tell in this file what does not fit."""
