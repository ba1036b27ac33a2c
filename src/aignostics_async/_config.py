"""Frozen settings. All defaults of the client are here."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from math import inf
from typing import Any

from attrs import field, frozen
from attrs.validators import optional

from ._core._clock import seconds
from ._hooks import Hooks
from .errors import ConfigurationError


def _positive(_instance: object, attribute: Any, value: float) -> None:
    if isinstance(value, bool) or not (isinstance(value, int | float) and 0 < value < inf):
        raise ConfigurationError(f"{attribute.name} must be more than 0 and finite, not {value!r}")


def _at_least_one(_instance: object, attribute: Any, value: int) -> None:
    if isinstance(value, bool) or not (isinstance(value, int) and value >= 1):
        raise ConfigurationError(f"{attribute.name} must be at least 1 and whole, not {value!r}")


def _matching(pattern: str, words: str) -> Callable[[object, Any, Any], None]:
    """Return a validator for a text that a pattern matches, which the error describes in words."""

    def check(_instance: object, attribute: Any, value: Any) -> None:
        if not (isinstance(value, str) and re.fullmatch(pattern, value)):
            raise ConfigurationError(f"{attribute.name} takes {words}, such as lab-7, not {value!r}")

    return check


def _header_text(_instance: object, attribute: Any, value: str) -> None:
    if not (isinstance(value, str) and value.isascii() and (value.isprintable() or not value)):
        raise ConfigurationError(f"{attribute.name} must be printable ASCII, as HTTP headers are")


def _a(kind: type) -> Callable[[object, Any, Any], None]:
    """Return a validator for instances of a class; its error shows no value, which may hold a password."""

    def check(_settings: object, attribute: Any, value: Any) -> None:
        if not isinstance(value, kind):
            raise ConfigurationError(
                f"{attribute.name} takes {kind.__name__}(...), not {type(value).__name__}"
            )

    return check


@frozen(kw_only=True)
class Timeouts:
    """The timeouts of a single request to the API or a storage, in seconds or as timedeltas.

        Settings(timeouts=Timeouts(read=120))

    `connect`, 10 s by default, is the time to open a connection; for the API it counts for connecting and for
    TLS each, and the lookup of a storage's host is not cut short. `read` and `write`, 60 s each, are the
    longest pauses between two pieces of a response or of a request, not the time for the whole; one that only
    drips ends, from the API after ten times `read`. `pool`, 60 s, hardly ever applies, because requests wait
    for a connection in the client, for any time. A request that exceeds one fails, mostly with RequestTimeout
    for the API and TransferInterrupted for a storage, unless `Retries` has it repeated. Raises
    ConfigurationError for a value that is not a positive, finite duration.
    """

    connect: float = field(default=10, converter=seconds, validator=_positive)
    """Seconds to open a connection; 10 by default. For the API they count for connecting and TLS each."""
    read: float = field(default=60, converter=seconds, validator=_positive)
    """Seconds between two pieces of a response, not for the whole response; 60 by default."""
    write: float = field(default=60, converter=seconds, validator=_positive)
    """Seconds between two pieces of a request; 60 by default."""
    pool: float = field(default=60, converter=seconds, validator=_positive)
    """Seconds to wait for a connection of httpx's pool; 60 by default.

    Requests queue in the client before they reach the pool, so this timeout hardly ever applies.
    """


@frozen(kw_only=True)
class Retries:
    """The policy by which requests to the API or a storage are repeated.

        Settings(retries=Retries(attempts=2))

    By default up to 4 `attempts` are made. The wait between them is `initial_wait`, 0.5 s, and doubles up to
    `max_wait`, 8 s; jitter takes up to a quarter off. `Retry-After` lengthens a wait, up to
    `max_retry_after`, 120 s; if the server asks for more, the error is raised at once. Durations are in
    seconds or timedeltas.

    GET, HEAD, PUT and DELETE are repeated if the error is transient (see `AignosticsError.is_transient`), a
    POST only if no connection was made, or for a store if repeating does no harm. A request that is sent once
    more with a new token after a 401 does not count, and a download that has moved 64 KiB starts counting
    again. A watcher makes at most two attempts, and asks again after a wait of its own. Raises
    ConfigurationError for `attempts` below 1 or not whole, or a wait that is not a positive, finite duration.
    """

    attempts: int = field(default=4, validator=_at_least_one)
    """The number of attempts including the first; 4 by default. 1 turns retries off.

    A download that has moved 64 KiB since the last failure starts counting again.
    """
    initial_wait: float = field(default=0.5, converter=seconds, validator=_positive)
    """Seconds before the second attempt; 0.5 by default. Each further wait doubles; jitter takes up to a
    quarter off.
    """
    max_wait: float = field(default=8, converter=seconds, validator=_positive)
    """The limit of the doubling waits, in seconds; 8 by default."""
    max_retry_after: float = field(default=120, converter=seconds, validator=_positive)
    """The longest `Retry-After` that is waited for, in seconds; 120 by default. For a longer one the error is
    raised.
    """


@frozen(kw_only=True)
class Limits:
    """Limits on what a client does at once.

        Settings(limits=Limits(transfers=4))

    `api_requests`, 8 by default, is the number of API requests in flight, and of idle connections kept for
    them. `transfers`, 16 by default, is the number of connections that transfer files, uploads and downloads
    together. `items_per_run`, 500 by default, is the number of items in one run request; InvalidSubmission is
    raised for more. Raises ConfigurationError for a value that is below 1 or not whole.
    """

    api_requests: int = field(default=8, validator=_at_least_one)
    """API requests in flight; 8 by default. As many idle connections to the API are kept."""
    transfers: int = field(default=16, validator=_at_least_one)
    """Connections that transfer files, uploads and downloads together; 16 by default.

    The client starts with 8, adds more while that is faster, and uses fewer when a storage throttles or the
    processors are busy.
    """
    items_per_run: int = field(default=500, validator=_at_least_one)
    """Items of one run request; 500 by default, which is the most that the platform accepts."""


@frozen(kw_only=True)
class Transfers:
    """Settings of how files are transferred; sizes are in bytes.

        Settings(transfers=Transfers(bandwidth=20e6))

    `bandwidth` is in bytes per second for all transfers of the client together; None, the default, for no
    limit. `segment_size` is the smallest part of a download that gets a connection of its own, and
    `part_size` the size of a part of a multipart upload, which is at least 5 MiB and a 10,000th of the file;
    both are 16 MiB by default. `max_concurrency`, 4 by default, is the number of parts of one uploaded file
    in flight, each held in memory. Raises ConfigurationError for a bandwidth that is not a positive, finite
    number, or another value that is below 1 or not whole.
    """

    bandwidth: float | None = field(default=None, validator=optional(_positive))
    """Bytes per second over all connections, uploads and downloads together; None, the default, for no limit.
    """
    segment_size: int = field(default=16 * 1024 * 1024, validator=_at_least_one)
    """The smallest part of a download that gets a connection of its own, in bytes; 16 MiB by default."""
    part_size: int = field(default=16 * 1024 * 1024, validator=_at_least_one)
    """The size of a part of a multipart upload, in bytes; 16 MiB by default.

    At least 5 MiB and a 10,000th of the file, as stores require. A file that fits one part is sent in one
    request.
    """
    max_concurrency: int = field(default=4, validator=_at_least_one)
    """Parts of one uploaded file in flight, each held in memory while it is sent; 4 by default."""


@frozen(kw_only=True)
class Uploads:
    """The keys of the objects that `Runs.submit` uploads: `{prefix}/{job}/{id}/{file name}`.

        uploads = Uploads(prefix="lab-7", job="2026-11-02")
        await client.runs.submit("he-tme:v1.0.0", items, store="s3://slides", uploads=uploads)

    `prefix` is `aignostics-async` by default, and may be empty; the prefix of the store comes before it. `id`
    is 32 hexadecimal digits, with `job` the same ones for the same reference and input. `job` names a
    submission that may be repeated: an object that an earlier call with this name uploaded is not sent again
    if `put_once` finds it unchanged. With None, the default, 32 random digits in its place make the keys of
    each call new. Raises ConfigurationError for a prefix with characters other than letters, digits, `_`,
    `.`, `-` and `/`, and for a job that is empty or has characters other than these without `/`.
    """

    prefix: str = field(
        default="aignostics-async", validator=_matching(r"[\w./-]*", "letters, digits, _, ., - and /")
    )
    """The first part of every key; `aignostics-async` by default."""
    job: str | None = field(
        default=None, validator=optional(_matching(r"[\w.-]+", "letters, digits, _, . and -"))
    )
    """The name of a submission that may be repeated; None by default.

    An object that an earlier call with this name uploaded is not sent again if its size and checksum match.
    Without a name each call uses new keys.
    """


@frozen(kw_only=True)
class Settings:
    """All settings of a client except its address and credential.

        Settings(poll_interval=60, retries=Retries(attempts=2))

    `timeouts`, `retries`, `limits`, `transfers` and `hooks` are instances of `Timeouts`, `Retries`, `Limits`,
    `Transfers` and `Hooks`, with their defaults. Durations are in seconds or timedeltas:

    - `poll_interval` (30 s) is the time between two polls of a run, and `results_rate_limit` (600) the number
      of requests per minute for the items of runs, by all watchers together.
    - `results_timeout` (60 s) is the time to wait for the last results of a final run.
    - `outage_timeout` (300 s) is the time for which watching goes on while the API can't be reached or fails.
    - `read_after_write_timeout` (5 s) is the time for which a new run may be unknown to the server.
    - `url_lifetime` (7 days) is the validity of the URLs that are signed for the platform.
    - `ssl_context` is a TLS context for a private CA or a client certificate, and `proxy` the URL of a proxy;
      both are None by default.
    - `trust_env` (True) is whether environment variables, and the system's settings of proxies, count where
      these two are None.
    - `user_agent` (empty) is a text before the SDK's own user agent.

    Raises ConfigurationError for a duration or rate that is not positive and finite, a `user_agent` that is
    not printable ASCII, or a field of another class.
    """

    timeouts: Timeouts = field(factory=Timeouts, validator=_a(Timeouts))
    """The timeouts of a single request; see `Timeouts` for the defaults."""
    retries: Retries = field(factory=Retries, validator=_a(Retries))
    """When requests are repeated; see `Retries` for the defaults."""
    limits: Limits = field(factory=Limits, validator=_a(Limits))
    """How much is done at once; see `Limits` for the defaults."""
    transfers: Transfers = field(factory=Transfers, validator=_a(Transfers))
    """How files are transferred; see `Transfers` for the defaults."""
    hooks: Hooks = field(factory=Hooks, validator=_a(Hooks))
    """Functions that observe each API request, response and retry; none by default."""
    poll_interval: float = field(default=30, converter=seconds, validator=_positive)
    """Seconds between two polls of a run; 30 by default, as the platform advises. Jitter takes up to a
    twentieth off; while the API fails, it is up to eight times as long.
    """
    results_rate_limit: float = field(default=600, validator=_positive)
    """Requests per minute that all watchers together spend on the items of runs; 600 by default."""
    results_timeout: float = field(default=60, converter=seconds, validator=_positive)
    """Seconds that `watch` and `download` wait for the last results of a final run; 60 by default."""
    outage_timeout: float = field(default=300, converter=seconds, validator=_positive)
    """Seconds for which `watch`, `wait` and `download` keep polling while the API can't be reached or fails;
    300 by default.
    """
    read_after_write_timeout: float = field(default=5, converter=seconds, validator=_positive)
    """Seconds for which a run that was just created may be unknown to a replica of the server; 5 by default.
    """
    url_lifetime: float = field(default=7 * 24 * 3600, converter=seconds, validator=_positive)
    """Seconds for which the URLs signed for the platform are valid; 7 days by default.

    The platform requires at least six days, and stores allow seven at most.
    """
    ssl_context: ssl.SSLContext | None = field(
        default=None, repr=False, validator=optional(_a(ssl.SSLContext))
    )
    """The TLS context, for a private CA or a client certificate; None by default.

    The client clears its OP_IGNORE_UNEXPECTED_EOF, so that a connection that is cut ends no file.

    Without one, the certificates of SSL_CERT_FILE or SSL_CERT_DIR are trusted, and without these those of
    certifi.
    """
    proxy: str | None = field(default=None, repr=False, validator=optional(_a(str)))
    """The URL of a proxy for all traffic except loopback, http://host:port or host:port; None by default.

    Without one, HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY decide, else the settings of macOS and
    Windows.
    """
    trust_env: bool = field(default=True, validator=_a(bool))
    """Whether the environment variables for proxies and certificate files, and the system's settings of
    proxies, are used; True by default.
    """
    user_agent: str = field(default="", validator=_header_text)
    """A text before the SDK's own user agent, to identify your service; empty by default, printable ASCII
    only.
    """


def as_settings(settings: Settings | None) -> Settings:
    """Return settings, those by default for None; raises ConfigurationError for anything else."""
    if settings is None:
        return Settings()
    if not isinstance(settings, Settings):
        raise ConfigurationError(f"settings takes Settings(...), not {settings!r}")
    return settings


@frozen
class Environment:
    """A deployment of the platform."""

    api_root: str
    token_url: str
    audience: str
    contract: str = "1.8"


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
    except (KeyError, TypeError):
        names = ", ".join(ENVIRONMENTS)
        raise ConfigurationError(f"there is no environment {name!r}; choose one of {names}") from None
