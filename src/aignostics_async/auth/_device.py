"""Signing a person in with a code on another device (RFC 8628)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf
from typing import TYPE_CHECKING

import anyio
from attrs import frozen

from .._config import Settings
from .._core._secret import Secret
from .._core._uncancellable import apart
from ..errors import ConfigurationError, TokenEndpointUnavailable
from ._endpoint import TokenEndpoint
from ._file_store import FileStore
from ._login import keep, within
from ._stored_tokens import StoredLogin

if TYPE_CHECKING:
    from .._core._token import TokenSet
    from .._http._token_request import FormAnswer
    from ._provider import IdentityProvider
    from ._store import TokenStore

_SLOWER = 5.0  # seconds, by RFC 8628, section 3.5
_DEFAULT_INTERVAL = 5.0
_DEFAULT_LIFETIME = 600.0
_LONGEST_INTERVAL = 60.0


@frozen
class DeviceCode:
    """What a person needs to sign in on another device."""

    user_code: str
    """To be entered at `verification_url`."""
    verification_url: str
    verification_url_complete: str | None
    """The same with the code in it, for a link or a QR code; not every provider gives one."""
    lifetime: float
    """Of the code, in seconds."""


async def login_device(
    provider: IdentityProvider,
    *,
    show: Callable[[DeviceCode], object],
    store: TokenStore | None = None,
    settings: Settings | None = None,
) -> StoredLogin:
    """Sign a person in with a code on any device, keep the login, and return it as a token source.

    The device flow (RFC 8628), for a machine without a browser. `show` is given what the person needs. The
    provider is asked as often as it says; a network that fails meanwhile ends nothing. `store` is a FileStore
    where none is given, and is tried first.

    Raises LoginDenied, LoginTimeout when the code expires, TokenStoreError and TokenEndpointUnavailable.
    """
    if provider.device_url is None:
        raise ConfigurationError(
            "the identity provider has no device URL; give one (AIGNOSTICS_DEVICE_URL), or sign in by browser"
        )
    store = store or FileStore()
    await store.check()
    endpoint = TokenEndpoint(provider, settings or Settings())
    answer = await endpoint.begin_device(provider.device_url)
    device_code, code, interval = _read_device(answer)
    show(code)
    tokens = await within(code.lifetime, lambda: _poll(endpoint, device_code, interval))
    await apart(partial(keep, tokens, provider, store))
    return StoredLogin(provider, store=store, settings=settings)


def _read_device(answer: FormAnswer) -> tuple[Secret, DeviceCode, float]:
    """Return what an answer holds for the endpoint and for the person, and how often to ask, in seconds."""
    device_code, user_code, url = (
        answer.secret(name) for name in ("device_code", "user_code", "verification_uri")
    )
    if device_code is None or user_code is None or url is None:
        raise TokenEndpointUnavailable(f"{answer.url} gave no device code; is it the right URL?")
    complete = answer.secret("verification_uri_complete")
    code = DeviceCode(
        _printable(user_code),
        _printable(url),
        None if complete is None else _printable(complete),
        _number(answer.fields.get("expires_in"), _DEFAULT_LIFETIME),
    )
    return device_code, code, _number(answer.fields.get("interval"), _DEFAULT_INTERVAL)


def _printable(secret: Secret) -> str:
    # It goes to a terminal, which would obey control characters.
    return "".join(character for character in secret.reveal() if character.isprintable())


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) and 0 < value < inf else default


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
    """Return the seconds to wait after a poll that failed: twice as long, or as long as was asked for."""
    return max(min(2 * interval, _LONGEST_INTERVAL), failure.retry_after or 0.0)
