"""The client: construction, lifetime, and its resources."""

from __future__ import annotations

import os
from collections.abc import Iterable
from copy import copy
from inspect import signature
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from attrs import evolve

from ._config import as_settings
from ._core._arguments import as_path
from ._core._logging import get_logger
from ._core._misuse import explains_misuse
from ._core._secret import conceals_arguments
from ._core._urls import check_root
from ._environment_variables import choose_contract, read_environment
from ._session import Connections, Session
from .auth import StaticToken, TokenSource
from .errors import ConfigurationError, UsageError
from .resources import Health, read_health
from .resources._applications import Applications
from .resources._run import Run
from .resources._runs import Runs
from .watch import Watcher
from .watch._start import watch_runs, watch_scope

if TYPE_CHECKING:
    from datetime import datetime

    from ._account_models import Me
    from ._config import Retries, Settings, Timeouts
    from ._hooks import Hooks
    from .contracts._protocol import Operation
    from .downloads._completed_items import CompletedItems
    from .storage import Checksums, Store, StoreAddress, Verify
    from .transfer.progress._events import Progress

_log = get_logger("aignostics_async")
_P = ParamSpec("_P")
_T = TypeVar("_T")


@explains_misuse(
    "a client is opened with `async with Client(...) as client:`; in it, runs are listed with "
    "`async for run in client.runs.list():`"
)
class Client:
    """A client of the platform, for one user, in one event loop.

        async with Client("https://platform.aignostics.com", token) as client:
            version = await client.applications.version("he-tme:v1.0.0")

    `api_root` is the URL of a deployment, without `/api`. `token` is an access token or a token source, such
    as `RefreshToken`. `settings` are `Settings()` by default. `contract` is the contract that the deployment
    speaks, `"1.0"` or `"1.8"`; None, the default, for AIGNOSTICS_CONTRACT, else that of a known deployment,
    else 1.8. `applications` and `runs` are its resources, an `Applications` and a `Runs`.

    Creating a client does no I/O. Entering it binds it to the running event loop, whose tasks can all share
    it, reads the CA certificates, and sends no request. Leaving it ends transfers and watchers that are under
    way with UsageError, and closes the connections and the token source.

    Creating it raises ConfigurationError for an API root that is not https (or http on this machine) or is
    otherwise invalid, an invalid token or token source, an unknown contract, or settings of another type.
    Entering it raises ConfigurationError for a proxy or certificates that can't be used, and UsageError the
    second time or without a running asyncio loop. Leaving it raises what `aclose` of a token source of your
    own raises. Using a client outside its `async with` block or in another event loop raises UsageError.
    """

    @conceals_arguments
    def __init__(
        self,
        api_root: str,
        token: str | TokenSource,
        *,
        settings: Settings | None = None,
        contract: str | None = None,
    ) -> None:
        source = _as_source(token)
        settings, root = as_settings(settings), check_root(api_root)
        line = choose_contract(root, contract, os.environ)
        self._hold(Session(Connections(root, source, settings, line), settings))
        self._is_view = False

    def _hold(self, session: Session) -> None:
        self._session = session
        self.applications = Applications(session)
        self.runs = Runs(session, self.applications)

    @classmethod
    def from_env(
        cls,
        *,
        settings: Settings | None = None,
        contract: str | None = None,
        fallback_contract: str | None = None,
    ) -> Self:
        """Create a client from environment variables, and log the names of those that were used.

            async with Client.from_env() as client:
                runs = await client.runs.list().to_list()

        AIGNOSTICS_API_ROOT or AIGNOSTICS_ENVIRONMENT (production, staging, dev) sets the deployment; there is
        no default. The credential is the first of AIGNOSTICS_ACCESS_TOKEN, AIGNOSTICS_REFRESH_TOKEN,
        AIGNOSTICS_CLIENT_SECRET, and the login made by `aignostics-async login`; all but the first need a
        client id, such as AIGNOSTICS_CLIENT_ID. docs/how-to/sign-in.md lists further variables.

        `settings` are `Settings()` by default. The contract is `contract`, else AIGNOSTICS_CONTRACT, else
        that of a known deployment, else `fallback_contract`, else 1.8; each is `"1.0"` or `"1.8"`, and None
        by default.

        Sends no request. Raises ConfigurationError if a variable is missing, naming it, if one that is used
        is invalid, if AIGNOSTICS_API_ROOT and AIGNOSTICS_ENVIRONMENT have different origins, if the contract
        is unknown, if a file or the key ring is to keep a login and the user has no home folder, or for
        settings of another type; and MissingExtra if the key ring is to keep it and the `keyring` extra is
        not installed.
        """
        settings = as_settings(settings)
        account = read_environment(os.environ, settings)
        _log.info("using %s", account.display_name)
        line = choose_contract(account.api_root, contract, os.environ, fallback=fallback_contract)
        return cls(account.api_root, account.source, settings=settings, contract=line)

    def __repr__(self) -> str:
        # A client whose construction has failed is a variable of the tracebacks of a subclass.
        return f"Client({self.api_root!r})" if "_session" in vars(self) else "Client(...)"

    @property
    def api_root(self) -> str:
        """The URL of the platform's deployment, without `/api` and without a trailing slash."""
        return self._session.api_root

    @property
    def contract(self) -> str:
        """The name of the contract that the client speaks: `"1.0"` or `"1.8"`."""
        return self._session.connections.contract

    @property
    def settings(self) -> Settings:
        """The settings of this client; for a client made by `with_options`, with those options."""
        return self._session.settings

    async def __aenter__(self) -> Self:
        if self._is_view:
            raise UsageError("this client shares the connections of the one it was made from; enter that one")
        await self._session.connections.open()
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        await self._session.connections.aclose()

    def with_options(
        self,
        *,
        timeouts: Timeouts | None = None,
        retries: Retries | None = None,
        hooks: Hooks | None = None,
    ) -> Self:
        """Return a client that shares the connections of this one, with other timeouts, retries or hooks.

            quick = client.with_options(timeouts=Timeouts(read=5), retries=Retries(attempts=1))
            details = await quick.runs.get(run_id)

        An argument that is None, the default, keeps this client's value. The new client is open as long as
        this one is; entering it raises UsageError. Watchers and transfers of either client use the settings
        of the one that was entered, because they share requests and connections. Sends no request. Raises
        ConfigurationError for an argument of another type.
        """
        given: dict[str, Any] = {"timeouts": timeouts, "retries": retries, "hooks": hooks}
        changes = {name: value for name, value in given.items() if value is not None}
        other = copy(self)
        settings = evolve(self.settings, **changes)
        other._hold(Session(self._session.connections, settings))  # noqa: SLF001 - its own class
        other._is_view = True  # noqa: SLF001
        return other

    async def me(self) -> Me:
        """Return the user and the organization of the client's token.

            me = await client.me()
            print(me.user.email, me.organization.display_name)

        Costs one request. Raises NotInContract under contract 1.0, and the errors of requests that `Pager`
        names.
        """
        return await self._session.bridge.get_me()

    async def health(self) -> Health:
        """Return the health that the deployment reports of itself.

            health = await client.health()
            if health.status == HealthStatus.DOWN: ...

        Costs one request, to `/health` below the API root, which carries no token and is not repeated. The
        status of the response does not count: any body but a JSON object with a text `status` is UNKNOWN.
        Raises UsageError if the client is not open, NotInContract under contract 1.0, ConnectionFailed if
        there was no complete response within 30 s or `Settings.timeouts`, InvalidResponse for one whose
        compression is damaged or that has 16 MiB or more, and ConfigurationError for a proxy or certificates
        that can no longer be used.
        """
        return await read_health(self._session)

    def run(self, run_id: str) -> Run:
        """Return a handle of a run by its id, without a request.

            run = client.run("0b5c1f8e-6f0e-4c55-9d1f-7a3f1f2f9a10")
            details = await run.details()

        A run that does not exist raises NotFound when the handle is used. Raises UsageError for an id that is
        not a UUID.
        """
        return Run(run_id, self._session)

    def watch(self, runs: Iterable[Run | str] = (), *, cursor: str | None = None) -> Watcher:
        """Watch several runs as one stream of changes, the current states first.

            async for change in client.watch([run, "0b5c1f8e-6f0e-4c55-9d1f-7a3f1f2f9a10"]):
                print(change.run_id, change.reference, change.old, "->", change.new)

        `runs` are handles or ids, none by default. With the `cursor` of an earlier change (None by default),
        the runs that were not final then continue from there, even if they are not in `runs`. Iteration ends
        when all runs are final, and at once if there are none.

        A run that vanishes or can't be read does not stop the others; at the end all such errors, which are
        those of `Run.watch`, are raised in one ExceptionGroup. A login that is not accepted, or a listing of
        runs that fails, ends the iteration with its error: at once, as with LoginRequired or Forbidden, or if
        it is transient after `Settings.outage_timeout` (300 s), sooner if a `Retry-After` goes beyond that.

        Every `Settings.poll_interval` (30 s) it costs about one request per run, or per hundred runs of the
        caller if those are fewer; and up to `Settings.results_rate_limit` (600) requests a minute for the
        items. All watchers of the client share them.

        Raises UsageError at once for a single run instead of several, an id that is not a UUID, an invalid
        cursor, or if the client is not open.
        """
        if isinstance(runs, str | Run) or not isinstance(runs, Iterable):
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
        """Watch all runs of the caller, including runs created later; never ends by itself.

            async for change in client.watch_all(since=datetime.now(UTC)):
                print(change.run_id, change.new)

        `application` limits the watch to one application id, and `since`, a datetime with time zone, to runs
        submitted at that time or later; None, the default, sets no limit, and without `since` every existing
        run is read once. After a restart pass the `cursor` of an earlier change instead (None by default),
        and watching continues there. Some runs that were final by then may be reported again, with the same
        `Change.id`.

        A run that vanishes or can't be read is dropped with a warning in the log. A login that is not
        accepted, or a listing of runs that fails, ends the iteration with its error: at once, as with
        LoginRequired, Forbidden or InvalidResponse, or if it is transient after `Settings.outage_timeout`
        (300 s), sooner if a `Retry-After` goes beyond that.

        Costs the requests that `watch` costs. Raises UsageError at once for an `application` that is a
        version or can't be an id, a `since` without time zone, an invalid cursor, or if the client is not
        open.
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

        `runs` are handles or ids, or a watcher, for example one from `watch_all` or one that continues from a
        cursor. `folder`, which is created if it is missing, gets a folder per run id, and in it a folder per
        item. Files are named and verified as by `Run.download`; up to `Limits.transfers` (16) items are
        downloaded at once. A file that fails is reported in `CompletedItem.files`, raises nothing, and stops
        no other file.

        `progress` is called in the event loop with a `TransferEvent` for each step; None, the default, for no
        callback. An exception that it raises stops the downloads and is raised. At the end the iteration
        raises what `watch` raises, or what the watcher that was passed raises. Costs the requests that
        `watch` costs, and one for each URL that the listing leaves out or the storage refuses. Keeps the
        items of each run in memory until the run is final. Raises UsageError at once for `runs` that `watch`
        refuses, a `folder` that is no path, an async `progress`, or if the client is not open.
        """
        from .downloads._completed_items import CompletedItems

        return CompletedItems(
            runs if isinstance(runs, Watcher) else self.watch(runs),
            as_path(folder, "folder"),
            self.run,
            engine=self._session.engine,
            checksums=self._session.checksums,
            progress=progress,
        )

    @conceals_arguments
    def store(
        self,
        address: Store | StoreAddress | str,
        *,
        endpoint: str | None = None,
        verify: Verify = "auto",
        checksums: Checksums = "auto",
    ) -> Store:
        """Return the object store at an address, as `Runs.submit` would use it.

            store = client.store("s3://slides/lab-7", verify="read-back")

        `address` is one of these:

        - a text: `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`, `platform` for the
          bucket that the platform provides for the organization, or the https URL of a server of the API's
          own origin that signs URLs
        - a `StoreAddress`, such as `S3`, `GCS`, `Azure`, `PlatformBucket` or `Presigned`, whose `connect` is
          called
        - a `Store`, which is returned as it is

        The options are for a text only, and mean the same as the fields of `S3`. `verify` is `"auto"` (the
        default) or `"read-back"`. `checksums` is `"auto"` (the default), `"when_required"` or `"always"`, and
        counts for `s3://` alone. `endpoint` is by default that of AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL for
        `s3://`, that of STORAGE_EMULATOR_HOST for `gs://` and `platform`, that of AZURE_STORAGE_ENDPOINT for
        `az://`, and otherwise the cloud's own. Credentials, and the region for `s3://`, come from the
        environment; the classes name the variables.

        Sends no request. Methods of the store that send one raise UsageError if the client is not open, and
        those of `platform` NotInContract under contract 1.0. Raises ConfigurationError for an unsupported
        address, if no usable credentials for it are found, if the region of an `s3://` bucket without
        endpoint is not known, for an invalid option, for an `endpoint` with an https URL, or for an option
        with an object; MissingExtra for Azure without the `stores` extra; and what `connect` of an address of
        your own raises.
        """
        from .storage._addresses import open_store

        return open_store(address, self._session, endpoint=endpoint, verify=verify, checksums=checksums)

    async def call(self, operation: Operation[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call an operation of the generated package, and return its generated model.

            from aignostics_api_1_8.api.public import list_runs

            runs = await client.call(list_runs, page_size=10)

        `operation` is a module of `aignostics_api_1_8.api.public`, or of `aignostics_api.api.public` under
        contract 1.0; further arguments are those of its `asyncio` function, without `client`. The request
        uses the token, retries, timeouts and hooks of this client. Returns None if the response has no body,
        or a 2xx status that the operation does not list.

        Costs one request and its retries; a POST is not repeated, except after a 401 or if no connection was
        made. A redirect is not followed, but raised as an APIStatusError. Raises UsageError for a module that
        is not an operation, an operation of another contract, or arguments that make no request; and the
        errors of requests that `Pager` names.
        """
        running = self._session.bridge.call(operation, *args, **kwargs)
        del args, kwargs  # they may hold signed URLs, and tracebacks show the variables of this frame
        return await running


def _as_source(token: object) -> TokenSource:
    source = StaticToken(token) if isinstance(token, str) else token
    kind = type(source).__name__
    if not isinstance(source, TokenSource):
        advice = "; wrap a function of your own in CallableToken" if callable(source) else ""
        raise ConfigurationError(f"a token is a str, or an object with get_token, not {kind}{advice}")
    try:
        signature(source.get_token).bind(rejected=None)
    except (TypeError, ValueError):  # the second for what tells no signature
        form = "`async def get_token(self, *, rejected=None)`"
        if isinstance(source, type):
            form += " of an object, not a class"
        raise ConfigurationError(f"get_token of {kind} must be {form}") from None
    return source
