"""Frozen settings. Every default of the client stands here and nowhere else."""

from __future__ import annotations

import ssl
from typing import Any

from attrs import field, frozen
from attrs.validators import matches_re, optional

from ._core._arguments import seconds
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
    """How long to wait, in seconds or as a timedelta. There is no way to wait for ever."""

    connect: float = field(default=10, converter=seconds, validator=_positive)
    """For a connection, TLS included."""
    read: float = field(default=60, converter=seconds, validator=_positive)
    """Between two pieces of an answer, not for the whole of it."""
    write: float = field(default=60, converter=seconds, validator=_positive)
    """Between two pieces of a request."""
    pool: float = field(default=60, converter=seconds, validator=_positive)
    """For a free connection. The client queues in front of its pool, so this is a last resort."""


@frozen(kw_only=True)
class Retries:
    """When to try again. GET, PUT and DELETE are repeated; a POST only when no connection was made."""

    attempts: int = field(default=4, validator=_at_least_one)
    """Tries in all, the first included; 1 turns retries off."""
    initial_wait: float = field(default=0.5, converter=seconds, validator=_positive)
    """Before the second try; each further wait doubles, less up to a quarter of jitter."""
    max_wait: float = field(default=8, converter=seconds, validator=_positive)
    """Where doubling ends."""
    max_retry_after: float = field(default=120, converter=seconds, validator=_positive)
    """A server that asks for a longer wait than this gets its error raised instead."""


@frozen(kw_only=True)
class Limits:
    """How much at once."""

    api_requests: int = field(default=8, validator=_at_least_one)
    """API requests in flight; more only slow each other down. Also the size of the connection pool."""
    transfers: int = field(default=16, validator=_at_least_one)
    """Connections that move files at once, both ways together. The client begins with half of it, takes more
    while that is faster, and fewer when a storage or the processors ask for it."""
    items_per_run: int = field(default=500, validator=_at_least_one)
    """Items of one run request; the platform refuses more."""


@frozen(kw_only=True)
class Transfers:
    """How files move. Sizes are in bytes."""

    bandwidth: float | None = field(default=None, validator=optional(_positive))
    """Bytes per second, over all connections and both ways together; None for as fast as it goes."""
    segment_size: int = field(default=16 * 1024 * 1024, validator=_at_least_one)
    """The smallest stretch of a download that is worth a connection of its own."""
    part_size: int = field(default=16 * 1024 * 1024, validator=_at_least_one)
    """Of an upload in parts; stores want 5 MiB at least. A file that fits one part is sent whole."""
    max_concurrency: int = field(default=4, validator=_at_least_one)
    """Parts of one file in flight. Each is held in memory while it is sent."""


@frozen(kw_only=True)
class Uploads:
    """How `runs.submit` names what it uploads: prefix, job, item, file name."""

    prefix: str = field(default="aignostics-async", validator=matches_re(r"[\w./-]*"))
    """The first part of every key."""
    job: str | None = field(default=None, validator=optional(matches_re(r"[\w.-]+")))
    """Names a job that may be repeated: what an interrupted try of it has uploaded is found and not sent
    again, if its size and checksum are right. Without it every call has keys of its own."""


@frozen(kw_only=True)
class Settings:
    """Everything about a client that is not an address or a credential."""

    timeouts: Timeouts = field(factory=Timeouts, validator=_instance)
    retries: Retries = field(factory=Retries, validator=_instance)
    limits: Limits = field(factory=Limits, validator=_instance)
    transfers: Transfers = field(factory=Transfers, validator=_instance)
    hooks: Hooks = field(factory=Hooks, validator=_instance)
    """Functions that are told of each request, response and retry of the API."""
    poll_interval: float = field(default=30, converter=seconds, validator=_positive)
    """Between two looks at a run, as the platform advises; jitter takes up to a twentieth off."""
    results_rate_limit: float = field(default=600, validator=_positive)
    """Requests a minute that watching spends on the results of runs, however many of them are RUNNING."""
    results_timeout: float = field(default=60, converter=seconds, validator=_positive)
    """How long `watch` and `download` look for the last results of a run that is final."""
    outage_timeout: float = field(default=300, converter=seconds, validator=_positive)
    """How long `watch`, `wait` and `download` go on asking while the API can't be reached or is failing."""
    read_after_write_timeout: float = field(default=5, converter=seconds, validator=_positive)
    """How long a run that was just created may be unknown to the server's replicas."""
    url_lifetime: float = field(default=7 * 24 * 3600, converter=seconds, validator=_positive)
    """Of the URLs signed for the platform, which asks for six days at least; stores sign seven at most."""
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    """For a private CA or a client certificate; else certifi's CAs, or SSL_CERT_FILE and SSL_CERT_DIR."""
    proxy: str | None = field(default=None, repr=False)
    """For all traffic; else HTTPS_PROXY, HTTP_PROXY and NO_PROXY decide, where `trust_env` allows."""
    trust_env: bool = True
    """Whether proxies and certificate files are taken from the environment."""
    user_agent: str = field(default="", validator=_header_text)
    """Put in front of the SDK's own user agent, to tell your service from others."""


@frozen
class Environment:
    """A deployment of the platform: its API root, its token endpoint and its audience."""

    api_root: str
    token_url: str
    audience: str


# Hosts as the platform publishes them; client ids are not among them, they come from its support.
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
    """Return a deployment by its name, or raise ConfigurationError with the names there are."""
    try:
        return ENVIRONMENTS[name]
    except KeyError:
        names = ", ".join(ENVIRONMENTS)
        raise ConfigurationError(f"there is no environment {name!r}; choose one of {names}") from None
