"""What a worker process works with: a client with the credentials of its own environment, a store, a prober.

They are opened for the first task of a job, and closed some time after its last one.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self
from weakref import WeakKeyDictionary

import anyio
from anyio import to_thread
from attrs import define, field

from ..._client import Client
from ..._core._logging import get_logger
from ..._environment_variables import read_environment
from ..._internals import token_claims, transfer_engine
from ...auth import ClientCredentials, StaticToken
from ...errors import AignosticsError, ConfigurationError
from ...slides.workers._prober import Prober
from ...storage._bucket import Bucket
from ..engines._protocol import StageTools
from ._requests import WorkerFacts, WorkerSetup
from ._sealed import Sealed

if TYPE_CHECKING:
    from ..._core._token import Token, TokenSource
    from ...auth._endpoint import Claims
    from ...storage import Store

_IDLE_SECONDS = 60.0
_MIN_TOKEN_SECONDS = 600.0


class _NoToken:
    """The token source of a worker that may not ask the platform."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def get_token(self, *, rejected: Token | None = None) -> Token:  # noqa: ARG002
        """Raise ConfigurationError."""
        raise ConfigurationError(f"a worker of the cluster can't sign in: {self._reason}")


def worker_source(setup: WorkerSetup) -> tuple[TokenSource, str | None]:
    """Return the token source of the environment, and why it is none to be used here; None if it is.

    A refresh token that the provider rotates works once: two workers that use it end the login of both.
    """
    try:
        account = read_environment(os.environ, setup.settings)
    except ConfigurationError as error:
        reason = str(error)
    else:
        if account.api_root != setup.api_root:
            reason = "its environment names another platform"
        elif isinstance(account.source, StaticToken | ClientCredentials):
            return account.source, None
        else:
            reason = "its credential is a refresh token, which two processes must not share"
    return _NoToken(reason), reason


@define(eq=False)
class WorkerTools:
    """The tools of one job in one worker process."""

    setup: WorkerSetup
    api: str | None
    """Why the platform can't be asked; None if it can."""
    source: TokenSource
    client: Client
    prober: Prober
    lock: anyio.Lock = field(factory=anyio.Lock)
    _store: Store | None = None
    _stack: AsyncExitStack = field(factory=AsyncExitStack)
    _users: int = 0
    _is_open: bool = False
    _sees_results: bool | None = None

    @classmethod
    def of(cls, setup: WorkerSetup, threads: int) -> Self:
        """Return the tools, not yet open."""
        source, api = worker_source(setup)
        client = Client(setup.api_root, source, settings=setup.settings, contract=setup.contract)
        prober = Prober(workers=threads, timeout=setup.seconds_per_slide, decode=setup.decode)
        return cls(setup, api, source, client, prober)

    def store(self) -> Store:
        """Return the store; raises ConfigurationError where the environment has no credentials for it."""
        if self._store is None:
            if self.setup.store is None:
                raise ConfigurationError("the store of this job can't be opened by a worker")
            opened = self.client.store(self.setup.store, endpoint=self.setup.store_endpoint)
            if isinstance(opened, Bucket):
                opened.settle_checksums(self.setup.checksums)
            self._store = opened
        return self._store

    @property
    def tools(self) -> StageTools:
        """What tasks work with."""
        return StageTools(self.client, self.store, self.prober)

    def limit(self, bandwidth: float | None) -> None:
        """Limit what all tasks here move, in bytes per second."""
        transfer_engine(self.client).bandwidth.rate = bandwidth

    async def sees_results(self) -> bool:
        """Whether the folder of results is here what it is for the coordinator; looked at once."""
        if self._sees_results is None:
            found = await to_thread.run_sync(content_of, self.setup.mark)
            self._sees_results = found == self.setup.mark_content
        return self._sees_results

    async def facts(self) -> WorkerFacts:
        """Return what this worker is able to do."""
        api, user = self.api, None
        if api is None:
            api, user = await self._account()
        store = None
        try:
            self.store()
        except AignosticsError as error:
            store = str(error)
        return WorkerFacts(api=api, user=user, store=store, sees_results=await self.sees_results())

    async def _account(self) -> tuple[str | None, str | None]:
        try:
            claims = await token_claims(self.client)
        except AignosticsError as error:
            return str(error), None
        left = _seconds_left(claims)
        if isinstance(self.source, StaticToken) and left < _MIN_TOKEN_SECONDS:
            return f"its access token ends in {max(0.0, left):.0f} s", None
        return None, hashed_user(self.setup.salt, claims.subject, claims.organization)

    async def __aenter__(self) -> Self:
        async with self.lock:
            self._users += 1
            if not self._is_open:
                async with AsyncExitStack() as stack:
                    await stack.enter_async_context(self.client)
                    await stack.enter_async_context(self.prober)
                    self._stack = stack.pop_all()
                self._is_open = True
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        self._users -= 1
        if not self._users:
            asyncio.get_running_loop().call_later(_IDLE_SECONDS, self._let_go)

    def _let_go(self) -> None:
        """Close the tools if nobody uses them; the next task opens others."""
        if self._users or not self._is_open:
            return
        kept = _TOOLS.get(asyncio.get_running_loop(), {})
        for sealed in [sealed for sealed, tools in kept.items() if tools is self]:
            del kept[sealed]
        self._is_open = False
        task = asyncio.get_running_loop().create_task(self._stack.aclose())
        _CLOSING.add(task)
        task.add_done_callback(_CLOSING.discard)


_TOOLS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Sealed, WorkerTools]] = WeakKeyDictionary()
_CLOSING: set[asyncio.Task[None]] = set()


def tools_for(setup: Sealed, threads: int) -> WorkerTools:
    """Return the tools of a job in this process, to be entered for a task."""
    kept = _TOOLS.setdefault(asyncio.get_running_loop(), {})
    if setup not in kept:
        # A worker's log is public to all who can open its pages; records here may name files.
        logger = get_logger("aignostics_async")
        logger.propagate = False
        logger.addHandler(logging.NullHandler())
        kept[setup] = WorkerTools.of(setup.open(), threads)
    return kept[setup]


def open_tools() -> list[WorkerTools]:
    """Return the tools of all jobs in this process."""
    return list(_TOOLS.get(asyncio.get_running_loop(), {}).values())


def _seconds_left(claims: Claims) -> float:
    if claims.lifetime is None:
        return float("inf")
    issued_at = time.time() if claims.issued_at is None else claims.issued_at
    return issued_at + claims.lifetime - time.time()


def content_of(mark: Path) -> str:
    """Return what tells a file or folder from others of the same path on other machines; blocks."""
    try:
        if not mark.is_dir():
            return mark.read_text("ascii")
        status = mark.stat()
    except (OSError, ValueError):
        return ""
    return f"{status.st_ino} {status.st_mtime_ns}"


def hashed_user(salt: str, subject: str | None, organization: str | None) -> str | None:
    """Return a user as it can be compared and tells nothing; None if not known."""
    if subject is None:
        return None
    return hashlib.sha256(f"{salt}\n{subject}\n{organization}".encode()).hexdigest()
