"""The client: construction, lifetime, resources."""

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

        async with Client.from_env() as client:
            version = await client.applications.version("h-e-tme:v1.2.3")

    Making a client does no I/O; entering it opens its connection pools, in the event loop that runs. It
    can be shared by all tasks of that loop. Using it before, after, or in another loop raises UsageError.
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
        """Make a client from the environment variables, and log which ones were used.

        The place is AIGNOSTICS_API_ROOT, else AIGNOSTICS_ENVIRONMENT (production, staging, dev). The
        credential is AIGNOSTICS_ACCESS_TOKEN, else AIGNOSTICS_REFRESH_TOKEN, else AIGNOSTICS_CLIENT_SECRET,
        else the login that `aignostics-async login` made, all but the first with AIGNOSTICS_CLIENT_ID.
        docs/how-to/sign-in.md has the rest. Raises ConfigurationError that names what is missing; there is no
        default place.
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
        """The settings that this client was made with, those of `with_options` included."""
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
        """Return a client that shares this one's connections, under other timeouts, retries or hooks.

            quick = client.with_options(timeouts=Timeouts(read=5), retries=Retries(attempts=1))

        No I/O. It is open as long as this one is, and is not entered. Watching stays under the settings of
        this one, because all watchers share their requests.
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
        """Return the handle of a run; no I/O. Raises UsageError for an id that is no UUID."""
        return Run(run_id, self._session)

    def watch(self, runs: Iterable[Run | str] = (), *, cursor: str | None = None) -> Watcher:
        """Give the changes of many runs as one stream, the current states first; see `Run.watch`.

        `runs` are handles or ids. With the `cursor` of an earlier change, the runs that were not over then
        go on from there, whether they are named or not. Ends when all are over. A run that vanished or can't
        be read does not end the others: at the end all such errors are raised, in one ExceptionGroup.

        Costs one request per hundred runs and `Settings.poll_interval`, and `Settings.results_rate_limit` for
        the items of those that are RUNNING. A state is seen within the interval, and that of an item after
        (RUNNING runs / budget) minutes more. Who is slow to take the changes delays no other watcher and
        misses no final state.
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
        """Give the changes of all runs of the caller, also of those that are created meanwhile; never ends.

        `application` narrows it down to the runs of one application id, `since`, an aware time, to those
        that were triggered then or later. Without it every run that there is will be read once: after a
        restart, give the `cursor` of an earlier change instead, and what was over then is not read again,
        but for runs of the ten minutes before, whose changes come once more (see `Change.id`). A run that
        vanishes is given no more. Costs are those of `watch`.
        """
        return watch_scope(self._session.poller, application=application, since=since, cursor=cursor)

    def download_as_completed(
        self,
        runs: Iterable[Run | str] | Watcher,
        folder: str | os.PathLike[str],
        *,
        progress: Progress | None = None,
    ) -> CompletedItems:
        """Bring each item's files as soon as it succeeds, and give the item when they are there.

            async with client.download_as_completed(runs, "results/") as items:
                async for done in items:
                    print(done.item.reference, [file.path for file in done.files])

        `runs` are handles or ids, or a watcher, such as one of `watch_all` or one that goes on from a cursor.
        Each run has a folder of its id, with a folder for each item, as `Run.download` makes them, and with
        the same guarantees. URLs are those of the reading that showed the item, and signed anew where they
        are refused. A failed file is an outcome of its item and stops no other. At the end it raises what
        `watch` would raise. Costs are those of `watch`; `Limits.transfers` items are under way at once.
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
        address: StoreAddress | str,
        *,
        endpoint: str | None = None,
        verify: Verify = "auto",
        checksums: Checksums = "auto",
    ) -> Store:
        """Return the object store at an address, as `runs.submit` would use it; no I/O.

        `endpoint`, `verify` and `checksums` are for an address that is a text, and mean what the fields of
        `S3` of these names do. Raises ConfigurationError for an address that this release can't use.
        """
        return open_store(address, self._session, endpoint=endpoint, verify=verify, checksums=checksums)

    async def call(self, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run an operation of the generated client and return its generated model.

            from aignostics_api.api.public import list_runs
            runs = await client.call(list_runs, page_size=10)

        `operation` is a module of `aignostics_api.api.public`. Token, retries, timeouts and errors are the
        client's own; an error status raises, so an error model is never returned.
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
