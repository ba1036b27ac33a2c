"""`login`, `logout`, `whoami` and `token`: who this machine is signed in as."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import Parameter

from .._config import Settings
from .._core._secret import Secret
from .._environment import read_api_root, read_environment, read_identity_providers, read_token_store
from ..auth import (
    DeviceCode,
    MemoryStore,
    StaticToken,
    StoredLogin,
    Token,
    login_browser,
    login_device,
    logout as forget,
)
from ..auth._endpoint import read_claims
from ..auth._stored_tokens import logins
from ..errors import ConfigurationError
from ._common import Json, print_json, print_table

_DEVICE_FIRST = ("AIGNOSTICS_CLIENT_ID_DEVICE", "AIGNOSTICS_CLIENT_ID", "AIGNOSTICS_CLIENT_ID_INTERACTIVE")


async def login(
    *,
    device: Annotated[bool | None, Parameter(negative="--browser")] = None,
    timeout: float = 300,  # noqa: ASYNC109 - a person's time
) -> None:
    """Sign in to the platform that the environment names, and stay signed in.

    AIGNOSTICS_CLIENT_ID is the id of your client; the platform's support gives one to each integration.

    Parameters
    ----------
    device
        Sign in with a code on another device, or with the browser of this one; by default the browser, except
        over SSH and where there is no screen.
    timeout
        Seconds to wait for the sign-in in the browser.
    """
    providers = read_identity_providers(os.environ)
    store = read_token_store(os.environ)
    if isinstance(store, MemoryStore):
        raise ConfigurationError(
            "a login in memory ends with this command; set AIGNOSTICS_TOKEN_STORE to file"
        )
    if not timeout > 0:
        raise ConfigurationError(f"--timeout is a number of seconds, more than 0, not {timeout}")
    if device is None:
        is_for_devices = list(providers) == ["AIGNOSTICS_CLIENT_ID_DEVICE"]
        device = is_for_devices or (_is_remote() and next(iter(providers.values())).device_url is not None)
    if device:
        provider = next(providers[name] for name in _DEVICE_FIRST if name in providers)
        await login_device(provider, show=_show_code, store=store)
    else:
        provider = next(iter(providers.values()))
        await login_browser(provider, show=_show_address, timeout=timeout, store=store)
    _tell(f"signed in as {provider.described} for {read_api_root(os.environ)}")
    _tell_what_comes_first()


async def logout() -> None:
    """Sign out: give the refresh token back and forget the login, of every client that is set."""
    forgotten = await forget(
        *read_identity_providers(os.environ).values(), store=read_token_store(os.environ)
    )
    _tell("signed out" if forgotten else "there was no login to end")
    _tell_what_comes_first()


async def whoami(*, json: Json = False) -> int:
    """Show which credential is used, where, and whose it is. No token is shown, and nobody is asked."""
    account = read_environment(os.environ, Settings())
    told: dict[str, Any] = {"api_root": account.api_root, "credential": account.described}
    if isinstance(account.source, StaticToken):
        told |= _told_of(await account.source.get_token())
    if isinstance(account.source, StoredLogin):
        told |= await _login_told()
    if json:
        print_json(told)
    else:
        shown = {
            name: "no; `aignostics-async login` does it" if value is None else value
            for name, value in told.items()
        }
        print_table(("", ""), shown.items())
    return 5 if told.get("signed_in", "") is None else 0


async def token(*, show: Annotated[bool, Parameter(negative=())] = False) -> None:
    """Get a usable access token, renewing it where needed; say so, or print it with --show.

    Parameters
    ----------
    show
        Print the token, for a program that reads it. Whoever sees it can act for you until it ends.
    """
    account = read_environment(os.environ, Settings())
    got = await account.source.get_token()
    if show:
        print(got.text)
    else:
        left = "" if got.lifetime is None else f", good for {got.seconds_left:.0f} s"
        _tell(f"there is a usable access token{left}; --show prints it")


async def _login_told() -> dict[str, Any]:
    store = read_token_store(os.environ)
    (provider, tokens), *_ = await logins(list(read_identity_providers(os.environ).values()), store)
    told: dict[str, Any] = {
        "client_id": provider.client_id,
        "issuer": provider.issuer,
        "kept_in": repr(store),
    }
    if tokens is None:
        return {**told, "signed_in": None}
    return {**told, "signed_in": _iso(tokens.signed_in_at), **_told_of(tokens.access)}


def _told_of(access: Token) -> dict[str, Any]:
    claims = read_claims(Secret(access.text))
    ends = None if access.lifetime is None else _iso(access.issued_at + access.lifetime)
    told = {"subject": claims.subject, "organization": claims.organization, "token_ends": ends}
    return {name: value for name, value in told.items() if value is not None}


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def _tell_what_comes_first() -> None:
    """Say which variable a login does not count beside."""
    for name in ("AIGNOSTICS_ACCESS_TOKEN", "AIGNOSTICS_REFRESH_TOKEN", "AIGNOSTICS_CLIENT_SECRET"):
        if os.environ.get(name, "").strip():
            _tell(f"{name} is set, and is used in place of any login")


def _is_remote() -> bool:
    if "SSH_CONNECTION" in os.environ:
        return True
    return sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _show_address(address: str) -> None:
    _tell(f"sign in with your browser; if none opens, open this address:\n  {address}")


def _show_code(code: DeviceCode) -> None:
    _tell(f"on any device, open {code.verification_url}\nand enter the code {code.user_code}")
    if code.verification_url_complete is not None:
        _tell(f"or open {code.verification_url_complete}")


def _tell(text: str) -> None:
    # On standard error: what a program reads from standard output is a token and nothing else.
    print(text, file=sys.stderr, flush=True)
