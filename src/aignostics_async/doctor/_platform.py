"""Checks of the deployment, the account and the store: what the work will ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from .._contract_check import check_contract
from .._core._pager import MIN_PAGE_SIZE
from .._core._proxies import proxy_for
from .._core._redaction import excerpt
from .._environment_variables import read_api_root
from .._http._client import open_client, ssl_context
from .._http._document import fetch_health
from ..bulk._identity import read_account
from ..bulk.preflight._store_probe import probe_store
from ..errors import (
    AignosticsError,
    ConfigurationError,
    ConnectionFailed,
    InvalidResponse,
    LoginRequired,
)
from ..models import HealthStatus
from ..resources import Health, health_in
from ._report import CheckState, SetupCheck

if TYPE_CHECKING:
    from .._client import Client
    from .._config import Settings
    from ..storage import Store, StoreAddress

_SKEW = timedelta(minutes=1)
_MAX_SKEW = timedelta(minutes=15)  # of object stores, beyond which they refuse signatures
_PREFIX = "aignostics-async"


def check_network(root: str, settings: Settings) -> SetupCheck:
    """Look at the proxy and the certificates that would be used."""
    name = "proxy and CA"
    try:
        context = ssl_context(settings)
        open_client(settings, context, root)
        proxy = proxy_for(root, proxy=settings.proxy, trust_env=settings.trust_env)
        through = "directly" if proxy is None else f"through {proxy.url}"
    except (ConfigurationError, ValueError) as error:
        remedy = "set SSL_CERT_FILE to the certificates of your network, and HTTPS_PROXY to its proxy"
        return SetupCheck(name, CheckState.FAULT, excerpt(str(error)), remedy)
    return SetupCheck(name, CheckState.OK, f"{root} is reached {through}")


def read_root(variables: Mapping[str, str]) -> str | SetupCheck:
    """Return the URL of the deployment, or the fault of the setting."""
    try:
        return read_api_root(variables)
    except ConfigurationError as error:
        return SetupCheck("deployment", CheckState.FAULT, str(error))  # which says what to set


async def ask_deployment(root: str, settings: Settings) -> tuple[SetupCheck, Health | None]:
    """Reach the deployment; return what it says about its health, too."""
    name = "deployment"
    try:
        response = await fetch_health(root, settings)
    except (ConnectionFailed, InvalidResponse) as error:
        remedy = "check AIGNOSTICS_API_ROOT, the network, and what stands between"
        return SetupCheck(name, CheckState.FAULT, str(error), remedy), None
    return SetupCheck(name, CheckState.OK, f"{root} answers"), health_in(response)


async def check_drift(root: str, contract: str, settings: Settings) -> SetupCheck:
    """Compare the deployment's own document with what this release was built for."""
    name = "contract"
    try:
        drifts = await check_contract(root, contract=contract, settings=settings)
    except AignosticsError as error:
        if isinstance(error, InvalidResponse) or getattr(error, "status", None) == 404:
            detail = f"the deployment shows no document; contract {contract} is assumed"
            return SetupCheck(name, CheckState.UNKNOWN, detail)
        return SetupCheck(name, CheckState.FAULT, str(error), "look again later")
    breaking = [each for each in drifts if each.severity == "breaking"]
    if breaking:
        remedy = "install a newer release, or set AIGNOSTICS_CONTRACT; `contract check` lists everything"
        detail = f"{len(breaking)} differences break something, such as {breaking[0]}"
        return SetupCheck(name, CheckState.FAULT, detail, remedy)
    if drifts:
        detail = f"contract {contract}, and {len(drifts)} additions that this release does not use"
        return SetupCheck(name, CheckState.OK, detail)
    return SetupCheck(name, CheckState.OK, f"contract {contract}, as this release expects it")


def check_health(health: Health) -> SetupCheck:
    """Judge what the deployment says of itself."""
    name = "health"
    if health.status == HealthStatus.UP:
        return SetupCheck(name, CheckState.OK, "UP")
    if health.status == HealthStatus.DOWN:
        return SetupCheck(name, CheckState.FAULT, "DOWN", "wait until it is up; bulk jobs wait by themselves")
    if health.status == HealthStatus.UNKNOWN:
        return SetupCheck(name, CheckState.UNKNOWN, "the deployment does not say; nothing follows from that")
    remedy = "submit little, or later"
    return SetupCheck(name, CheckState.WARNING, excerpt(str(health.status)), remedy)


def check_clock(health: Health, now: datetime | None = None) -> SetupCheck:
    """Compare the clock of this machine with the deployment's."""
    name, remedy = "clock", "set the clock of this machine, best by NTP: stores and tokens depend on it"
    if health.date is None:
        return SetupCheck(name, CheckState.UNKNOWN, "the deployment does not tell the time")
    skew = (now or datetime.now(UTC)) - health.date
    side = "ahead of" if skew > timedelta() else "behind"
    detail = f"{abs(skew).total_seconds():.0f} s {side} the platform"
    if abs(skew) > _MAX_SKEW:
        return SetupCheck(name, CheckState.FAULT, detail, remedy)
    if abs(skew) > _SKEW:
        return SetupCheck(name, CheckState.WARNING, detail, remedy)
    return SetupCheck(name, CheckState.OK, detail)


async def check_account(client: Client) -> SetupCheck:
    """Ask the platform who the token belongs to, or whether it takes the token at all."""
    name = "token and organization"
    try:
        detail = await _account(client)
    except AignosticsError as error:
        again = "sign in again with `aignostics-async login`, and check AIGNOSTICS_ORGANIZATION"
        remedy = "" if isinstance(error, LoginRequired) else again  # which says how to sign in
        return SetupCheck(name, CheckState.FAULT, str(error), remedy)
    return SetupCheck(name, CheckState.OK, detail)


async def _account(client: Client) -> str:
    me = await read_account(client)
    if me is None:
        async for _ in client.runs.list(page_size=MIN_PAGE_SIZE):
            break
        return "the token is accepted"
    user, organization = me.user, me.organization
    named = organization.display_name or organization.name or organization.organization_id
    return f"{user.email or user.name or user.user_id} of {named}"


async def check_store(client: Client, store: Store | StoreAddress | str, endpoint: str | None) -> SetupCheck:
    """Make a round trip with the store."""
    name = "store"
    try:
        probe = await probe_store(client.store(store, endpoint=endpoint), client, _PREFIX)
    except AignosticsError as error:
        remedy = "check its address and its key; docs/how-to/stores.md says what each store needs"
        return SetupCheck(name, CheckState.FAULT, str(error), remedy)
    if probe.faults:
        return SetupCheck(name, CheckState.FAULT, probe.faults[0].problem, probe.faults[0].remedy)
    steps = f"{', '.join(probe.steps)} worked"
    for warning in probe.warnings:
        return SetupCheck(name, CheckState.WARNING, f"{steps}; {warning.problem}", warning.remedy)
    return SetupCheck(name, CheckState.OK, steps)
