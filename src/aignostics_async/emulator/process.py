"""An emulator in a process of its own, for tests and demos."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any, Self

from .._client import Client
from .._config import Retries, Settings
from ..storage import GCS, S3, AwsKey, HmacKey

IMPATIENT = Settings(
    poll_interval=0.05,
    results_rate_limit=60_000,
    retries=Retries(initial_wait=0.01, max_wait=0.05),
)
"""Client settings for tests: polls and retries wait for milliseconds."""


class Emulator:
    """An emulator of the platform in a process of its own, on a free port of this machine.

        with Emulator(tmp_path) as emulator:
            async with emulator.client() as client:
                runs = await client.runs.list().to_list()

    It runs inside the block; `data` is the folder of its state. `kill` and `start` restart it on the same
    folder. Keyword arguments are the options of `aignostics-async emulator`, with underscores; `speed` is
    1000 by default. A list or tuple repeats an option. Needs the extras `emulator` and `cli`.

    Properties and methods need a running emulator. Starting raises RuntimeError if the process does not
    start; other methods raise `urllib.error.HTTPError` for arguments that the emulator refuses.
    """

    def __init__(self, data: Path, **options: object) -> None:
        self._data = data
        self._options = {"speed": 1000, **options}
        self._process: subprocess.Popen[str] | None = None
        self._ready: dict[str, Any] = {}

    def start(self) -> Self:
        """Start the emulator, wait until it accepts requests, and return it.

        Entering the block does the same. Takes a second or two. Raises RuntimeError if the process ends
        before that; its standard error says why.
        """
        with tempfile.TemporaryDirectory() as scratch:
            ready_file = Path(scratch, "ready.json")
            command = [sys.executable, "-m", "aignostics_async.cli", "emulator"]
            command += _arguments({**self._options, "data": self._data, "ready_file": ready_file})
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
            self._process = process
            # The first line means that the ready file exists; end of file means that it failed.
            if process.stdout is None or not process.stdout.readline():
                self.stop()
                raise RuntimeError("the emulator did not start; its standard error says why")
            self._ready = json.loads(ready_file.read_text(encoding="utf-8"))
        return self

    def stop(self) -> None:
        """Stop the emulator with SIGTERM and wait until it has ended; does nothing if it is not running.

        Raises `subprocess.TimeoutExpired` if it has not ended after 30 s.
        """
        self._end("terminate")

    def kill(self) -> None:
        """Stop the emulator with SIGKILL and wait until it has ended; does nothing if it is not running.

            emulator.kill()
            emulator.start()

        Runs and objects survive in the data folder.
        """
        self._end("kill")

    def _end(self, how: str) -> None:
        process, self._process = self._process, None
        if process is not None:
            getattr(process, how)()
            process.communicate(timeout=30)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exc_info: object) -> None:
        self.stop()

    @property
    def api_root(self) -> str:
        """The API root under contract 1.0, to pass to `Client`."""
        root: str = self._ready["api_root"]
        return root

    @property
    def api_roots(self) -> dict[str, str]:
        """The API root under each contract, as a mapping from the contract's name.

            Client(emulator.api_roots["1.8"], emulator.access_token)

        The names are `1.0` and `1.8`.
        """
        roots: dict[str, str] = self._ready["api_roots"]
        return roots

    @property
    def contract(self) -> str:
        """The name of the contract that the option `contract` selected, such as `1.0`."""
        contract: str = self._ready["contract"]
        return contract

    @property
    def token_url(self) -> str:
        """The URL of the token endpoint."""
        return self._text("token_url")

    @property
    def store_url(self) -> str:
        """The address of the emulator's own store, to pass to `runs.submit`."""
        return self._text("store_url")

    @property
    def client_id(self) -> str:
        """The id of the public client at the token endpoint, for `IdentityProvider`."""
        return self._text("client_id")

    @property
    def service(self) -> tuple[str, str]:
        """The id and secret of a confidential client, for `ClientCredentials`.

            client_id, secret = emulator.service
            fields = {"client_id": client_id, "client_secret": secret}
            source = ClientCredentials(IdentityProvider(token_url=emulator.token_url, **fields))

        The client may use the client credentials grant.
        """
        return self._text("service_client_id"), self._text("client_secret")

    @property
    def access_token(self) -> str:
        """An access token that is valid until the emulator stops."""
        return self._text("access_token")

    @property
    def refresh_token(self) -> str:
        """A refresh token for one use, unless `refresh_overlap` is set; `sign_in` returns further ones."""
        return self._text("refresh_token")

    @property
    def root(self) -> str:
        """The API root under the chosen contract, to pass to `Client` with `contract`."""
        return self.api_roots[self.contract]

    @property
    def _place(self) -> dict[str, str]:
        return {"AIGNOSTICS_API_ROOT": self.root, "AIGNOSTICS_CONTRACT": self.contract}

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which `Client.from_env` connects to the emulator, as a mapping.

        They are AIGNOSTICS_API_ROOT, AIGNOSTICS_CONTRACT and AIGNOSTICS_ACCESS_TOKEN.
        """
        return {**self._place, "AIGNOSTICS_ACCESS_TOKEN": self.access_token}

    @property
    def login_environment(self) -> dict[str, str]:
        """The variables with which `aignostics-async login` signs in to the emulator, as a mapping.

        They are AIGNOSTICS_API_ROOT, AIGNOSTICS_CONTRACT, AIGNOSTICS_TOKEN_URL, AIGNOSTICS_CLIENT_ID and
        AIGNOSTICS_REDIRECT_URL.
        """
        return {
            **self._place,
            "AIGNOSTICS_TOKEN_URL": self.token_url,
            "AIGNOSTICS_CLIENT_ID": self.client_id,
            "AIGNOSTICS_REDIRECT_URL": "http://localhost:0/",
        }

    def s3(self, bucket: str = "bucket", prefix: str = "") -> S3:
        """Return a bucket of the emulator's S3 API, with its key, to pass to `runs.submit`.

            await client.runs.submit(version, items, store=emulator.s3(prefix="lab-7"))

        The bucket is called `bucket` by default and needs no creation.
        """
        key = AwsKey(**self._stores()["s3"])
        return S3(bucket=bucket, prefix=prefix, endpoint=f"{self.api_root}/s3", region=key.region, key=key)

    def gcs(self, bucket: str = "bucket", prefix: str = "", *, hmac: bool = False) -> GCS:
        """Return a bucket of the emulator's Google Cloud Storage API, to pass to `runs.submit`.

            await client.runs.submit(version, items, store=emulator.gcs(prefix="lab-7"))

        The bucket is called `bucket` by default and needs no creation. Requests are signed with the key of a
        service account, or with an HMAC key if `hmac` is True.
        """
        stores = self._stores()
        account = None if hmac else stores["gcs"]
        key = HmacKey(**stores["gcs_hmac"]) if hmac else None
        endpoint = f"{self.api_root}/gcs"
        return GCS(bucket=bucket, prefix=prefix, endpoint=endpoint, service_account=account, hmac=key)

    def _stores(self) -> dict[str, Any]:
        stores: dict[str, Any] = json.loads((self._data / "stores.json").read_text(encoding="utf-8"))
        return stores

    def client(self, settings: Settings = IMPATIENT, *, contract: str | None = None) -> Client:
        """Return a client for the emulator, to be entered with `async with`.

            async with emulator.client() as client:
                runs = await client.runs.list().to_list()

        The settings are `IMPATIENT` by default: polls and retries wait for milliseconds. `contract` is "1.0"
        or "1.8", by default the one that the emulator was started or reset with.
        """
        spoken = contract or self.contract
        return Client(self.api_roots[spoken], self.access_token, settings=settings, contract=spoken)

    def _text(self, name: str) -> str:
        text: str = self._ready[name]
        return text

    # The control API; emulator/_control.py and emulator/_faults.py describe the JSON.

    def reset(self, **options: object) -> None:
        """Delete runs, objects, logins, fault rules and the ledger, and set the clock to the current time.

            emulator.reset(token_lifetime=5)

        Keyword arguments replace options of the constructor until the next reset. The conditions of
        `set_conditions` end. Address, access token and keys are kept. Costs a few hundredths of a second,
        where a start takes more than one. Raises HTTPError for an unknown option or an invalid value.
        """
        self._ready = self._control("POST", "reset", options)

    def sign_in(self) -> str:
        """Create a login without a person, and return its refresh token.

            source = RefreshToken(emulator.sign_in(), provider=provider)

        It is valid for one use, unless the option `refresh_overlap` is set.
        """
        token: str = self._control("POST", "logins")["refresh_token"]
        return token

    def set_faults(self, *rules: dict[str, Any]) -> None:
        """Replace the fault rules and clear the request log.

            emulator.set_faults({"operation": "create_run", "times": 1, "drop": "after"})

        The first rule that matches a request applies. Conditions are `operation` (its name under every
        contract that has it), `contract`, `method`, `path` (a regular expression for the whole path, with or
        without the contract's root), `query`, `skip` and `times`; actions are `status` (with `headers` and
        `body`), `answer`, `drop`, `late_s`, `lag_s`, `delay_s` and `then`.
        docs/how-to/steer-the-emulator.md describes them. Raises HTTPError for an invalid rule.
        """
        self._control("POST", "faults", rules)

    def set_conditions(self, **conditions: object) -> None:
        """Set the conditions of the platform; those that are not passed return to their defaults.

            emulator.set_conditions(health="DEGRADED", remaining_slides=10)

        `health` is UP (the default), DEGRADED or DOWN. With `remaining_slides`, runs of more items are
        refused with 402, and each run uses some of them up; by default there is no limit. Under contract 1.8,
        `empty_runs="404"` answers a page of runs without entries with 404, `lists_urls=False` leaves out the
        deprecated download URLs of items, and `artifact_file="body"` sends an artifact's bytes instead of a
        redirect. Raises HTTPError for an unknown condition or value.
        """
        self._control("POST", "conditions", conditions)

    def requests(self) -> list[dict[str, Any]]:
        """Return the latest requests since the last `set_faults`, at most 10,000, in the order of arrival.

            [request["path"] for request in emulator.requests() if request["method"] == "POST"]

        Each is a mapping with `contract` and `operation` (None where the API has none), `method`, `path`,
        `query`, `authorized` (whether it had an Authorization header), `body_size` in bytes, `at`, `status`
        (None if no response was sent) and `answered_at`. Times are seconds since the epoch, by the emulator's
        clock.
        """
        listed: list[dict[str, Any]] = self._control("GET", "requests")
        return listed

    def script(self, *scripts: dict[str, Any]) -> list[str]:
        """Create runs with scripted transitions, and return their ids; they need no slides.

            script = {"items": ["a"], "steps": [[5, "a", "SUCCEEDED"], [6, None, "COMPLETED"]]}
            (run_id,) = emulator.script(script)

        A script is an object with `items` (references) and optionally `application_version_id`,
        `custom_metadata`, `after_s` (seconds until the run is created, 0 by default; negative for the past)
        and `steps`. A step is a list of seconds after the creation, reference (None for the run itself) and
        status. Seconds are those of the emulator's clock. Raises HTTPError for an invalid script.
        """
        run_ids: list[str] = self._control("POST", "runs", scripts)
        return run_ids

    def move(self, *moves: dict[str, Any]) -> list[bool]:
        """Set the status of runs and items, or delete runs, and return for each move whether it was applied.

            emulator.move({"run": run_id, "status": "COMPLETED"}, {"run": other_id, "delete": True})

        A move is an object with `run` and either `status` or `delete`; with `reference`, the status is that
        of an item. A move of an unknown run, or a status for a run or item that is final, is not applied.
        Raises HTTPError for an invalid move, or a reference that the run does not have.
        """
        made: list[bool] = self._control("POST", "moves", moves)
        return made

    def ledger(self) -> list[tuple[float, str, str | None, str]]:
        """Return all transitions since the last reset, in order, without those of items to PROCESSING.

            for at, run_id, reference, status in emulator.ledger(): ...

        `at` is in seconds since the epoch, by the emulator's clock. `reference` is None for a transition of
        the run itself. A run's first `status` is `RECEIVED`; its last is `DELETED` if it was deleted.
        """
        return [tuple(row) for row in self._control("GET", "ledger")]

    def now(self) -> float:
        """Return the time of the emulator's clock, in seconds since the epoch.

        Costs one request to the emulator.
        """
        now: float = self._control("GET", "clock")["now"]
        return now

    def set_clock(self, *, rate: float | None = None, advance_s: float = 0.0) -> None:
        """Advance the emulator's clock by some seconds, and set its rate.

            emulator.set_clock(rate=0, advance_s=3600)

        `rate` is emulated seconds per second: 0 stops the clock, and None, the default, keeps the rate.
        `advance_s` is 0 by default. The clock does not go back: a negative value raises HTTPError.
        """
        told = {} if rate is None else {"rate": rate}
        self._control("POST", "clock", {**told, "advance_s": advance_s})

    def _control(self, method: str, name: str, body: object = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - a loopback address of our own
            f"{self.api_root}/emulator/{name}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.access_token}"},
        )
        # Loopback addresses are never reached through a proxy.
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=30) as response:
            content = response.read()
        return json.loads(content) if content else None


def _arguments(options: dict[str, object]) -> list[str]:
    """Return options as command-line arguments."""
    arguments = []
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            arguments.append(option if value else option.replace("--", "--no-", 1))
        else:
            values = value if isinstance(value, list | tuple) else (value,)
            arguments += [argument for each in values for argument in (option, str(each))]
    return arguments
