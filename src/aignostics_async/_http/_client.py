"""The only `import httpx`: clients of one connection, requests, and failures that hold no secret."""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING, Any

import anyio
import httpx

from .._core._proxies import proxy_for
from .._core._redaction import RedactingFilter, excerpt, without_secret_values
from .._core._urls import without_query
from ..errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._config import Settings
    from .._core._secret import Secret

MAX_BODY = 64 * 1024 * 1024  # bytes of an answer; a page of results has some millions
_READS = 10
_MIN_RATE = 1024  # bytes per second
HttpClient = httpx.AsyncClient
Response = httpx.Response


class Request(httpx.Request):
    """A request whose repr shows no query, in which a share token may be."""

    def __repr__(self) -> str:
        return f"<Request({self.method!r}, {without_query(str(self.url))!r})>"


# Failures before the first byte of a request left this machine. Every other one may have been received.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)

# At DEBUG httpcore writes response headers as they are, the signed Location of a redirect too.
for _name in ("httpcore.http11", "httpcore.http2", "httpcore.proxy"):
    logging.getLogger(_name).addFilter(RedactingFilter())
# httpx writes the URL of each request: only what is a secret in it is hidden, as it may be the user's own.
logging.getLogger("httpx").addFilter(RedactingFilter(without_secret_values))


class NoResponse(Exception):
    """No response came. Unlike an error of httpx it holds no request, and so neither token nor body."""

    def __init__(self, reason: str, *, was_sent: bool, is_timeout: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.was_sent = was_sent
        """Whether the request may have been received."""
        self.is_timeout = is_timeout


class UndecodableResponse(Exception):
    """A response came, and its content encoding is broken."""


def open_client(settings: Settings, context: ssl.SSLContext, url: str) -> HttpClient:
    """Return a client of one connection for the origin of `url`; it follows no redirects.

    Raises ConfigurationError for a proxy that can't be used.
    """
    found = proxy_for(url, proxy=settings.proxy, trust_env=settings.trust_env)
    try:
        return httpx.AsyncClient(
            verify=context,
            proxy=None if found is None else httpx.Proxy(found.url, auth=found.auth),
            trust_env=False,  # the proxy is chosen above, and the context holds the certificates
            timeout=_timeout(settings),
            limits=httpx.Limits(max_connections=1),
            follow_redirects=False,
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        reason = excerpt(str(error))
    # Outside of the except clause: the frames of httpx show the password of a proxy.
    raise ConfigurationError(f"the proxy can't be used: {reason}")


def build_request(
    settings: Settings,
    method: str,
    url: str,
    *,
    params: Mapping[str, Any] | None = None,
    headers: Mapping[str, str],
    body: Secret | None = None,
) -> Request:
    """Return a request with the timeouts of `settings`; raises UsageError for what HTTP can't express."""
    try:
        return Request(
            method,
            url,
            params=params,
            headers=headers,
            content=None if body is None else body.reveal().encode(),
            extensions={"timeout": _timeout(settings).as_dict()},
        )
    except (ValueError, TypeError, httpx.InvalidURL) as error:
        raise UsageError(f"the request can't be written as HTTP: {error}") from None


async def send_request(client: HttpClient, request: Request, *, max_body: int = MAX_BODY) -> Response:
    """Send a request, and return its response with the body read, or its first `max_body` bytes.

    An answer that only drips is not waited for: an exchange has the timeouts of its steps, that of reading
    ten times, and a second more for each KiB that arrives. Raises NoResponse and UndecodableResponse.
    """
    failure: BaseException = NoResponse("the answer only drips", was_sent=True, is_timeout=True)
    try:
        with anyio.move_on_after(_longest(**request.extensions["timeout"])) as scope:
            response = await client.send(request, stream=True)
            await _read_at_most(response, max_body, scope)
            return response
    except httpx.DecodingError:
        failure = UndecodableResponse()
    # httpx reads the Location of a redirect also where it does not follow it.
    except (httpx.RequestError, httpx.InvalidURL, UnicodeError) as error:
        failure = NoResponse(
            _reason(error),
            was_sent=not isinstance(error, _NEVER_SENT),
            is_timeout=isinstance(error, httpx.TimeoutException),
        )
    except BaseException as error:  # noqa: BLE001 - a cancellation
        # The frames of httpx hold headers and bodies.
        failure = error.with_traceback(None)
        failure.__context__ = None
    try:
        raise failure
    finally:
        del failure  # it would hold this frame, and this frame it


def _longest(*, connect: float, read: float, write: float, **_pool: float) -> float:
    """Return the seconds for an exchange with an answer of no size; TLS has those of connecting, too."""
    return 2 * connect + write + _READS * read


def ssl_context(settings: Settings) -> ssl.SSLContext:
    """Return the TLS settings that every pool of a client shares; reading the CAs takes some 20 ms."""
    try:
        context = settings.ssl_context or httpx.create_ssl_context(trust_env=settings.trust_env)
    except OSError as error:
        raise ConfigurationError(
            f"the CA certificates can't be read ({error}); are SSL_CERT_FILE and SSL_CERT_DIR right?"
        ) from None
    # Some builds of Python set it, and a connection that is cut ends a body without a length then.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    return context


def _timeout(settings: Settings) -> httpx.Timeout:
    timeouts = settings.timeouts
    return httpx.Timeout(
        connect=timeouts.connect, read=timeouts.read, write=timeouts.write, pool=timeouts.pool
    )


def _reason(error: Exception) -> str:
    words = excerpt(str(error), 120)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


async def _read_at_most(response: Response, limit: int, scope: anyio.CancelScope) -> None:
    """Read a body, or the beginning of one that is larger than anything that was asked for."""
    collected = bytearray()
    async for piece in response.aiter_bytes():
        collected += piece
        scope.deadline += len(piece) / _MIN_RATE
        if len(collected) > limit:
            break
    await response.aclose()
    response._content = bytes(collected[:limit])  # noqa: SLF001 - as httpx's own reading sets it
