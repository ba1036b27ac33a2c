"""The client: construction, lifetime, resources."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

from ._config import Settings
from ._environment import read_environment
from ._errors import ConfigurationError
from ._session import Session
from ._urls import check_root
from .auth import StaticToken, TokenSource
from .resources._applications import Applications
from .resources._run import Run
from .resources._runs import Runs
from .storage import Store, StoreAddress, open_store

if TYPE_CHECKING:
    from types import TracebackType

    from ._bridge import Operation

_log = logging.getLogger("aignostics_async")
_P = ParamSpec("_P")
_T = TypeVar("_T")


class Client:
    """The platform, for one user, in one event loop.

        async with Client.from_env() as client:
            version = await client.applications.version("h-e-tme:v1.2.3")

    Making a client does no I/O; entering it opens its connection pools, in the event loop that runs. It
    can be shared by all tasks of that loop. Using it before, after, or in another loop raises UsageError.
    """

    def __init__(self, api_root: str, token: str | TokenSource, *, settings: Settings | None = None) -> None:
        self._root = check_root(api_root)
        source = StaticToken(token) if isinstance(token, str) else token
        if not isinstance(source, TokenSource):
            raise ConfigurationError(f"a token is a text, or an object with get_token, not {token!r}")
        if not isinstance(settings, Settings | None):
            raise ConfigurationError(f"settings takes Settings(...), not {settings!r}")
        self._session = Session(self._root, source, settings or Settings())
        self.applications = Applications(self._session)
        self.runs = Runs(self._session, self.applications)

    @classmethod
    def from_env(cls, *, settings: Settings | None = None) -> Self:
        """Make a client from the environment variables, and log which ones were used.

        The place is AIGNOSTICS_API_ROOT, else AIGNOSTICS_ENVIRONMENT (production, staging, dev). The
        credential is AIGNOSTICS_ACCESS_TOKEN, else AIGNOSTICS_REFRESH_TOKEN, else AIGNOSTICS_CLIENT_SECRET,
        else the login that `aignostics-async login` made, all but the first with AIGNOSTICS_CLIENT_ID.
        docs/how-to/sign-in.md has the rest. Raises ConfigurationError that names what is missing; there is no
        default place.
        """
        settings = settings or Settings()
        account = read_environment(os.environ, settings)
        _log.info("using %s", account.described)
        return cls(account.api_root, account.source, settings=settings)

    def __repr__(self) -> str:
        return f"Client({self._root!r})"

    async def __aenter__(self) -> Self:
        await self._session.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.__aexit__(exc_type, exc, traceback)

    def run(self, run_id: str) -> Run:
        """Return the handle of a run; no I/O. Raises UsageError for an id that is no UUID."""
        return Run(run_id, self._session)

    def store(self, address: StoreAddress | str) -> Store:
        """Return the object store at an address, as `runs.submit` would use it; no I/O.

        Raises ConfigurationError for an address that this release can't use.
        """
        return open_store(address, self._session)

    async def call(self, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run an operation of the generated client and return its generated model.

            from aignostics_api.api.public import list_runs
            runs = await client.call(list_runs, page_size=10)

        `operation` is a module of `aignostics_api.api.public`. Token, retries, timeouts and errors are the
        client's own; an error status raises, so an error model is never returned.
        """
        return await self._session.bridge.call(operation, *args, **kwargs)
