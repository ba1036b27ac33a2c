"""The control API of an emulator, for tests, benchmarks and demos.

All endpoints are under `/emulator`, need the bearer token, and count seconds of the emulator's clock.
`process.Emulator` has a method for each; docs/how-to/steer-the-emulator.md shows examples.

- `GET /emulator/clock` returns `now` and `rate`. `POST` takes `rate` (0 stops the clock) and `advance_s`.
- `POST /emulator/runs` takes a list of scripts and returns the ids of their runs. Scripted runs need no
  slides and do no work: their transitions are stored at once, so thousands of them cost nothing. A script is
  an object with `items` (references) and, optionally, `application_version_id`, `custom_metadata`,
  `submitted_by` (the id of another user: listings show the run, too), `after_s` (seconds until the run is
  created; negative: it was created in the past) and `steps`. A step is [seconds after creation, reference or
  null for the run, status]. Statuses are those of the reference contract, and for items also PROCESSING and
  SKIPPED.
- `POST /emulator/moves` takes a list of moves and returns for each whether it was applied.
  `{"run": id, "delete": true}` deletes a run; `{"run": id, "status": status}` sets its status, and with a
  `reference` that of an item. A final status does not change.
- `GET /emulator/conditions` returns what the platform is like: health, quota and the like, the fields of
  `_conditions.py`. `POST` takes an object of those that differ from the defaults.
- `GET /emulator/ledger` returns the transitions: time, run id, reference or null, status.
- `POST /emulator/bucket-key` replaces the HMAC key of the organization's bucket; the old one is refused.
- `POST /emulator/logins` returns the tokens of a new login, without a user.
- `POST /emulator/reset` starts over, with other options if it is given any: see `_host.py`.
- `POST /emulator/faults` and `GET /emulator/requests`: see `_faults.py`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection
from math import inf
from typing import TYPE_CHECKING, Any

from attrs import asdict
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..models import ItemStatus, RunStatus
from .identity._oauth import CLIENT_ID
from .platform._account import USER
from .platform._catalogue import find_version
from .platform._conditions import Conditions
from .platform._stored import SubmittedItem
from .storage._buckets import rotate_hmac_key

if TYPE_CHECKING:
    from starlette.requests import Request

    from .platform._platform import Platform

CONTROL_PATH = "/emulator"


class ControlApi:
    """The endpoints that control the platform."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._history = platform.history
        self._clock = platform.clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        table: list[tuple[str, str, Callable[[Any], object]]] = [
            ("clock", "GET", self._tell_clock),
            ("clock", "POST", self._set_clock),
            ("runs", "POST", self._scripts),
            ("moves", "POST", self._moves),
            ("logins", "POST", self._sign_in),
            ("bucket-key", "POST", lambda _body: rotate_hmac_key(self._platform)),
            ("conditions", "GET", lambda _body: asdict(self._platform.conditions)),
            ("conditions", "POST", self._set_conditions),
            ("ledger", "GET", lambda _body: self._history.ledger(self._clock.now())),
        ]
        return [
            Route(f"{CONTROL_PATH}/{name}", self._endpoint(act), methods=[method])
            for name, method, act in table
        ]

    def move(
        self, *, run: str, reference: str | None = None, status: str | None = None, delete: bool = False
    ) -> bool:
        """Set the status of a run or of one of its items, or delete the run; False if it is final."""
        now = self._clock.now()
        _check_texts("the id of a run", run)
        if delete:
            return self._history.delete_run(run, now)
        if status is None:
            raise ValueError("a move needs a status, or delete")
        _check_status(status, reference)
        if reference is None:
            return self._history.move_run(run, status, now)
        (item,) = self._history.items(run, now, references=[reference])
        return self._history.finish_item(item, status, now)

    def _moves(self, moves: list[dict[str, Any]]) -> list[bool]:
        with self._platform.database.transaction():
            return [self.move(**move) for move in moves]

    def _scripts(self, scripts: list[dict[str, Any]]) -> list[str]:
        with self._platform.database.transaction():
            return [self._script(**script) for script in scripts]

    def _script(
        self,
        *,
        items: list[str],
        application_version_id: str = "test-app:v0.0.2",
        after_s: float = 0.0,
        custom_metadata: dict[str, Any] | None = None,
        submitted_by: str = USER,
        steps: list[tuple[float, str | None, str]] | None = None,
    ) -> str:
        if not isinstance(items, list) or not isinstance(custom_metadata, dict | None):
            raise TypeError("items is a list, and custom_metadata an object")
        _check_texts("a reference, version or user", *items, application_version_id, submitted_by)
        version = find_version(application_version_id)
        if version is None:
            raise ValueError(f"there is no version {application_version_id}")
        strangers = {reference for _, reference, _ in steps or ()} - {None, *items}
        if strangers or len(set(items)) < len(items):
            raise ValueError(f"each item has one reference, and steps know no others; see {strangers}")
        for _, reference, status in steps or ():
            _check_status(status, reference)
        created = self._clock.now() + after_s
        run_id = self._history.add_run(
            version.application_id,
            version.number,
            created,
            [SubmittedItem(reference=reference) for reference in items],
            metadata=custom_metadata,
            scripted=True,
            user=submitted_by,
        )
        self._history.add_script(
            run_id, [(created + seconds, reference, status) for seconds, reference, status in steps or ()]
        )
        return run_id

    def _sign_in(self, _body: None) -> dict[str, Any]:
        return asdict(self._platform.tokens.issue(CLIENT_ID, with_refresh=True))

    def _set_conditions(self, body: dict[str, Any]) -> dict[str, Any]:
        self._platform.conditions = Conditions(**body)
        return asdict(self._platform.conditions)

    def _tell_clock(self, _body: None) -> dict[str, float]:
        return {"now": self._clock.now(), "rate": self._clock.rate}

    def _set_clock(self, body: dict[str, float]) -> dict[str, float]:
        if not all(0 <= value < inf for value in body.values()):
            raise ValueError("a clock does not go back, and takes finite numbers of seconds")
        self._clock.set(**body)
        return self._tell_clock(None)

    def _endpoint(self, act: Callable[[Any], object]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            self._platform.tokens.require_bearer(request)
            try:
                return JSONResponse(act(json.loads(await request.body() or "null")))
            except (
                TypeError,
                ValueError,
                LookupError,
                AttributeError,
                RecursionError,
                OverflowError,
            ) as error:
                return JSONResponse({"detail": f"invalid request: {error}"}, status_code=422)

        return endpoint


def _check_texts(what: str, *values: object) -> None:
    """Raise TypeError for a value of another type."""
    for value in values:
        if not isinstance(value, str):
            raise TypeError(f"{what} is a text, not {value!r}")


def _check_status(status: str, reference: str | None) -> None:
    """Raise ValueError for what is no status of a run, or of an item if there is a reference."""
    known = status_names(reference)
    if status not in known:
        whose = "a run" if reference is None else "an item"
        raise ValueError(f"{status!r} is no status of {whose}; use one of {', '.join(known)}")


def status_names(reference: str | None) -> Collection[str]:
    """Return the names of the statuses of a run, or of an item if there is a reference."""
    return RunStatus.__members__ if reference is None else ItemStatus.__members__
