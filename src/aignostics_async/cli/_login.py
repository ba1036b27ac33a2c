"""`login`, `logout`, `whoami` and `token`: the credential of this machine."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

from cyclopts import Parameter

from .. import (
    Client,
    DeviceCode,
    MemoryStore,
    Retries,
    Settings,
    StaticToken,
    StoredLogin,
    Token,
    login_browser,
    login_device,
    logout as end_login,
    read_api_root,
    read_environment,
    read_identity_providers,
    read_token_store,
    token_claims,
)
from ..errors import (
    APIStatusError,
    ConfigurationError,
    ConnectionFailed,
    InvalidResponse,
    NotInContract,
    Unauthorized,
)
from ._options import Json
from ._output import err, grid, moment, note, out, print_json, show, text

_DEVICE_FIRST = ("AIGNOSTICS_CLIENT_ID_DEVICE", "AIGNOSTICS_CLIENT_ID", "AIGNOSTICS_CLIENT_ID_INTERACTIVE")
_NOT_SIGNED_IN = 5


async def login(
    *,
    device: Annotated[bool | None, Parameter(negative="--browser")] = None,
    timeout: float = 300,  # noqa: ASYNC109 - a person's time
) -> None:
    """Sign in to the platform that the environment names, and stay signed in.

    AIGNOSTICS_CLIENT_ID is the id of your client; the platform's support gives one to each integration. Ends
    with 5 if you or the provider refuse, or if nobody signs in in time.

    Example: `aignostics-async login --device`

    Parameters
    ----------
    device
        Sign in with a code on another device, or with the browser of this one. The default is the browser,
        except over SSH and without a screen.
    timeout
        Seconds to wait for the browser. A device code has a lifetime of its own.
    """
    providers = read_identity_providers(os.environ)
    store = read_token_store(os.environ)
    if isinstance(store, MemoryStore):
        raise ConfigurationError(
            "a login in memory ends with this command; set AIGNOSTICS_TOKEN_STORE to file"
        )
    if not timeout > 0:
        raise ConfigurationError(f"--timeout must be more than 0 seconds, not {timeout}")
    if device is None:
        is_for_devices = list(providers) == ["AIGNOSTICS_CLIENT_ID_DEVICE"]
        device = is_for_devices or (_is_remote() and next(iter(providers.values())).device_url is not None)
    if device:
        provider = next(providers[name] for name in _DEVICE_FIRST if name in providers)
        await login_device(provider, show=_show_code, store=store)
    else:
        provider = next(iter(providers.values()))
        await login_browser(provider, show=_show_address, timeout=timeout, store=store)
    note(f"signed in as {provider.display_name} for {read_api_root(os.environ)}")
    _warn_of_precedence()


async def logout() -> None:
    """Sign out every client that the environment names: delete its login, and revoke the refresh token.

    Ends with 1 if a token could not be revoked; the logins are deleted nevertheless.

    Example: `aignostics-async logout`
    """
    providers = read_identity_providers(os.environ).values()
    was_signed_in = await end_login(*providers, store=read_token_store(os.environ))
    note("signed out" if was_signed_in else "there was no login to end")
    _warn_of_precedence()


async def whoami(*, json: Json = False) -> int:
    """Show the credential that is used, its user and its organization. Shows no token.

    Sends one request where the platform tells who the caller is, as under contract 1.8. Ends with 5 if a
    login is needed.

    Example: `aignostics-async whoami --json`
    """
    account = read_environment(os.environ, Settings())
    facts: dict[str, Any] = {"api_root": account.api_root, "credential": account.display_name}
    if isinstance(account.source, StaticToken):
        facts |= _token_facts(await account.source.get_token())
    if isinstance(account.source, StoredLogin):
        facts |= await _login_facts(account.source)
    if facts.get("signed_in", "") is not None:
        facts |= await _account_facts()
    if json:
        print_json(facts)
    else:
        rows = [
            (name, "no; `aignostics-async login` does it" if value is None else value)
            for name, value in facts.items()
        ]
        show(grid((text(name), text(value)) for name, value in rows))
    return _NOT_SIGNED_IN if facts.get("signed_in", "") is None else 0


async def token(*, show: Annotated[bool, Parameter(negative=(), show_default=False)] = False) -> None:
    """Get a usable access token, refreshing it if needed; --show prints it.

    Ends with 5 if a login is needed.

    Example: `aignostics-async token --show`

    Parameters
    ----------
    show
        Print the token. Whoever sees it can act as you until it expires.
    """
    account = read_environment(os.environ, Settings())
    access = await account.source.get_token()
    if show:
        out(access.text)
    else:
        left = "" if access.lifetime is None else f", valid for {access.seconds_left:.0f} s"
        note(f"there is a usable access token{left}; --show prints it")


async def _login_facts(source: StoredLogin) -> dict[str, Any]:
    provider, tokens = await source.latest()
    facts: dict[str, Any] = {
        "client_id": provider.client_id,
        "issuer": provider.issuer,
        "kept_in": str(read_token_store(os.environ)),
    }
    if tokens is None:
        return {**facts, "signed_in": None}
    return {**facts, "signed_in": _iso(tokens.signed_in_at), **_token_facts(tokens.access)}


async def _account_facts() -> dict[str, Any]:
    """Return what the platform says of the caller; nothing under a contract that does not tell it."""
    settings = Settings(retries=Retries(attempts=1))
    try:
        async with Client.from_env(settings=settings) as session:
            me = await session.me()
    except NotInContract:
        return {}
    except (ConnectionFailed, APIStatusError, InvalidResponse) as error:
        if isinstance(error, Unauthorized):
            raise
        err(f"the platform does not say who this is: {error}")
        return {}
    told = {
        "user": me.user.user_id,
        "email": me.user.email,
        "organization": me.organization.organization_id,
        "organization_name": me.organization.display_name or me.organization.name,
    }
    return {name: value for name, value in told.items() if value is not None}


def _token_facts(access: Token) -> dict[str, Any]:
    claims = token_claims(access)
    ends = None if access.lifetime is None else _iso(access.issued_at + access.lifetime)
    facts = {"subject": claims.subject, "organization": claims.organization, "token_ends": ends}
    return {name: value for name, value in facts.items() if value is not None}


def _iso(seconds: float) -> str | None:
    when = moment(seconds)
    return None if when is None else when.isoformat(timespec="seconds")


def _warn_of_precedence() -> None:
    """Name the variables that take precedence over a login."""
    for name in ("AIGNOSTICS_ACCESS_TOKEN", "AIGNOSTICS_REFRESH_TOKEN", "AIGNOSTICS_CLIENT_SECRET"):
        if os.environ.get(name, "").strip():
            note(f"{name} is set, and is used in place of any login")


def _is_remote() -> bool:
    if "SSH_CONNECTION" in os.environ:
        return True
    return sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _show_address(address: str) -> None:
    err(f"sign in with your browser; if none opens, open this address:\n{address}")


def _show_code(code: DeviceCode) -> None:
    err(f"on any device, open {code.verification_url}\nand enter the code {code.user_code}")
    if code.verification_url_complete is not None:
        err(f"or open {code.verification_url_complete}")
