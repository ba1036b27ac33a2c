"""Sign a person in with a code on another device (RFC 8628)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from sys import float_info
from typing import TYPE_CHECKING

import anyio
from attrs import frozen

from .._config import Settings
from .._core._arguments import check_function
from .._core._lifetime import running_loop
from .._core._secret import Secret
from .._core._uncancellable import run_uncancellable
from ..errors import ConfigurationError, TokenEndpointUnavailable
from ._endpoint import TokenEndpoint
from ._file_store import FileStore
from ._provider import check_provider
from ._sign_in import check_store, keep, within
from ._store import TokenStore
from ._stored_sources import StoredLogin

if TYPE_CHECKING:
    from .._core._token import TokenSet
    from .._http._token_request import FormResponse
    from ._provider import IdentityProvider

_SLOWER = 5.0  # seconds, by RFC 8628, section 3.5
_DEFAULT_INTERVAL = 5.0
_DEFAULT_LIFETIME = 600.0
_MAX_INTERVAL = 60.0


@frozen
class DeviceCode:
    """The code with which a person signs in on another device, and the URL at which to enter it.

        await login_device(provider, show=lambda code: print(code.verification_url, code.user_code))

    `user_code` is the text to enter at `verification_url`. `verification_url_complete` is the URL with the
    code in it, for a link or a QR code; None if the provider gives none. `lifetime` is in seconds, 600 if the
    provider does not say. All texts are printable.
    """

    user_code: str
    """The code to enter at `verification_url`, with printable characters only."""
    verification_url: str
    """The URL to open on any device."""
    verification_url_complete: str | None
    """The same URL with the code in it, for a link or a QR code; None if the provider gives none."""
    lifetime: float
    """Seconds until the code expires; 600 if the provider does not say."""


async def login_device(
    provider: IdentityProvider,
    *,
    show: Callable[[DeviceCode], object],
    store: TokenStore | None = None,
    settings: Settings | None = None,
) -> StoredLogin:
    """Sign a person in with a code on any device, and return the login as a token source.

        source = await login_device(
            IdentityProvider.preset("production", client_id="..."),
            show=lambda code: print(code.verification_url, code.user_code),
        )

    It uses the device flow (RFC 8628), for a machine without a browser. `show`, a plain function, is called
    once, with a `DeviceCode`. The provider is then polled at the interval that it asks for, 5 s by default,
    until the code expires; each poll costs one request. One without a usable response doubles the interval,
    up to 60 s or as `Retry-After` asks, and does not end the login. The login is kept in `store`, by default
    a FileStore, which is checked first. `settings` supply TLS and proxy, by default those of `Settings()`.
    Cancelling the call ends the polling; tokens that have arrived are kept nevertheless.

    Raises LoginDenied if the person or the provider refuses; LoginRequired if the provider does not accept
    the code; LoginTimeout when the code expires before anybody signs in; TokenEndpointUnavailable if the
    provider can't be reached, fails or throttles as it is asked for a code, or gives none; TokenStoreError if
    the store can't be used; UsageError if no asyncio event loop is running, for a `show` that is no plain
    function, or a `store` of another kind; and ConfigurationError for what is no IdentityProvider with device
    URL, `settings` of another type, a proxy or certificates that can't be used, a system that gives no
    thread, or a user without home folder if no `store` is passed. An exception of `show` or a store of your
    own ends the login and is raised.
    """
    check_provider(provider)
    check_function(show, "show")
    if provider.device_url is None:
        raise ConfigurationError(
            "the identity provider has no device URL; give one (AIGNOSTICS_DEVICE_URL), or sign in by browser"
        )
    endpoint = TokenEndpoint(provider, settings)
    running_loop()  # before a person signs in: the tokens are kept in a thread, which needs one
    store = FileStore() if store is None else store
    await check_store(store, provider.key)
    response = await endpoint.begin_device(provider.device_url)
    device_code, code, interval = _read_device(response)
    show(code)
    tokens = await within(code.lifetime, lambda: _poll(endpoint, device_code, interval))
    await run_uncancellable(partial(keep, tokens, provider, store))
    return StoredLogin(provider, store=store, settings=settings)


def _read_device(response: FormResponse) -> tuple[Secret, DeviceCode, float]:
    """Return the code for the endpoint, the one for the person, and the polling interval in seconds."""
    device_code, user_code, url = (
        response.secret(name) for name in ("device_code", "user_code", "verification_uri")
    )
    if device_code is None or user_code is None or url is None:
        raise TokenEndpointUnavailable(f"{response.url} gave no device code; is it the right URL?")
    complete = response.secret("verification_uri_complete")
    code = DeviceCode(
        _printable(user_code),
        _printable(url),
        None if complete is None else _printable(complete),
        _number(response.fields.get("expires_in"), _DEFAULT_LIFETIME),
    )
    return device_code, code, _number(response.fields.get("interval"), _DEFAULT_INTERVAL)


def _printable(secret: Secret) -> str:
    # It is printed to terminals, which obey control characters.
    return "".join(character for character in secret.reveal() if character.isprintable())


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) and 0 < value <= float_info.max else default


async def _poll(endpoint: TokenEndpoint, device_code: Secret, interval: float) -> TokenSet:
    while True:
        await anyio.sleep(interval)
        try:
            outcome = await endpoint.poll_device(device_code)
        except TokenEndpointUnavailable as error:
            interval = longer_interval(interval, error)
            continue
        if not isinstance(outcome, str):
            return outcome
        if outcome == "slow_down":
            interval += _SLOWER


def longer_interval(interval: float, failure: TokenEndpointUnavailable) -> float:
    """Return the polling interval after a failed poll: twice as long, or as long as the provider asks for."""
    return max(interval, min(2 * interval, _MAX_INTERVAL), failure.retry_after or 0.0)
