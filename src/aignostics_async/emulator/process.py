"""An emulator in a process of its own, for tests and demos."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

from .._client import Client
from .._config import Retries, Settings
from ..contracts._lines import line_of
from ..errors import UsageError
from ..storage import GCS, S3, AwsKey, HmacKey, PlatformBucket
from ._control_client import ControlClient

IMPATIENT = Settings(
    poll_interval=0.05,
    results_rate_limit=60_000,
    retries=Retries(initial_wait=0.01, max_wait=0.05),
)
"""Client settings for tests: polls and retries wait for milliseconds."""


class Emulator(ControlClient):
    """An emulator of the platform in a process of its own, on a free port of this machine.

        with Emulator(tmp_path) as emulator:
            async with emulator.client() as client:
                runs = await client.runs.list().to_list()

    The process runs inside the block. `data` is the folder of its state, which is created if it is missing;
    `kill` and `start` restart the emulator on it. Keyword arguments are the options of `aignostics-async
    emulator`, with underscores, such as `token_lifetime=5`; a list or tuple repeats an option, and None
    leaves it out. Their defaults are those of the command, apart from `speed`, which is 1000: a run, which
    takes 4 s and 2 s more for each item at speed 1, takes milliseconds here. Needs the extras `emulator` and
    `cli`.

    Starting raises RuntimeError if the process does not start. All other properties and methods but `stop`
    and `kill` raise UsageError while the emulator is not running. Those that send it a request raise what
    `json.dumps` raises for arguments that JSON does not have, mostly TypeError; UsageError with the reason
    for those that the emulator refuses; and an OSError, such as `urllib.error.URLError`, or an
    `http.client.HTTPException` if it ends in the meantime or does not respond within 30 s.
    """

    def __init__(self, data: Path, **options: object) -> None:
        super().__init__()
        self._data = Path(data)
        self._options = {"speed": 1000, **options}
        self._process: subprocess.Popen[str] | None = None
        self._parent = os.getpid()

    def start(self) -> Self:
        """Start the emulator, wait until it accepts requests, and return it.

            emulator = Emulator(tmp_path).start()

        Entering the block does the same. Takes about a second or two. Each start has its own refresh token,
        and its own port and access token unless `port` and `static_token` are set. Raises RuntimeError if the
        process ends before it accepts requests, for a reason on its standard error, and UsageError if the
        emulator is running.
        """
        if self._is_alive():
            raise UsageError("the emulator is running already; call `stop` or `kill` first")
        self.stop()  # a process that has ended by itself
        with tempfile.TemporaryDirectory() as scratch:
            ready_file = Path(scratch, "ready.json")
            command = [sys.executable, "-m", "aignostics_async.cli", "emulator"]
            command += _arguments({**self._options, "data": self._data, "ready_file": ready_file})
            process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603
            self._process, self._parent = process, os.getpid()
            # The first line means that the ready file exists; end of file means that it failed.
            if process.stdout is None or not process.stdout.readline():
                self.stop()
                raise RuntimeError("the emulator did not start; its standard error says why")
            self._info = json.loads(ready_file.read_text(encoding="utf-8"))
        return self

    def stop(self) -> None:
        """Stop the emulator with SIGTERM and wait until it has ended; do nothing if it is not running.

            emulator.stop()

        Leaving the block does the same. Runs and objects stay in the data folder. Raises
        `subprocess.TimeoutExpired` if it has not ended after 30 s; `kill` ends it then.
        """
        self._end("terminate")

    def kill(self) -> None:
        """Stop the emulator with SIGKILL and wait until it has ended; does nothing if it is not running.

            emulator.kill()
            emulator.start()

        Runs and objects survive in the data folder. Raises `subprocess.TimeoutExpired` if it has not ended
        after 30 s.
        """
        self._end("kill")

    def _is_alive(self) -> bool:
        if self._process is None:
            return False
        # Only its parent can ask for its end; to a fork of this process it seems to have ended.
        return os.getpid() != self._parent or self._process.poll() is None

    def _running(self) -> dict[str, Any]:
        if not self._is_alive():
            self._info = None
        return super()._running()

    def _end(self, how: str) -> None:
        self._info = None
        if self._process is not None:
            getattr(self._process, how)()
            self._process.communicate(timeout=30)
            self._process = None  # one that has not ended can still be killed

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exc_info: object) -> None:
        self.stop()

    @property
    def api_root(self) -> str:
        """The API root under contract 1.0, to pass to `Client` with `contract="1.0"`.

            Client(emulator.api_root, emulator.access_token, contract="1.0")

        Raises UsageError while the emulator is not running.
        """
        return self._text("api_root")

    @property
    def api_roots(self) -> dict[str, str]:
        """The API root under each contract, as a mapping from `"1.0"` and `"1.8"` to a URL.

            Client(emulator.api_roots["1.8"], emulator.access_token, contract="1.8")

        Raises UsageError while the emulator is not running.
        """
        roots: dict[str, str] = self._running()["api_roots"]
        return roots

    @property
    def contract(self) -> str:
        """The name of the emulator's own contract, `"1.0"` or `"1.8"`.

        It is that of the option `contract`, which `reset` may change, by default that of AIGNOSTICS_CONTRACT,
        else 1.8. `root`, `client`, `environment` and `login_environment` use it. Raises UsageError while the
        emulator is not running.
        """
        return self._text("contract")

    @property
    def token_url(self) -> str:
        """The URL of the token endpoint, to pass to `IdentityProvider.beside`.

            provider = IdentityProvider.beside(emulator.token_url, client_id=emulator.client_id)

        The emulator is the identity provider itself. Raises UsageError while the emulator is not running.
        """
        return self._text("token_url")

    @property
    def store_url(self) -> str:
        """The address of the emulator's own store, to pass to `runs.submit`.

            await client.runs.submit(version, items, store=emulator.store_url)

        The store signs URLs itself and needs no credentials. `s3` and `gcs` are further stores. Raises
        UsageError while the emulator is not running.
        """
        return self._text("store_url")

    @property
    def client_id(self) -> str:
        """The id of the public client at the token endpoint, to pass to `IdentityProvider.beside`.

        People sign in to it, and the tokens of `refresh_token` and `sign_in` belong to it. It has no secret.
        Raises UsageError while the emulator is not running.
        """
        return self._text("client_id")

    @property
    def service(self) -> tuple[str, str]:
        """The id and the secret of a confidential client, as a pair of texts, for `ClientCredentials`.

            client_id, secret = emulator.service
            provider = IdentityProvider(
                token_url=emulator.token_url, client_id=client_id, client_secret=secret
            )
            source = ClientCredentials(provider)

        The data folder keeps the secret for later starts. Raises UsageError while the emulator is not
        running.
        """
        return self._text("service_client_id"), self._text("client_secret")

    @property
    def access_token(self) -> str:
        """An access token that is valid under both contracts until the emulator stops.

        A reset keeps it, and `token_lifetime` does not apply to it. It is that of the option `static_token`,
        by default a new one at each start. Raises UsageError while the emulator is not running.
        """
        return self._text("access_token")

    @property
    def refresh_token(self) -> str:
        """A refresh token of `client_id`, to pass to `RefreshToken`.

            provider = IdentityProvider.beside(emulator.token_url, client_id=emulator.client_id)
            source = RefreshToken(emulator.refresh_token, provider=provider)

        Each start and reset makes a new one. It can be used as often as one of `sign_in`. Raises UsageError
        while the emulator is not running.
        """
        return self._text("refresh_token")

    @property
    def root(self) -> str:
        """The API root under the emulator's own contract, to pass to `Client` with it.

            Client(emulator.root, emulator.access_token, contract=emulator.contract)

        It is that of `api_roots` for `contract`. Raises UsageError while the emulator is not running.
        """
        return self.api_roots[self.contract]

    @property
    def _place(self) -> dict[str, str]:
        return {
            "AIGNOSTICS_API_ROOT": self.root,
            "AIGNOSTICS_CONTRACT": self.contract,
            "STORAGE_EMULATOR_HOST": self._google,
        }

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which `Client.from_env` connects to the emulator, by name.

            subprocess.run(["my-program"], env={**os.environ, **emulator.environment}, check=True)

        They are AIGNOSTICS_API_ROOT, AIGNOSTICS_CONTRACT, AIGNOSTICS_ACCESS_TOKEN, and STORAGE_EMULATOR_HOST,
        the URL of the emulator's Google Cloud Storage API, which has the bucket of `store="platform"`.
        AIGNOSTICS_ENVIRONMENT must not be set beside them. Raises UsageError while the emulator is not
        running.
        """
        return {**self._place, "AIGNOSTICS_ACCESS_TOKEN": self.access_token}

    @property
    def login_environment(self) -> dict[str, str]:
        """The environment variables with which `aignostics-async login` signs in to the emulator, by name.

            command = ["aignostics-async", "login"]
            subprocess.run(command, env={**os.environ, **emulator.login_environment}, check=True)

        They are AIGNOSTICS_API_ROOT, AIGNOSTICS_CONTRACT, STORAGE_EMULATOR_HOST, AIGNOSTICS_TOKEN_URL,
        AIGNOSTICS_CLIENT_ID and AIGNOSTICS_REDIRECT_URL. AIGNOSTICS_ENVIRONMENT must not be set beside them.
        Raises UsageError while the emulator is not running.
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

        The bucket is called `bucket` by default and needs no creation. `prefix`, empty by default, is the
        first part of every object key. Reads the key in the data folder, and sends no request. Raises
        ConfigurationError for a `bucket` or `prefix` that `S3` refuses, such as an empty `bucket`; OSError if
        the key can't be read; and UsageError while the emulator is not running.
        """
        key = AwsKey(**self._stores()["s3"])
        return S3(bucket=bucket, prefix=prefix, endpoint=f"{self.api_root}/s3", region=key.region, key=key)

    def gcs(self, bucket: str = "bucket", prefix: str = "", *, hmac: bool = False) -> GCS:
        """Return a bucket of the emulator's Google Cloud Storage API, to pass to `runs.submit`.

            await client.runs.submit(version, items, store=emulator.gcs(prefix="lab-7"))

        The `bucket` is called `bucket` by default and needs no creation. `prefix`, empty by default, is the
        first part of every object name. Requests are signed with the key of a service account, or with an
        HMAC key if `hmac` is True (False by default). Reads the keys from a file in the data folder. Raises
        OSError if that is gone, ConfigurationError for a `bucket` or `prefix` that `GCS` refuses, such as an
        empty `bucket`, and UsageError while the emulator is not running.
        """
        stores = self._stores()
        account = None if hmac else stores["gcs"]
        key = HmacKey(**stores["gcs_hmac"]) if hmac else None
        return GCS(bucket=bucket, prefix=prefix, endpoint=self._google, service_account=account, hmac=key)

    def platform_bucket(self) -> PlatformBucket:
        """Return the organization's own bucket at this emulator, to pass to `runs.submit` under contract 1.8.

            await client.runs.submit(version, items, store=emulator.platform_bucket())

        With the variables of `environment`, `store="platform"` is the same. Sends no request. Raises
        UsageError while the emulator is not running.
        """
        return PlatformBucket(endpoint=self._google)

    @property
    def _google(self) -> str:
        return self._text("google_root")

    def _stores(self) -> dict[str, Any]:
        self._running()
        stores: dict[str, Any] = json.loads((self._data / "stores.json").read_text(encoding="utf-8"))
        return stores

    def client(self, settings: Settings = IMPATIENT, *, contract: str | None = None) -> Client:
        """Return a client for the emulator, to be entered with `async with`.

            async with emulator.client() as client:
                runs = await client.runs.list().to_list()

        The `settings` are `IMPATIENT` by default: polls and retries wait for milliseconds. `contract` is
        "1.0" or "1.8"; None, the default, is the emulator's own. Sends no request. Raises ConfigurationError
        for an unknown contract or what are no Settings, and UsageError while the emulator is not running.
        """
        spoken = self.contract if contract is None else line_of(contract)
        return Client(self.api_roots[spoken], self.access_token, settings=settings, contract=spoken)


def _arguments(options: dict[str, object]) -> list[str]:
    """Return options as command-line arguments."""
    arguments = []
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if value is None:
            continue
        if isinstance(value, bool):
            arguments.append(option if value else option.replace("--", "--no-", 1))
        else:
            values = value if isinstance(value, list | tuple) else (value,)
            arguments += [argument for each in values for argument in (option, str(each))]
    return arguments
