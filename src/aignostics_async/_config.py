"""Frozen settings. All defaults of the client are here."""

from __future__ import annotations

import ssl
from typing import Any

from attrs import field, frozen
from attrs.validators import matches_re, optional

from ._core._clock import seconds
from ._hooks import Hooks
from .errors import ConfigurationError


def _positive(_instance: object, attribute: Any, value: float) -> None:
    if not value > 0:
        raise ConfigurationError(f"{attribute.name} must be more than 0, not {value}")


def _at_least_one(_instance: object, attribute: Any, value: int) -> None:
    if not value >= 1:
        raise ConfigurationError(f"{attribute.name} must be at least 1, not {value}")


def _header_text(_instance: object, attribute: Any, value: str) -> None:
    if not (isinstance(value, str) and value.isascii() and (value.isprintable() or not value)):
        raise ConfigurationError(f"{attribute.name} must be printable ASCII, as HTTP headers are")


def _instance(_settings: object, attribute: Any, value: object) -> None:
    kinds = {
        "timeouts": Timeouts,
        "retries": Retries,
        "limits": Limits,
        "transfers": Transfers,
        "hooks": Hooks,
    }
    kind = kinds[attribute.name]
    if not isinstance(value, kind):
        raise ConfigurationError(f"{attribute.name} takes {kind.__name__}(...), not {value!r}")


@frozen(kw_only=True)
class Timeouts:
    """The timeouts of a single request, in seconds or as timedeltas; always finite.

        Settings(timeouts=Timeouts(read=60))

    Raises ConfigurationError for a value that is not positive and finite.
    """

    connect: float = field(default=10, converter=seconds, validator=_positive)
    """For a connection, including TLS."""
    read: float = field(default=60, converter=seconds, validator=_positive)
    """Between two pieces of a response, not for all of it."""
    write: float = field(default=60, converter=seconds, validator=_positive)
    """Between two pieces of a request."""
    pool: float = field(default=60, converter=seconds, validator=_positive)
    """For a free connection of httpx's pool. The client queues before it, so this hardly ever applies."""


@frozen(kw_only=True)
class Retries:
    """When a request is repeated, and how long to wait before.

        Settings(retries=Retries(attempts=2))

    GET, HEAD, PUT and DELETE are repeated after failures that are likely to pass, and a POST only if no
    connection was made. Raises ConfigurationError for an invalid value.
    """

    attempts: int = field(default=4, validator=_at_least_one)
    """Attempts in all, including the first; 1 turns retries off."""
    initial_wait: float = field(default=0.5, converter=seconds, validator=_positive)
    """Before the second attempt; each further wait doubles. Jitter takes up to a quarter off."""
    max_wait: float = field(default=8, converter=seconds, validator=_positive)
    """Where doubling ends."""
    max_retry_after: float = field(default=120, converter=seconds, validator=_positive)
    """If the server asks for a longer wait, its error is raised instead."""


@frozen(kw_only=True)
class Limits:
    """Limits on what a client does at once."""

    api_requests: int = field(default=8, validator=_at_least_one)
    """API requests in flight, which is also the number of connections."""
    transfers: int = field(default=16, validator=_at_least_one)
    """Connections that transfer files, uploads and downloads together. The client starts with half of them,
    adds some while that is faster, and uses fewer when a storage throttles or the processors are busy."""
    items_per_run: int = field(default=500, validator=_at_least_one)
    """Items of one run request; the platform accepts no more than 500."""


@frozen(kw_only=True)
class Transfers:
    """How files are transferred; sizes are in bytes.

        Settings(transfers=Transfers(bandwidth=20e6))

    Raises ConfigurationError for an invalid value.
    """

    bandwidth: float | None = field(default=None, validator=optional(_positive))
    """Bytes per second over all connections, uploads and downloads together; None for no limit."""
    segment_size: int = field(default=16 * 1024 * 1024, validator=_at_least_one)
    """The smallest part of a download that gets a connection of its own."""
    part_size: int = field(default=16 * 1024 * 1024, validator=_at_least_one)
    """Of a multipart upload; stores require at least 5 MiB. A file that fits one part is sent whole."""
    max_concurrency: int = field(default=4, validator=_at_least_one)
    """Parts of one file in flight; each is held in memory while it is sent."""


@frozen(kw_only=True)
class Uploads:
    """The keys of the objects that `runs.submit` uploads: `{prefix}/{job}/{item}/{file name}`."""

    prefix: str = field(default="aignostics-async", validator=matches_re(r"[\w./-]*"))
    """The first part of every key."""
    job: str | None = field(default=None, validator=optional(matches_re(r"[\w.-]+")))
    """Names a submission that may be repeated: objects that an earlier call with this name uploaded are not
    sent again if their size and checksum match. Without it every call uses new keys."""


@frozen(kw_only=True)
class Settings:
    """All settings of a client except its address and credential.

        Settings(poll_interval=60, retries=Retries(attempts=2))

    Durations are seconds or timedeltas. Raises ConfigurationError for an invalid value.
    """

    timeouts: Timeouts = field(factory=Timeouts, validator=_instance)
    retries: Retries = field(factory=Retries, validator=_instance)
    limits: Limits = field(factory=Limits, validator=_instance)
    transfers: Transfers = field(factory=Transfers, validator=_instance)
    hooks: Hooks = field(factory=Hooks, validator=_instance)
    """Functions that observe each API request, response and retry."""
    poll_interval: float = field(default=30, converter=seconds, validator=_positive)
    """Between two polls of a run, 30 s as the platform advises; jitter takes up to a twentieth off."""
    results_rate_limit: float = field(default=600, validator=_positive)
    """Requests per minute that watching spends on results, however many runs are RUNNING."""
    results_timeout: float = field(default=60, converter=seconds, validator=_positive)
    """How long `watch` and `download` wait for the last results of a final run."""
    outage_timeout: float = field(default=300, converter=seconds, validator=_positive)
    """How long `watch`, `wait` and `download` keep polling while the API fails or can't be reached."""
    read_after_write_timeout: float = field(default=5, converter=seconds, validator=_positive)
    """How long a run that was just created may be unknown to some replicas of the server."""
    url_lifetime: float = field(default=7 * 24 * 3600, converter=seconds, validator=_positive)
    """Of the URLs that are signed for the platform, which requires six days; stores allow seven at most."""
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    """For a private CA or a client certificate; by default SSL_CERT_FILE, SSL_CERT_DIR or certifi's CAs."""
    proxy: str | None = field(default=None, repr=False)
    """For all traffic but loopback; by default HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY decide."""
    trust_env: bool = True
    """Whether the environment may set proxies and certificate files."""
    user_agent: str = field(default="", validator=_header_text)
    """Prepended to the SDK's own user agent, to identify your service."""


@frozen
class Environment:
    """A deployment of the platform."""

    api_root: str
    token_url: str
    audience: str


# Hosts as the platform publishes them. Client ids are not public; its support issues them.
ENVIRONMENTS = {
    "production": Environment(
        "https://platform.aignostics.com",
        "https://aignostics-platform.eu.auth0.com/oauth/token",
        "https://aignostics-platform-samia",
    ),
    "staging": Environment(
        "https://platform-staging.aignostics.com",
        "https://aignostics-platform-staging.eu.auth0.com/oauth/token",
        "https://aignostics-platform-staging-samia",
    ),
    "dev": Environment(
        "https://platform-dev.aignostics.ai",
        "https://dev-8ouohmmrbuh2h4vu.eu.auth0.com/oauth/token",
        "https://dev-8ouohmmrbuh2h4vu-samia",
    ),
}


def environment(name: str) -> Environment:
    """Return a deployment by its name; raises ConfigurationError that lists the known names."""
    try:
        return ENVIRONMENTS[name]
    except KeyError:
        names = ", ".join(ENVIRONMENTS)
        raise ConfigurationError(f"there is no environment {name!r}; choose one of {names}") from None
