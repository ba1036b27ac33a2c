"""What the parts of the emulator share."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Any

from attrs import field, frozen

from ..errors import ConfigurationError
from ._clock import Clock
from ._database import Database
from ._history import History
from ._lifecycle import Lifecycle
from ._objects import Objects
from ._pending_logins import Logins
from ._tokens import Tokens


def _positive(_instance: object, attribute: Any, value: float) -> None:
    if not value > 0:
        raise ConfigurationError(f"{attribute.name} must be more than 0, not {value}")


def _not_negative(_instance: object, attribute: Any, value: float) -> None:
    if not value >= 0:
        raise ConfigurationError(f"{attribute.name} must not be less than 0, as {value} is")


@frozen(kw_only=True)
class Options:
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
    misfits: Path | None = None
    """Compare every answer of the API with the contract, and tell in this file what does not fit."""


class Platform:
    """The state of one emulator."""

    def __init__(self, options: Options) -> None:
        options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.options = options
        self.origin = ""  # known once the port is
        self.scratch = options.data / "scratch"
        shutil.rmtree(self.scratch, ignore_errors=True)  # what a killed emulator left
        self.scratch.mkdir(mode=0o700)
        self.database = Database(options.data / "emulator.sqlite3")
        self.clock = Clock(self.database, options.clock_rate)
        self.history = History(self.database)
        self.objects = Objects(options.data / "objects", self.database, self.clock.now)
        self.tokens = Tokens(self.database, options.token_lifetime, options.refresh_overlap, self.clock.now)
        self.logins = Logins(options.device_lifetime, options.device_interval, self.clock.now)
        secret = self.database.secret("client secret", secrets.token_urlsafe(32).encode())
        self.client_secret = f"emulator-secret-{secret.decode()}"
        self.lifecycle = Lifecycle(self)

    def signed(self, method: str, key: str) -> str:
        """Return a signed URL for one object, as the results carry it."""
        return self.origin + self.objects.sign(method, key, self.options.url_lifetime)
