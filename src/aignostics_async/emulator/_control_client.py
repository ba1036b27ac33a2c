"""The control API as methods: what tests and demos ask of an emulator in another process."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from ..errors import UsageError

_REFUSED = 422


class ControlClient:
    """The methods of `Emulator` that send it a request.

    Each costs one request, and raises the errors that `Emulator` names. Arguments are sent as JSON.
    """

    def __init__(self) -> None:
        self._info: dict[str, Any] | None = None
        """The content of the ready file; None while the emulator is not running."""

    def reset(self, **options: object) -> None:
        """Delete runs, objects, logins, fault rules and both logs, and set the clock to the current time.

            emulator.reset(token_lifetime=5)

        The logs are those that `requests` and `ledger` return. Keyword arguments are fields of
        `EmulatorOptions` other than `data` and `allowed_hosts`, as JSON values; they replace the options of
        the constructor until the next reset. The conditions of `set_conditions` and the rate of `set_clock`
        end. Address, access token and keys are kept; `refresh_token` is a new one. Raises UsageError for an
        unknown option or an invalid value, and then changes nothing; and the errors that `Emulator` names.
        """
        self._info = self._control("POST", "reset", options)

    def sign_in(self) -> str:
        """Create a login without a person, and return its refresh token.

            provider = IdentityProvider.beside(emulator.token_url, client_id=emulator.client_id)
            source = RefreshToken(emulator.sign_in(), provider=provider)

        It is valid for one use, and if the option `refresh_overlap` is set, also for that many seconds after
        it, while the refresh token that it gave is unused. Raises the errors that `Emulator` names.
        """
        token: str = self._control("POST", "logins")["refresh_token"]
        return token

    def rotate_bucket_key(self) -> None:
        """Replace the HMAC key of the organization's bucket; the old key and its URLs are refused then.

            emulator.rotate_bucket_key()

        A bucket of `gcs(hmac=True)` has the same key. A reset keeps it. Raises the errors that `Emulator`
        names.
        """
        self._control("POST", "bucket-key")

    def set_faults(self, *rules: dict[str, Any]) -> None:
        """Replace the fault rules and clear the request log; without arguments there are no rules.

            emulator.set_faults({"operation": "create_run", "times": 1, "drop": "after"})

        The first rule that matches a request applies. These conditions are optional:

        - `operation`, its name under every contract that has it, such as `create_run`; `contract`; and
          `method`;
        - `path`, a regular expression for the whole path, with or without the contract's root;
        - `query`, a mapping from parameters to the values that they must have;
        - `skip`, the number of matching requests that pass first (0 by default), and `times`, how often the
          rule applies (always by default).

        These are the actions, of which the first one that is set is taken:

        - `answer`, the name of a prepared response, or `status`, with optional `headers` (texts by name) and
          `body` (a text, or a value that is sent as JSON; none by default): respond with that;
        - `drop`: `"before"` closes the connection and does nothing, `"after"` does the work and sends no
          response;
        - `late_s`: close the connection, and do the work that many seconds of the emulator's clock later.

        These come in addition, or alone:

        - `lag_s`: respond to a read as a replica that is that many seconds behind, 0 by default;
        - `delay_s`: wait that many seconds of real time first, 0 by default;
        - `then`: moves, as for `move`, that are applied after the response.

        Raises UsageError for an invalid rule, and then keeps the earlier ones; and the errors that `Emulator`
        names.
        """
        self._control("POST", "faults", rules)

    def set_conditions(self, **conditions: object) -> None:
        """Set the conditions of the platform; those that are not passed return to their defaults.

            emulator.set_conditions(health="DEGRADED", remaining_slides=10)

        - `health` is what the platform reports: UP (the default), DEGRADED or DOWN.
        - `remaining_slides` is a quota of items, which each run reduces: a run of more is refused with 402.
          None, the default, is no quota.

        The others are about contract 1.8:

        - `empty_runs`, the response for a page of runs without entries: `"page"` (the default) or `"404"`;
        - `lists_urls`, whether items have the deprecated download URLs; True by default;
        - `artifact_file`, how an artifact is sent: as a `"redirect"` (the default) or as its bytes, `"body"`;
        - `filters_metadata`, whether listings of runs are filtered by custom metadata; True by default;
        - `metadata_late_s`, how many seconds of the emulator's clock later than a run its custom metadata are
          shown; 0 by default.

        Raises UsageError for an unknown condition or value, and then changes nothing; and the errors that
        `Emulator` names.
        """
        self._control("POST", "conditions", conditions)

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests since the last `set_faults` or reset, the latest 10,000, in order of arrival.

            [request["path"] for request in emulator.requests() if request["method"] == "POST"]

        Each is a mapping with `contract` and `operation` (None where the API has none), `method`, `path`,
        `query` (a text), `authorized` (whether it had an Authorization header), `body_size` (its
        Content-Length in bytes, 0 without one), `at`, `status` (None if no response was sent) and
        `answered_at` (None until then). Times are seconds since the epoch, by the emulator's clock. Requests
        to the control API, such as this one, are not among them. Raises the errors that `Emulator` names.
        """
        listed: list[dict[str, Any]] = self._control("GET", "requests")
        return listed

    def script(self, *scripts: dict[str, Any]) -> list[str]:
        """Create runs with scripted transitions, and return their ids; they need no slides.

            script = {"items": ["a"], "steps": [[5, "a", "SUCCEEDED"], [6, None, "COMPLETED"]]}
            (run_id,) = emulator.script(script)

        A script is an object with `items` (references) and optionally `application_version_id` (by default
        `test-app:v0.0.2`), `custom_metadata` (a JSON object, none by default), `submitted_by` (the id of
        another user, whose run the listings show, too; by default the emulator's own), `after_s` (seconds
        until the run is created, 0 by default; negative for the past) and `steps` (none by default). A step
        is a list of seconds after the creation, reference (None for the run itself) and status, a value of
        `RunStatus` or `ItemStatus`. Seconds are those of the emulator's clock.

        Ids are in the order of the scripts. Raises UsageError for an invalid script, and then
        creates no run; and the errors that `Emulator` names.
        """
        run_ids: list[str] = self._control("POST", "runs", scripts)
        return run_ids

    def move(self, *moves: dict[str, Any]) -> list[bool]:
        """Set the status of runs and items, or delete runs, and return for each move whether it was applied.

            emulator.move({"run": run_id, "status": "COMPLETED"}, {"run": other_id, "delete": True})

        A move is an object with `run` (its id) and either `delete` (True) or `status`, a value of
        `RunStatus`; with `reference`, the status is that of an item, a value of `ItemStatus`. A move of an
        unknown run, or a status for a run or item that is final, is not applied.

        The list is in the order of the moves. Raises UsageError for an invalid move or an unknown item, also
        one of an unknown run, and then no move is applied; and the errors that `Emulator` names.
        """
        made: list[bool] = self._control("POST", "moves", moves)
        return made

    def ledger(self) -> list[tuple[float, str, str | None, str]]:
        """Return the transitions since the last reset, in order, without those of items to PROCESSING.

            for at, run_id, reference, status in emulator.ledger():
                print(at, run_id, reference, status)

        Each is a tuple. `at` is in seconds since the epoch, by the emulator's clock. `reference` is None for
        a transition of the run itself. `status` is a value of `RunStatus` or `ItemStatus`, or `DELETED` for a
        run that is deleted, after which steps of a script may still follow. The first one of a run is
        `RECEIVED`. Without a reset, those of earlier starts with the same data come first. Raises the errors
        that `Emulator` names.
        """
        return [tuple(row) for row in self._control("GET", "ledger")]

    def now(self) -> float:
        """Return the time of the emulator's clock, in seconds since the epoch.

            deadline = emulator.now() + 60

        Raises the errors that `Emulator` names.
        """
        now: float = self._control("GET", "clock")["now"]
        return now

    def set_clock(self, *, rate: float | None = None, advance_s: float = 0.0) -> None:
        """Advance the emulator's clock by some seconds, and set its rate.

            emulator.set_clock(rate=0, advance_s=3600)

        `rate` is emulated seconds per second: 0 stops the clock, and None, the default, keeps the rate.
        `advance_s` is 0 by default. The clock stops at the year 9999. Raises UsageError for a value that is
        negative or infinite, and then changes nothing; and the errors that `Emulator` names.
        """
        told = {} if rate is None else {"rate": rate}
        self._control("POST", "clock", {**told, "advance_s": advance_s})

    def _text(self, name: str) -> str:
        text: str = self._running()[name]
        return text

    def _running(self) -> dict[str, Any]:
        """Return the content of the ready file; raises UsageError while the emulator is not running."""
        if self._info is None:
            raise UsageError(
                "the emulator is not running; use it in `with Emulator(folder) as emulator:`, or call `start`"
            )
        return self._info

    def _control(self, method: str, name: str, body: object = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - a loopback address of our own
            f"{self._text('api_root')}/emulator/{name}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._text('access_token')}"},
        )
        # Loopback addresses are never reached through a proxy.
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=30) as response:
                content = response.read()
        except urllib.error.HTTPError as error:
            if error.code != _REFUSED:
                raise
            refusal = json.loads(error.read())["detail"]
        else:
            return json.loads(content) if content else None
        raise UsageError(refusal)
