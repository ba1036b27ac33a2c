"""The state of one emulator, shared by its endpoints."""

from __future__ import annotations

import secrets
import shutil

from ._history import History
from ._lifecycle import Lifecycle
from ._objects import Objects
from ._options import EmulatorOptions
from ._pending_logins import PendingLogins
from ._simulated_clock import SimulatedClock
from ._state_database import StateDatabase
from ._token_registry import TokenRegistry


class Platform:
    """The state of one emulator at one origin."""

    def __init__(self, options: EmulatorOptions, origin: str, database: StateDatabase | None = None) -> None:
        options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.options = options
        self.origin = origin
        scratch = options.data / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)  # left by a killed emulator
        scratch.mkdir(mode=0o700)
        self.database = database or StateDatabase(options.data / "emulator.sqlite3")
        self.clock = SimulatedClock(self.database, options.clock_rate)
        self.history = History(self.database)
        self.objects = Objects(options.data / "objects", self.database, self.clock.now)
        self.tokens = TokenRegistry(
            self.database, options.token_lifetime, options.refresh_overlap, self.clock.now
        )
        self.logins = PendingLogins(options.device_lifetime, options.device_interval, self.clock.now)
        secret = self.database.secret("client secret", secrets.token_urlsafe(32).encode())
        self.client_secret = f"emulator-secret-{secret.decode()}"
        self.lifecycle = Lifecycle(
            options=options,
            origin=origin,
            scratch=scratch,
            clock=self.clock,
            history=self.history,
            objects=self.objects,
        )

    def signed(self, method: str, key: str) -> str:
        """Return a signed URL of one object, as results carry it."""
        return self.origin + self.objects.sign(method, key, self.options.url_lifetime)
