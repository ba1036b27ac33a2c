"""The state of one emulator, shared by its endpoints."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Sequence
from typing import Any

from attrs import evolve

from .._options import EmulatorOptions
from ._access import Access
from ._catalogue import OfferedVersion
from ._conditions import Conditions
from ._history import History
from ._lifecycle import Lifecycle
from ._objects import Objects
from ._pending_logins import PendingLogins
from ._simulated_clock import SimulatedClock
from ._state_database import StateDatabase
from ._stored import UNSCHEDULED, Scheduling, SubmittedItem
from ._token_registry import TokenRegistry


class QuotaReached(Exception):
    """The run has more items than the quota leaves."""


class Platform:
    """The state of one emulator at one origin."""

    def __init__(self, options: EmulatorOptions, origin: str, database: StateDatabase | None = None) -> None:
        options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.options = options
        self.origin = origin
        self.scratch = scratch = options.data / "scratch"
        shutil.rmtree(scratch, ignore_errors=True)  # left by a killed emulator
        scratch.mkdir(mode=0o700)
        self.database = database or StateDatabase(options.data / "emulator.sqlite3")
        self.clock = SimulatedClock(self.database, options.clock_rate)
        self.history = History(self.database)
        self.access = Access(self.database)
        self.conditions = Conditions()
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

    def signed(self, method: str, key: str, *, file_name: str | None = None) -> str:
        """Return a signed URL of one object, as results carry it; with a file name, browsers save it so."""
        return self.origin + self.objects.sign(method, key, self.options.url_lifetime, file_name=file_name)

    def submit(
        self,
        version: OfferedVersion,
        items: Sequence[SubmittedItem],
        *,
        metadata: dict[str, Any] | None = None,
        scheduling: Scheduling = UNSCHEDULED,
    ) -> str:
        """Store a run, start it, and return its id. Raises QuotaReached for one above the quota."""
        left = self.conditions.remaining_slides
        if left is not None:
            if len(items) > left:
                raise QuotaReached(f"The run would exceed the quota of slides: {left} are left")
            self.conditions = evolve(self.conditions, remaining_slides=left - len(items))
        run_id = self.history.add_run(
            version.application_id,
            version.number,
            self.clock.now(),
            items,
            metadata=metadata,
            scheduling=scheduling,
        )
        self.lifecycle.start(run_id)
        return run_id

    def delete_results(self, run_id: str) -> None:
        """Delete the results of a run, by its user."""
        for key in self.history.delete_results(run_id, self.clock.now()):
            self.objects.delete(key)
