"""The client: construction, lifetime, and its resources."""

from __future__ import annotations

import os
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, ParamSpec, Self, TypeVar

from attrs import evolve

from ._config import Settings
from ._core._logging import get_logger
from ._core._urls import check_root
from ._environment import read_environment
from ._session import Connections, Session
from .auth import StaticToken, TokenSource
from .errors import ConfigurationError, UsageError
from .resources._applications import Applications
from .resources._run import Run
from .resources._runs import Runs
from .storage import Checksums, Store, StoreAddress, Verify, open_store
from .watch import Watcher
from .watch._start import watch_runs, watch_scope

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ._config import Retries, Timeouts
    from ._hooks import Hooks
    from .contracts._requests import Operation
    from .downloads._completed_items import CompletedItems
    from .transfer._progress import Progress

_log = get_logger("aignostics_async")
_P = ParamSpec("_P")
_T = TypeVar("_T")


class Client:
    """The platform, for one user, in one event loop.

        async with Client("https://platform.aignostics.com", token) as client:
            version = await client.applications.version("he-tme:v1.0.0")

    `api_root` is the URL of a deployment, without `/api`; `token` is an access token or a token source, such
    as `RefreshToken`; `settings` are `Settings()` by default.

    Creating a client does no I/O; entering it opens its connections in the running event loop. All tasks of
    that loop can share it. Using it before or after, or in another loop, raises UsageError. Raises
    ConfigurationError for an unusable address or token.
    """

    def __init__(self, api_root: str, token: str | TokenSource, *, settings: Settings | None = None) -> None:
        try:
            source = _as_source(token)
        finally:
            del token  # tracebacks show the variables of this frame
        if not isinstance(settings, Settings | None):
            raise ConfigurationError(f"settings takes Settings(...), not {settings!r}")
        settings = settings or Settings()
        self._hold(Session(Connections(check_root(api_root), source, settings), settings))
        self._is_view = False

    def _hold(self, session: Session) -> None:
        self._session = session
        self.applications = Applications(session)
        self.runs = Runs(session, self.applications)

    @classmethod
    def from_env(cls, *, settings: Settings | None = None) -> Self:
        """Create a client from environment variables, and log the names of those that were used.

            async with Client.from_env() as client: ...

        The deployment is AIGNOSTICS_API_ROOT or AIGNOSTICS_ENVIRONMENT (production, staging, dev); there is
        no default. The credential is the first of AIGNOSTICS_ACCESS_TOKEN, AIGNOSTICS_REFRESH_TOKEN,
        AIGNOSTICS_CLIENT_SECRET, and the login made by `aignostics-async login`; all but the first need
        AIGNOSTICS_CLIENT_ID. docs/how-to/sign-in.md lists further variables. No I/O. Raises
        ConfigurationError with the variables to set.
        """
        settings = settings or Settings()
        account = read_environment(os.environ, settings)
        _log.info("using %s", account.display_name)
        return cls(account.api_root, account.source, settings=settings)

    def __repr__(self) -> str:
        return f"Client({self.api_root!r})"

    @property
    def api_root(self) -> str:
        """The URL of the platform's deployment, without `/api`."""
        return self._session.api_root

    @property
    def settings(self) -> Settings:
        """The settings of this client, including those of `with_options`."""
        return self._session.settings

    async def __aenter__(self) -> Self:
        if self._is_view:
            raise UsageError("this client shares the connections of the one it was made from; enter that one")
        await self._session.connections.open()
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        await self._session.connections.aclose()

    if not TYPE_CHECKING:  # type checkers report the mistake themselves

        def __enter__(self) -> NoReturn:
            raise UsageError("a client is opened with `async with Client(...) as client:`, not with `with`")

        def __exit__(self, *_exc_info: object) -> None: ...

    def with_options(
        self,
        *,
        timeouts: Timeouts | None = None,
        retries: Retries | None = None,
        hooks: Hooks | None = None,
    ) -> Self:
        """Return a client that shares the connections of this one, with other timeouts, retries or hooks.

            quick = client.with_options(timeouts=Timeouts(read=5), retries=Retries(attempts=1))

        No I/O. It is open as long as this client is, and must not be entered. Watching keeps the settings of
        this client, because all watchers share their requests.
        """
        base = self.settings
        settings = evolve(
            base,
            timeouts=timeouts or base.timeouts,
            retries=retries or base.retries,
            hooks=hooks or base.hooks,
        )
        other = copy(self)
        other._hold(Session(self._session.connections, settings))  # noqa: SLF001 - its own class
        other._is_view = True  # noqa: SLF001
        return other

    def run(self, run_id: str) -> Run:
        """Return the handle of a run by its id; no I/O. Raises UsageError for an id that is not a UUID."""
        return Run(run_id, self._session)

    def watch(self, runs: Iterable[Run | str] = (), *, cursor: str | None = None) -> Watcher:
        """Watch several runs as one stream of changes, current states first; see `Run.watch`.

            async for change in client.watch([run, "0b5c..."]):
                print(change.run_id, change.reference, change.old, "->", change.new)

        `runs` are handles or ids. With the `cursor` of an earlier change, the runs that were not final then
        continue from there, whether they are named or not. Ends when all runs are final. A run that vanishes
        or can't be read does not end the others; at the end all such errors are raised in one ExceptionGroup.

        Costs one request per hundred runs every `Settings.poll_interval`, and up to
        `Settings.results_rate_limit` requests a minute for the items of RUNNING runs. A change of a run is
        seen within the interval, one of an item up to (RUNNING runs / rate limit) minutes later. A slow
        consumer delays no other watcher and misses no final state.
        """
        if isinstance(runs, str | Run):
            raise UsageError(f"runs takes several; put the one in a list: [{runs!r}], or use its own watch()")
        handles = [run if isinstance(run, Run) else self.run(run) for run in runs]
        return watch_runs(
            self._session.poller,
            [run.id for run in handles],
            new=frozenset(run.id for run in handles if run.is_new),
            cursor=cursor,
        )

    def watch_all(
        self,
        *,
        application: str | None = None,
        since: datetime | None = None,
        cursor: str | None = None,
    ) -> Watcher:
        """Watch all runs of the caller, including runs created later; never ends.

            async for change in client.watch_all(since=datetime.now(UTC)):
                print(change.run_id, change.new)

        `application` limits it to runs of one application id, `since`, an aware time, to runs triggered at
        that time or later. Without `since` every existing run is read once. After a restart pass the `cursor`
        of an earlier change instead: runs that were final then are not read again, except those of the last
        ten minutes before it, which repeat their changes (see `Change.id`). A run that vanishes is dropped.
        Costs what `watch` costs.
        """
        return watch_scope(self._session.poller, application=application, since=since, cursor=cursor)

    def download_as_completed(
        self,
        runs: Iterable[Run | str] | Watcher,
        folder: str | os.PathLike[str],
        *,
        progress: Progress | None = None,
    ) -> CompletedItems:
        """Download the files of each item as soon as it succeeds, and yield the item when they are complete.

            async with client.download_as_completed(runs, "results/") as items:
                async for done in items:
                    print(done.item.reference, [file.path for file in done.files])

        `runs` are handles or ids, or a watcher, such as one from `watch_all` or one that continues from a
        cursor. Files are in a folder per run id, and in it a folder per item, laid out and verified as by
        `Run.download`. The signed URLs of the listing that showed the item are used, and requested again if a
        storage refuses them. A failed file is an outcome of its item and stops no other file.

        `progress` is called with a `TransferEvent`; an exception that it raises stops the downloads and is
        raised. At the end it raises what `watch` would raise. Costs what `watch` costs; up to
        `Limits.transfers` items are downloaded at once.
        """
        from .downloads._completed_items import CompletedItems

        return CompletedItems(
            runs if isinstance(runs, Watcher) else self.watch(runs),
            Path(folder),
            self.run,
            engine=self._session.engine,
            checksums=self._session.checksums,
            progress=progress,
        )

    def store(
        self,
        address: Store | StoreAddress | str,
        *,
        endpoint: str | None = None,
        verify: Verify = "auto",
        checksums: Checksums = "auto",
    ) -> Store:
        """Return the object store at an address, as `runs.submit` would use it; no request.

            store = client.store("s3://slides/lab-7", verify="read-back")

        `endpoint`, `verify` and `checksums` are for an address that is a text, and mean the same as the
        fields of `S3` with these names. Raises ConfigurationError for an unsupported address or missing
        credentials.
        """
        return open_store(address, self._session, endpoint=endpoint, verify=verify, checksums=checksums)

    async def call(self, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call an operation of the generated package, and return its generated model.

            from aignostics_api.api.public import list_runs
            runs = await client.call(list_runs, page_size=10)

        `operation` is a module of `aignostics_api.api.public`. Token, retries, timeouts and errors are those
        of the client; an error status raises APIStatusError, so an error model is never returned.
        """
        running = self._session.bridge.call(operation, *args, **kwargs)
        del args, kwargs  # they may hold signed URLs, and tracebacks show the variables of this frame
        return await running


def _as_source(token: object) -> TokenSource:
    source = StaticToken(token) if isinstance(token, str) else token
    if isinstance(source, TokenSource):
        return source
    kind = type(token).__name__
    del token, source  # an object of another type may show a token in its repr
    raise ConfigurationError(f"a token is a str, or an object with get_token, not {kind}")
