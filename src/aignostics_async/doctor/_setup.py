"""All checks of a setup, in order; one that depends on a broken one is left out, and says so."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from .._client import Client
from .._config import Retries, Settings, as_settings
from .._core._arguments import as_path
from .._environment_variables import choose_contract, read_environment
from ..errors import AignosticsError, ConfigurationError
from . import _machine, _platform
from ._report import CheckState, SetupCheck, SetupReport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ..storage import Store, StoreAddress

_ACCOUNT = "token and organization"
_OF_THE_PLATFORM = ("contract", "health", "clock", _ACCOUNT)
_WITHOUT_REPETITION = Settings(retries=Retries(attempts=2))


async def check_setup(
    *,
    store: Store | StoreAddress | str | None = None,
    endpoint: str | None = None,
    folder: str | os.PathLike[str] = ".",
    settings: Settings | None = None,
    variables: Mapping[str, str] | None = None,
) -> SetupReport:
    """Check everything that a submission or a bulk job needs, and report what does not work.

        report = await check_setup(store="s3://slides/lab-7", folder="results/")
        for check in report.faults:
            print(check.name, check.detail, check.remedy)

    `store` is the store for slides, with its `endpoint`, as for `Client.store`; None, the default, checks no
    store. `folder` is the folder for jobs and results, by default the current one. `settings` are by default
    those of `Settings()` with two attempts per request. Deployment and credential are those of `variables`,
    by default the environment: see `Client.from_env`.

    The checks are, in this order: proxy and CA, deployment, contract, health, clock, token and organization,
    store, slides reader, scratch disk, file locks, key ring (or where else logins are kept), free disk. One
    is UNKNOWN if another that it depends on has failed, and that of a store that was not given is SKIPPED.

    What does not work is reported, not raised: that includes missing or wrong variables, credentials and
    extras. Raises UsageError for a `folder` that is no path, ConfigurationError for `settings` of another
    type, and what a store of your own raises that is no AignosticsError.

    Costs a few requests to the platform, and those for a token; some to the store, for a small object, which
    is deleted where the store can; a process that reads a slide; and small files and a key ring entry that
    are deleted again. Creates the folder of logins if it is missing, uploads no slide and creates no run.
    """
    given = _HiddenVariables(os.environ if variables is None else variables)
    place = as_path(folder, "folder")
    used = _WITHOUT_REPETITION if settings is None else as_settings(settings)
    scratch = await _machine.check_scratch()
    asked = _StoreToAsk(store, endpoint, scratch)
    checks = [check async for check in _platform_checks(given, used, asked)]
    checks += [
        await _machine.check_reader(),
        scratch,
        await _machine.check_locks(place),
        await _machine.check_token_store(given),
        await _machine.check_free_disk(place),
    ]
    return SetupReport(tuple(checks))


class _HiddenVariables(dict[str, str]):
    """Environment variables, whose values do not show in a traceback."""

    def __repr__(self) -> str:
        return "_HiddenVariables(...)"


@frozen
class _StoreToAsk:
    """The store that was given, and whether an object for it can be written."""

    store: Store | StoreAddress | str | None
    endpoint: str | None
    scratch: SetupCheck

    def left_out(self, cause: str) -> SetupCheck:
        """Return why it is not asked."""
        if self.store is None:
            return SetupCheck("store", CheckState.SKIPPED, "none was given", "name it with --store")
        return _left_out("store", cause)

    async def check(self, client: Client) -> SetupCheck:
        if self.store is None:
            return self.left_out(_ACCOUNT)
        if self.scratch.state is CheckState.FAULT:
            return self.left_out(self.scratch.name)
        return await _platform.check_store(client, self.store, self.endpoint)


async def _platform_checks(
    variables: Mapping[str, str], settings: Settings, store: _StoreToAsk
) -> AsyncIterator[SetupCheck]:
    root = _platform.read_root(variables)
    if isinstance(root, SetupCheck):
        yield _left_out("proxy and CA", root.name)
        yield root
        for name in _OF_THE_PLATFORM:
            yield _left_out(name, root.name)
        yield store.left_out(root.name)
        return
    network = _platform.check_network(root, settings)
    yield network
    if network.state is CheckState.FAULT:
        for name in ("deployment", *_OF_THE_PLATFORM):
            yield _left_out(name, network.name)
        yield store.left_out(network.name)
        return
    deployment, health = await _platform.ask_deployment(root, settings)
    yield deployment
    if health is None:
        for name in _OF_THE_PLATFORM:
            yield _left_out(name, deployment.name)
        yield store.left_out(deployment.name)
        return
    async for check in _asked(root, variables, settings):
        yield check
    yield _platform.check_health(health)
    yield _platform.check_clock(health)
    async for check in _signed_in(root, variables, settings, store):
        yield check


async def _asked(root: str, variables: Mapping[str, str], settings: Settings) -> AsyncIterator[SetupCheck]:
    try:
        contract = choose_contract(root, None, variables)
    except ConfigurationError as error:
        remedy = "set AIGNOSTICS_CONTRACT to 1.8 or 1.0, or nothing"
        yield SetupCheck("contract", CheckState.FAULT, str(error), remedy)
        return
    yield await _platform.check_drift(root, contract, settings)


async def _signed_in(
    root: str, variables: Mapping[str, str], settings: Settings, store: _StoreToAsk
) -> AsyncIterator[SetupCheck]:
    try:
        contract = choose_contract(root, None, variables)
    except ConfigurationError:
        yield _left_out(_ACCOUNT, "contract")
        yield store.left_out("contract")
        return
    try:
        account = read_environment(variables, settings)
    except AignosticsError as error:
        remedy = "sign in with `aignostics-async login`; docs/how-to/sign-in.md lists the variables"
        yield SetupCheck(_ACCOUNT, CheckState.FAULT, str(error), remedy)
        yield store.left_out(_ACCOUNT)
        return
    async with Client(account.api_root, account.source, settings=settings, contract=contract) as client:
        yield await _platform.check_account(client)
        yield await store.check(client)


def _left_out(name: str, cause: str) -> SetupCheck:
    return SetupCheck(name, CheckState.UNKNOWN, f"not looked at, because of: {cause}")
