"""A handle on an emulator in a process of its own, for tests and demos."""

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
from ..storage import GCS, S3, AwsKey

if TYPE_CHECKING:
    from types import TracebackType

IMPATIENT = Settings(
    poll_interval=0.05,
    results_rate_limit=60_000,
    retries=Retries(initial_wait=0.01, max_wait=0.05),
)
"""Settings under which no test waits for a poll or a retry."""


class Emulator:
    """An emulator in a process of its own, on a free port of this machine.

    A context manager; inside the block it runs, and `kill` and `start` take it down and up again on the
    same data. Keyword arguments are the options of `aignostics-async emulator`, such as `speed=100`.
    """

    def __init__(self, data: Path, **options: object) -> None:
        self._data = data
        self._options = {"speed": 1000, **options}
        self._process: subprocess.Popen[str] | None = None
        self._ready: dict[str, str] = {}

    def start(self) -> Self:
        """Start it and wait until it takes requests."""
        with tempfile.TemporaryDirectory() as scratch:
            ready_file = Path(scratch, "ready.json")
            command = [sys.executable, "-m", "aignostics_async.cli", "emulator"]
            for name, value in {**self._options, "data": self._data, "ready_file": ready_file}.items():
                option = name.replace("_", "-")
                if isinstance(value, bool):
                    command.append(f"--{option}" if value else f"--no-{option}")
                else:
                    command += [f"--{option}", str(value)]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
            self._process = process
            # Its first line comes when the ready file is there; the end of its output, when it failed.
            if process.stdout is None or not process.stdout.readline():
                self.stop()
                raise RuntimeError("the emulator did not start; its standard error says why")
            self._ready = json.loads(ready_file.read_text(encoding="utf-8"))
        return self

    def stop(self) -> None:
        """Ask it to end, and wait for that."""
        self._end("terminate")

    def kill(self) -> None:
        """End it as a power cut would."""
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
        """The API root, as Client takes it."""
        return self._ready["api_root"]

    @property
    def token_url(self) -> str:
        """The token endpoint."""
        return self._ready["token_url"]

    @property
    def store_url(self) -> str:
        """The address of its store, as `runs.submit` takes it."""
        return self._ready["store_url"]

    @property
    def client_id(self) -> str:
        """The client id for its token endpoint."""
        return self._ready["client_id"]

    @property
    def service(self) -> tuple[str, str]:
        """The id and the secret of the client that gets tokens for itself."""
        return self._ready["service_client_id"], self._ready["client_secret"]

    @property
    def access_token(self) -> str:
        """A usable access token."""
        return self._ready["access_token"]

    @property
    def refresh_token(self) -> str:
        """A refresh token, good for its first use; `sign_in` gives further ones."""
        return self._ready["refresh_token"]

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead `Client.from_env` here."""
        return {"AIGNOSTICS_API_ROOT": self.api_root, "AIGNOSTICS_ACCESS_TOKEN": self.access_token}

    @property
    def login_environment(self) -> dict[str, str]:
        """The variables under which `aignostics-async login` signs in here."""
        return {
            "AIGNOSTICS_API_ROOT": self.api_root,
            "AIGNOSTICS_TOKEN_URL": self.token_url,
            "AIGNOSTICS_CLIENT_ID": self.client_id,
            "AIGNOSTICS_REDIRECT_URL": "http://localhost:0/",
        }

    def s3(self, bucket: str = "bucket", prefix: str = "") -> S3:
        """Return a bucket of its S3 endpoint, as `runs.submit` takes it."""
        key = AwsKey(**self._stores()["s3"])
        return S3(bucket=bucket, prefix=prefix, endpoint=f"{self.api_root}/s3", region=key.region, key=key)

    def gcs(self, bucket: str = "bucket", prefix: str = "") -> GCS:
        """Return a bucket of its endpoint in Google's manner."""
        account = self._stores()["gcs"]
        return GCS(bucket=bucket, prefix=prefix, endpoint=f"{self.api_root}/gcs", service_account=account)

    def _stores(self) -> dict[str, Any]:
        stores: dict[str, Any] = json.loads((self._data / "stores.json").read_text(encoding="utf-8"))
        return stores

    def client(self, settings: Settings = IMPATIENT) -> Client:
        """Return a client for it, not yet entered."""
        return Client(self.api_root, self.access_token, settings=settings)

    # The levers, as emulator/_control.py and emulator/_faults.py describe them.

    def sign_in(self) -> str:
        """Return the refresh token of a new login, which nobody had to make."""
        token: str = self._control("POST", "logins")["refresh_token"]
        return token

    def set_faults(self, *rules: dict[str, Any]) -> None:
        """Replace its faults and forget the requests so far."""
        self._control("POST", "faults", rules)

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests since the faults were set, as `_faults.Asked` describes them."""
        listed: list[dict[str, Any]] = self._control("GET", "requests")
        return listed

    def script(self, *scripts: dict[str, Any]) -> list[str]:
        """Create runs that need no slides, and return their ids."""
        run_ids: list[str] = self._control("POST", "runs", scripts)
        return run_ids

    def move(self, *moves: dict[str, Any]) -> list[bool]:
        """Move or delete runs and items, and tell for each move whether it was made."""
        made: list[bool] = self._control("POST", "moves", moves)
        return made

    def ledger(self) -> list[tuple[float, str, str | None, str]]:
        """Return what has happened: time, run, reference (None: the run itself), status."""
        return [tuple(row) for row in self._control("GET", "ledger")]

    def now(self) -> float:
        """Return the time of its clock, in seconds since the epoch."""
        now: float = self._control("GET", "clock")["now"]
        return now

    def set_clock(self, *, rate: float | None = None, advance_s: float = 0.0) -> None:
        """Let its clock go on at another rate (0 stands still), from the present or some seconds later."""
        told = {} if rate is None else {"rate": rate}
        self._control("POST", "clock", {**told, "advance_s": advance_s})

    def _control(self, method: str, name: str, body: object = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - a loopback address of our own
            f"{self.api_root}/emulator/{name}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.access_token}"},
        )
        # What is on this machine is never reached through a proxy.
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=30) as response:
            content = response.read()
        return json.loads(content) if content else None
