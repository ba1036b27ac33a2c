"""Read the platform, the credential and the store of logins from environment variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from ._config import ENVIRONMENTS, Environment, Settings, environment
from ._core._secret import Secret, conceals_arguments
from ._core._urls import check_root, origin
from .contracts._lines import NEWEST, line_of
from .errors import ConfigurationError

if TYPE_CHECKING:
    from .auth import IdentityProvider, TokenSource, TokenStore

_T = TypeVar("_T")
_CLIENT_IDS = ("AIGNOSTICS_CLIENT_ID", "AIGNOSTICS_CLIENT_ID_INTERACTIVE", "AIGNOSTICS_CLIENT_ID_DEVICE")
_QUOTES = frozenset("\"'`\u2018\u2019\u201c\u201d")
_FIELDS = {
    "token_url": "AIGNOSTICS_TOKEN_URL",
    "authorize_url": "AIGNOSTICS_AUTHORIZE_URL",
    "device_url": "AIGNOSTICS_DEVICE_URL",
    "redirect_url": "AIGNOSTICS_REDIRECT_URL",
    "audience": "AIGNOSTICS_AUDIENCE",
    "organization": "AIGNOSTICS_ORGANIZATION",
    "client_secret": "AIGNOSTICS_CLIENT_SECRET",
}


@frozen
class Account:
    """A deployment and a credential, as `read_environment` returns them.

        account = read_environment(os.environ, Settings())
        client = Client(account.api_root, account.source)

    `api_root` is the URL of the deployment, without `/api`, and `source` the token source for `Client`.
    `display_name` has the names of the variables that were used, and the URL, for a log; it holds no secret.
    """

    api_root: str
    """The URL of the deployment, without `/api`."""
    source: TokenSource
    """The token source for `Client`."""
    display_name: str
    """The names of the variables that were used and the URL of the deployment, for the log; no secret."""


def read_environment(variables: Mapping[str, str], settings: Settings) -> Account:
    """Return the deployment and the credential that environment variables set.

        account = read_environment(os.environ, Settings())
        client = Client(account.api_root, account.source)

    The variables, and their precedence, are those of `Client.from_env`; an empty one counts as unset. Token
    sources that send requests use `settings` for TLS and proxy. Sends no request.

    Raises ConfigurationError if a variable is missing, naming it, if one that is used is invalid, if
    AIGNOSTICS_API_ROOT and AIGNOSTICS_ENVIRONMENT have different origins, if a file or the key ring is to
    keep a login and the user has no home folder, or for settings of another type if the source uses them; and
    MissingExtra if the key ring is to keep it and the `keyring` extra is not installed.
    """
    given = _Variables(variables)
    del (
        variables
    )  # tracebacks show the variables of this frame, and with them every credential of the process
    api_root, preset, place = _place(given)
    source, credential = _source(given, preset, settings)
    return Account(api_root, source, f"{credential} at {api_root} ({place})")


def read_api_root(variables: Mapping[str, str]) -> str:
    """Return the URL of the deployment that environment variables set, without `/api`.

        read_api_root(os.environ)  # "https://platform.aignostics.com"

    It is AIGNOSTICS_API_ROOT, else the URL of AIGNOSTICS_ENVIRONMENT (production, staging or dev); an empty
    variable counts as unset. Sends no request. Raises ConfigurationError if neither is set, if a value is
    invalid, or if both are set and have different origins.
    """
    given = _Variables(variables)
    del variables  # tracebacks show the variables of this frame
    return _place(given)[0]


def read_identity_providers(variables: Mapping[str, str]) -> dict[str, IdentityProvider]:
    """Return an identity provider per client id that environment variables set.

        providers = read_identity_providers(os.environ)
        source = StoredLogin(*providers.values())

    The keys are the names of those variables among AIGNOSTICS_CLIENT_ID, AIGNOSTICS_CLIENT_ID_INTERACTIVE and
    AIGNOSTICS_CLIENT_ID_DEVICE that are set, in this order; at least one. The other settings of a provider
    are AIGNOSTICS_TOKEN_URL, AIGNOSTICS_AUDIENCE and those that docs/how-to/sign-in.md lists, else those of
    the known deployment, else what `IdentityProvider.beside` derives from the token URL. The deployment is
    read as by `read_api_root`. Sends no request. Raises ConfigurationError if no deployment or client id is
    set, if no token URL is known, or if a value is invalid.
    """
    given = _Variables(variables)
    del variables
    return _providers(given, _place(given)[1])


def read_token_store(variables: Mapping[str, str]) -> TokenStore:
    """Return the token store that AIGNOSTICS_TOKEN_STORE names: `file` (the default), `keyring` or `memory`.

        store = read_token_store(os.environ)

    The stores are a `FileStore`, a `KeyringStore` and a `MemoryStore` with their defaults. Raises
    ConfigurationError for any other name, or if the user has no home folder, which `file` and `keyring` need;
    and MissingExtra for `keyring` if the `keyring` extra is not installed.
    """
    given = _Variables(variables)
    del variables  # tracebacks show the variables of this frame
    return _store(given)


def choose_contract(
    api_root: str,
    contract: str | None,
    variables: Mapping[str, str],
    *,
    fallback: str | None = None,
) -> str:
    """Return the line of the contract to speak with a deployment.

    That is `contract`, else AIGNOSTICS_CONTRACT, else that of the known deployment, else `fallback`, else the
    newest: a deployment that nobody knows is a gateway to the live platform. Raises ConfigurationError.
    """
    if contract is not None:
        return line_of(contract)
    if chosen := variables.get("AIGNOSTICS_CONTRACT", "").strip():
        return line_of(chosen, "AIGNOSTICS_CONTRACT")
    known = _known(api_root)
    return line_of(known.contract if known is not None else fallback or NEWEST)


def _known(api_root: str) -> Environment | None:
    return next((each for each in ENVIRONMENTS.values() if origin(each.api_root) == origin(api_root)), None)


def _store(given: _Variables) -> TokenStore:
    from .auth import FileStore, KeyringStore, MemoryStore

    stores: dict[str, Callable[[], TokenStore]] = {
        "file": FileStore,
        "keyring": KeyringStore,
        "memory": MemoryStore,
    }
    name = given.get("AIGNOSTICS_TOKEN_STORE", str) or "file"
    if name not in stores:
        raise ConfigurationError(f"AIGNOSTICS_TOKEN_STORE is one of {', '.join(stores)}, not {name!r}")
    return stores[name]()


class _Variables:
    """The variables of this package that are set and not empty; their values do not show in tracebacks."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._values = {
            name: Secret(value.strip())
            for name, value in variables.items()
            if name.startswith("AIGNOSTICS_") and value.strip()
        }

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def secret(self, name: str) -> Secret | None:
        """Return a value that is a credential, or None; raises ConfigurationError for one in quotes."""
        found = self._values.get(name)
        if found is not None:
            _check_quotes(name, found)
        return found

    def get(self, name: str, read: Callable[[str], _T]) -> _T | None:
        """Return what `read` makes of a value, or None; its ConfigurationError is raised with the name."""
        found = self.secret(name)
        return None if found is None else _named(name, lambda: read(found.reveal()))


def _named(name: str, read: Callable[[], _T]) -> _T:
    try:
        return conceals_arguments(read)()
    except ConfigurationError as error:
        error.args = (f"{name}: {error}",)
        raise


def _check_quotes(name: str, value: Secret) -> None:
    """Raise ConfigurationError for quotes, which a shell takes away and an env file or container may not."""
    if {value.reveal()[0], value.reveal()[-1]} & _QUOTES:
        raise ConfigurationError(
            f"{name} is set without quotes; is a line break or a quote left in its value?"
        )


def _place(given: _Variables) -> tuple[str, Environment | None, str]:
    preset = given.get("AIGNOSTICS_ENVIRONMENT", environment)
    root = given.get("AIGNOSTICS_API_ROOT", check_root)
    if root is not None:
        if preset is not None and origin(preset.api_root) != origin(root):
            # One environment's token would go to another one's API.
            raise ConfigurationError(
                f"AIGNOSTICS_API_ROOT is not the root of AIGNOSTICS_ENVIRONMENT, {preset.api_root}; set one"
            )
        return root, _known(root), "AIGNOSTICS_API_ROOT"
    if preset is not None:
        return preset.api_root, preset, "AIGNOSTICS_ENVIRONMENT"
    raise ConfigurationError(
        "no platform is set: set AIGNOSTICS_ENVIRONMENT to production, staging or dev, or "
        "AIGNOSTICS_API_ROOT to the root of another one, without /api"
    )


def _source(given: _Variables, preset: Environment | None, settings: Settings) -> tuple[TokenSource, str]:
    from .auth import ClientCredentials, RefreshToken, StaticToken, StoredLogin

    if (static := given.get("AIGNOSTICS_ACCESS_TOKEN", StaticToken)) is not None:
        return static, "AIGNOSTICS_ACCESS_TOKEN"
    if not any(name in given for name in (*_CLIENT_IDS, "AIGNOSTICS_REFRESH_TOKEN")):
        raise ConfigurationError(
            "no credential is set: set AIGNOSTICS_CLIENT_ID and sign in with `aignostics-async login`, or "
            "set AIGNOSTICS_REFRESH_TOKEN or AIGNOSTICS_CLIENT_SECRET beside it, or AIGNOSTICS_ACCESS_TOKEN "
            "for a token that lives as long as the job"
        )
    providers = _providers(given, preset)
    variable, provider = next(iter(providers.items()))
    if "AIGNOSTICS_REFRESH_TOKEN" in given:
        store = _store(given)
        refreshed: Any = given.get(
            "AIGNOSTICS_REFRESH_TOKEN",
            lambda text: RefreshToken(text, provider=provider, store=store, settings=settings),
        )
        return refreshed, f"AIGNOSTICS_REFRESH_TOKEN with {variable}"
    if provider.client_secret is not None:
        return ClientCredentials(provider, settings=settings), f"AIGNOSTICS_CLIENT_SECRET with {variable}"
    source = StoredLogin(*providers.values(), store=_store(given), settings=settings)
    return source, f"the login kept for {' or '.join(providers)}"


def _providers(given: _Variables, preset: Environment | None) -> dict[str, IdentityProvider]:
    from .auth import IdentityProvider
    from .auth._provider import checked_field

    clients: dict[str, Any] = {
        name: given.get(name, partial(checked_field, "client_id")) for name in _CLIENT_IDS if name in given
    }
    if not clients:
        raise ConfigurationError(
            "set AIGNOSTICS_CLIENT_ID to the id of your client; the platform's support gives one to each "
            "integration, and none is built in"
        )
    fields: dict[str, Any] = {
        field: given.get(variable, partial(checked_field, field))
        for field, variable in _FIELDS.items()
        if variable in given
    }
    if preset is not None:
        fields = {"token_url": preset.token_url, "audience": preset.audience, **fields}
    if "token_url" not in fields:
        raise ConfigurationError("set AIGNOSTICS_TOKEN_URL, where this API's identity provider gives tokens")
    return {
        name: IdentityProvider.beside(client_id=client_id, **fields) for name, client_id in clients.items()
    }
