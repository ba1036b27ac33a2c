"""The options of an emulator."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import Any

from attrs import field, frozen
from attrs.converters import optional

from ..contracts._lines import NEWEST, line_of
from ..errors import ConfigurationError


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _positive(_instance: object, attribute: Any, value: float) -> None:
    if not (_is_number(value) and value > 0):
        raise ConfigurationError(f"--{_option(attribute.name)} must be more than 0, not {value!r}")


def _not_negative(_instance: object, attribute: Any, value: float) -> None:
    if not (_is_number(value) and 0 <= value < inf):
        raise ConfigurationError(f"--{_option(attribute.name)} must be 0 or more and finite, not {value!r}")


def _at_least_one(_instance: object, attribute: Any, value: int) -> None:
    if not (_is_number(value) and isinstance(value, int) and value >= 1):
        raise ConfigurationError(f"--{_option(attribute.name)} must be at least 1 and whole, not {value!r}")


def _yes_or_no(_instance: object, attribute: Any, value: object) -> None:
    if not isinstance(value, bool):
        raise ConfigurationError(f"--{_option(attribute.name)} is True or False, not {value!r}")


def _texts(_instance: object, attribute: Any, value: tuple[str, ...]) -> None:
    if not isinstance(value, tuple) or not all(isinstance(each, str) for each in value):
        raise ConfigurationError(f"{attribute.name} takes a tuple of texts, not {value!r}")


def _option(name: str) -> str:
    return name.replace("_", "-")


@frozen(kw_only=True)
class EmulatorOptions:
    """The options of an emulator, as `serve` takes them.

        await serve(EmulatorOptions(data=Path("emulator-data"), speed=100))

    Durations are in seconds of the emulator's clock. By default a run takes about 4 s and 2 s for each item,
    an access token is valid for a day, and a result's URL for an hour. Raises ConfigurationError for a value
    of another kind or out of range, and for an unknown contract.
    """

    data: Path = field(converter=Path)
    """The folder of its state, created if it is missing. A later emulator on the folder resumes there."""
    speed: float = field(default=1.0, validator=_positive)
    """The number by which the durations of a run's lifecycle are divided; 1 by default. It changes nothing
    else.
    """
    clock_rate: float = field(default=1.0, validator=_not_negative)
    """Seconds of the emulator's clock per second, 1 by default; 0 stops it. Runs, tokens, signed URLs and the
    Date header use that clock.
    """
    token_lifetime: float = field(default=24 * 3600, validator=_not_negative)
    """The lifetime of an access token; a day by default."""
    refresh_overlap: float = field(default=0, validator=_not_negative)
    """How long a used refresh token works again, for a program that lost the response; 0 by default."""
    device_lifetime: float = field(default=600, validator=_not_negative)
    """The lifetime of a device code; 600 by default."""
    device_interval: float = field(default=5, validator=_not_negative)
    """The polling interval of a device login; 5 by default."""
    url_lifetime: float = field(default=3600, validator=_not_negative)
    """The lifetime of the download URLs of results; 3600 by default."""
    remote_inputs: bool = field(default=False, validator=_yes_or_no)
    """Whether inputs are fetched from other machines, too; False by default."""
    failed_items_threshold: int = field(default=50, validator=_at_least_one)
    """The number of failed items after which a run is cancelled; 50 by default."""
    violations: Path | None = field(default=None, converter=optional(Path))
    """A file to which violations of the contract by API responses are appended, one JSON object per line;
    None, the default, checks nothing.
    """
    allowed_hosts: tuple[str, ...] = field(default=(), validator=_texts)
    """Names that a Host header may have besides `localhost`, IP addresses and the name listened on; none by
    default.
    """
    contract: str = field(default=NEWEST, converter=line_of)
    """The contract that the printed commands and the fixtures use, `"1.0"` or `"1.8"`; 1.8 by default. Both
    are always served.
    """
