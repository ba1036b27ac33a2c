"""An emulator in a process of its own, for tests and demos."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from .._client import Client
from .._config import Retries, Settings
from ..storage import GCS, S3, AwsKey, HmacKey

if TYPE_CHECKING:
    from types import TracebackType

IMPATIENT = Settings(
    poll_interval=0.05,
    results_rate_limit=60_000,
    retries=Retries(initial_wait=0.01, max_wait=0.05),
)
"""Client settings for tests: polls and retries wait for milliseconds."""


class Emulator:
    """An emulator in a process of its own, on a free port of this machine.

    Use it as a context manager: it runs inside the block. `kill` and `start` restart it on the same data
    folder. Keyword arguments are the options of `aignostics-async emulator`, such as `speed=100`; a list or
    tuple repeats an option.
    """

    def __init__(self, data: Path, **options: object) -> None:
        self._data = data
        self._options = {"speed": 1000, **options}
        self._reset_to: dict[str, object] = {}
        self._process: subprocess.Popen[str] | None = None
        self._ready: dict[str, str] = {}

    def start(self) -> Self:
        """Start it and wait until it accepts requests; raises RuntimeError if it does not start."""
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
        """Stop it with SIGTERM and wait for its end."""
        self._end("terminate")

    def kill(self) -> None:
        """Stop it with SIGKILL."""
        self._end("kill")

    def _end(self, how: str) -> None:
        process, self._process = self._process, None
        if process is not None:
            getattr(process, how)()
            process.communicate(timeout=30)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def api_root(self) -> str:
        """The API root for Client."""
        return self._ready["api_root"]

    @property
    def token_url(self) -> str:
        """The token endpoint."""
        return self._ready["token_url"]

    @property
    def store_url(self) -> str:
        """The address of its store for `runs.submit`."""
        return self._ready["store_url"]

    @property
    def client_id(self) -> str:
        """The client id for its token endpoint."""
        return self._ready["client_id"]

    @property
    def service(self) -> tuple[str, str]:
        """The id and secret of its confidential client, for ClientCredentials."""
        return self._ready["service_client_id"], self._ready["client_secret"]

    @property
    def access_token(self) -> str:
        """An access token that is valid until the emulator stops."""
        return self._ready["access_token"]

    @property
    def refresh_token(self) -> str:
        """A refresh token, valid for one use; `sign_in` returns more."""
        return self._ready["refresh_token"]

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which `Client.from_env` connects to it."""
        return {"AIGNOSTICS_API_ROOT": self.api_root, "AIGNOSTICS_ACCESS_TOKEN": self.access_token}

    @property
    def login_environment(self) -> dict[str, str]:
        """The environment variables with which `aignostics-async login` signs in to it."""
        return {
            "AIGNOSTICS_API_ROOT": self.api_root,
            "AIGNOSTICS_TOKEN_URL": self.token_url,
            "AIGNOSTICS_CLIENT_ID": self.client_id,
            "AIGNOSTICS_REDIRECT_URL": "http://localhost:0/",
        }

    def s3(self, bucket: str = "bucket", prefix: str = "") -> S3:
        """Return a bucket of its S3 API for `runs.submit`."""
        key = AwsKey(**self._stores()["s3"])
        return S3(bucket=bucket, prefix=prefix, endpoint=f"{self.api_root}/s3", region=key.region, key=key)

    def gcs(self, bucket: str = "bucket", prefix: str = "", *, hmac: bool = False) -> GCS:
        """Return a bucket of its Google Cloud Storage API for `runs.submit`.

        Its requests are signed with the key of a service account, or with an HMAC key.
        """
        stores = self._stores()
        account = None if hmac else stores["gcs"]
        key = HmacKey(**stores["gcs_hmac"]) if hmac else None
        endpoint = f"{self.api_root}/gcs"
        return GCS(bucket=bucket, prefix=prefix, endpoint=endpoint, service_account=account, hmac=key)

    def _stores(self) -> dict[str, Any]:
        stores: dict[str, Any] = json.loads((self._data / "stores.json").read_text(encoding="utf-8"))
        return stores

    def client(self, settings: Settings = IMPATIENT) -> Client:
        """Return a client for it; enter it with `async with`."""
        return Client(self.api_root, self.access_token, settings=settings)

    # The control API; emulator/_control.py and emulator/_faults.py describe the JSON.

    def reset(self, **options: object) -> None:
        """Delete runs, objects, logins, fault rules and the ledger, and set the clock to the time.

        Keyword arguments replace options of the constructor until the next reset. Address, access token and
        keys stay. Takes a few hundredths of a second, where a start takes more than one.
        """
        self._ready = self._control("POST", "reset", options)
        self._reset_to = options

    def sign_in(self) -> str:
        """Return the refresh token of a new login, without a user."""
        token: str = self._control("POST", "logins")["refresh_token"]
        return token

    def set_faults(self, *rules: dict[str, Any]) -> None:
        """Replace the fault rules and clear the request log."""
        self._control("POST", "faults", rules)

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests since the last `set_faults`, with the fields of `_faults.ReceivedRequest`."""
        listed: list[dict[str, Any]] = self._control("GET", "requests")
        return listed

    def script(self, *scripts: dict[str, Any]) -> list[str]:
        """Create scripted runs, which need no slides, and return their ids."""
        run_ids: list[str] = self._control("POST", "runs", scripts)
        return run_ids

    def move(self, *moves: dict[str, Any]) -> list[bool]:
        """Set the status of runs and items or delete runs; return for each move whether it was applied."""
        made: list[bool] = self._control("POST", "moves", moves)
        return made

    def ledger(self) -> list[tuple[float, str, str | None, str]]:
        """Return all transitions: time, run id, reference (None for the run itself), status."""
        return [tuple(row) for row in self._control("GET", "ledger")]

    def now(self) -> float:
        """Return the time of its clock, in seconds since the epoch."""
        now: float = self._control("GET", "clock")["now"]
        return now

    def set_clock(self, *, rate: float | None = None, advance_s: float = 0.0) -> None:
        """Advance its clock by some seconds and change its rate; rate 0 stops it, None keeps it."""
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
