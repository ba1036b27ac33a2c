"""The options of an emulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import field, frozen

from ..contracts._lines import NEWEST, line_of
from ..errors import ConfigurationError


def _positive(_instance: object, attribute: Any, value: float) -> None:
    if not value > 0:
        raise ConfigurationError(f"--{_option(attribute.name)} must be more than 0, not {value}")


def _not_negative(_instance: object, attribute: Any, value: float) -> None:
    if not value >= 0:
        raise ConfigurationError(f"--{_option(attribute.name)} must be 0 or more, not {value}")


def _option(name: str) -> str:
    return name.replace("_", "-")


@frozen(kw_only=True)
class EmulatorOptions:
    """The behavior of an emulator. Durations are in seconds."""

    data: Path
    """The folder of its state. A later emulator on the same folder resumes there."""
    speed: float = field(default=1.0, validator=_positive)
    """Divides the durations of a run's lifecycle; nothing else."""
    clock_rate: float = field(default=1.0, validator=_not_negative)
    """Seconds of the emulator's clock per second: for runs, tokens, signed URLs and the Date header."""
    token_lifetime: float = field(default=24 * 3600, validator=_not_negative)
    """The lifetime of an access token."""
    refresh_overlap: float = field(default=0, validator=_not_negative)
    """How long a used refresh token works again, for a program that lost the answer."""
    device_lifetime: float = field(default=600, validator=_not_negative)
    """The lifetime of a device code."""
    device_interval: float = field(default=5, validator=_not_negative)
    """The polling interval of a device login."""
    url_lifetime: float = field(default=3600, validator=_not_negative)
    """The lifetime of the download URLs of results."""
    remote_inputs: bool = False
    """Whether inputs may come from other machines."""
    failed_items_threshold: int = field(default=50, validator=_positive)
    """A run is cancelled once this many of its items failed."""
    violations: Path | None = None
    """A file to which violations of the contract by API answers are appended, one JSON object a line."""
    allowed_hosts: tuple[str, ...] = ()
    """Names that a Host header may have besides `localhost`, IP addresses and the name listened on."""
    contract: str = field(default=NEWEST, converter=line_of)
    """The contract that the printed commands and the fixtures use. All are always served."""
