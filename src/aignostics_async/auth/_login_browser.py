"""Sign a person in with the browser of this machine."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from math import isnan
from typing import TYPE_CHECKING

from .._config import Settings
from .._core._arguments import check_function
from .._core._clock import seconds
from .._core._lifetime import running_loop
from .._core._redaction import excerpt
from .._core._secret import Secret
from .._core._tasks import plain_task_group
from .._core._uncancellable import run_in_daemon_thread, run_uncancellable
from ..errors import ConfigurationError, LoginDenied
from ._endpoint import TokenEndpoint
from ._file_store import FileStore
from ._loopback import AuthorizationResponse, listen
from ._provider import check_provider
from ._sign_in import check_store, keep, within
from ._store import TokenStore
from ._stored_sources import StoredLogin

if TYPE_CHECKING:
    from ._provider import IdentityProvider


def open_in_browser(address: str) -> None:
    """Open an address in the default browser; does nothing where there is none."""
    import webbrowser

    # The address was shown to the person, who can open it by hand.
    with suppress(webbrowser.Error, OSError):
        webbrowser.open(address)


async def login_browser(
    provider: IdentityProvider,
    *,
    show: Callable[[str], object],
    open_browser: Callable[[str], object] | None = open_in_browser,
    timeout: float | timedelta = 300,  # noqa: ASYNC109 - a person's time, not the task's
    store: TokenStore | None = None,
    settings: Settings | None = None,
) -> StoredLogin:
    """Sign a person in with the browser of this machine, and return the login as a token source.

        source = await login_browser(IdentityProvider.preset("production", client_id="..."), show=print)
        async with Client("https://platform.aignostics.com", source) as client:
            runs = await client.runs.list().to_list()

    It uses the authorization code flow with PKCE (RFC 7636, RFC 8252). `show`, a plain function, is called
    once with the URL to open. `open_browser` opens it, in a thread of its own: by default in the default
    browser; None opens nothing. The redirect is accepted only on loopback addresses and with the state of
    this login. The login is kept in `store`, by default a FileStore, which is checked first. `settings`
    supply TLS and proxy, by default those of `Settings()`.

    Costs one request to the provider, once the browser has brought a code. Cancelling the call closes the
    port that it listens on; a code that has arrived is exchanged nevertheless, and its login kept.

    Raises LoginDenied if the person or the provider refuses; LoginRequired if the provider does not accept
    the code; LoginTimeout after `timeout` (seconds or a timedelta, 300 s by default);
    TokenEndpointUnavailable if the provider can't be reached, fails or gives no usable token; TokenStoreError
    if the store can't be used; UsageError if no asyncio event loop is running, for a `show` or `open_browser`
    that is no plain function, or a `store` of another kind; and ConfigurationError for what is no
    IdentityProvider with authorize URL, a redirect URL that can't be listened on, a `timeout` that is no
    duration, `settings` of another type, a proxy or certificates that can't be used, a system that gives no
    thread, or a user without home folder if no `store` is passed. An exception of `show`, `open_browser` or a
    store of your own ends the login and is raised.
    """
    check_provider(provider)
    check_function(show, "show")
    if open_browser is not None:
        check_function(open_browser, "open_browser")
    if provider.authorize_url is None:
        raise ConfigurationError(
            "the identity provider has no authorize URL; give one (AIGNOSTICS_AUTHORIZE_URL), or sign in by "
            "device"
        )
    limit = seconds(timeout)
    if isnan(limit):  # no clock ever reaches it
        raise ConfigurationError("timeout is a number of seconds, such as 60, or a timedelta, not nan")
    endpoint = TokenEndpoint(provider, settings)
    running_loop()  # before a person signs in: the code is exchanged in a thread, which needs one
    store = FileStore() if store is None else store
    await check_store(store, provider.key)
    state, verifier = secrets.token_urlsafe(32), Secret(secrets.token_urlsafe(64))

    async def sign_in() -> None:
        async with listen(provider.redirect_url) as loopback, plain_task_group() as group:

            async def finish(response: AuthorizationResponse) -> None:
                code = _code_of(response, provider)

                async def trade() -> None:
                    await keep(
                        await endpoint.exchange_code(code, verifier, loopback.redirect_url), provider, store
                    )

                # A code can be used once, so nothing may interrupt this before its tokens are kept.
                await run_uncancellable(trade)

            address = _address(provider, state, verifier, loopback.redirect_url)
            show(address)
            if open_browser is not None:
                # In a daemon thread, because some browsers stay in the foreground.
                group.start_soon(run_in_daemon_thread, partial(open_browser, address))
            await loopback.receive(state, finish)
            group.cancel_scope.cancel()

    await within(limit, sign_in)
    return StoredLogin(provider, store=store, settings=settings)


def _address(provider: IdentityProvider, state: str, verifier: Secret, redirect_url: str) -> str:
    from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

    address: str = prepare_grant_uri(
        provider.authorize_url,
        provider.client_id,
        "code",
        redirect_uri=redirect_url,
        scope=provider.scope,
        state=state,
        audience=provider.audience,
        organization=provider.organization,
        code_challenge=create_s256_code_challenge(verifier.reveal()),
        code_challenge_method="S256",
    )
    return address


def _code_of(response: AuthorizationResponse, provider: IdentityProvider) -> Secret:
    if response.issuer is not None and not provider.may_be_issuer(response.issuer):
        raise LoginDenied(
            f"the response comes from another identity provider than {provider.issuer}; sign in again"
        )
    if response.code is None:
        words = excerpt(
            f"{response.error}: {response.description}" if response.description else str(response.error)
        )
        raise LoginDenied(f"the login was refused ({words}); sign in again, perhaps as somebody else")
    return response.code
