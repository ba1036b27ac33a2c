"""Identity providers, and the key that a store keeps their tokens under."""

from __future__ import annotations

import hashlib
from typing import Any, Self
from urllib.parse import urlsplit

from attrs import Attribute, field, fields_dict, frozen

from .._config import environment
from .._core._secret import Secret, conceals_arguments, conceals_fields
from .._core._token import as_secret, check_credential, is_text
from .._core._urls import check_endpoint, has_user_name, shown_address, split_url
from ..errors import ConfigurationError

# The platform's providers are Auth0 tenants, which all have this layout.
LOOPBACK = {"localhost": ("127.0.0.1", "::1"), "127.0.0.1": ("127.0.0.1",), "::1": ("::1",)}
"""The names of this machine that a browser is sent to, and the addresses that each one may mean."""
_TOKEN = "/oauth/token"  # noqa: S105 - a path
_NEIGHBOURS = {
    "authorize_url": "/authorize",
    "device_url": "/oauth/device/code",
    "revoke_url": "/oauth/revoke",
}


def _endpoint(_instance: object, attribute: Attribute[Any], url: Any) -> None:
    if url is not None or attribute.default is not None:
        check_endpoint(url, attribute.name.replace("_url", " URL"))


def _loopback(_instance: object, _attribute: Attribute[str], url: str) -> None:
    check_text(url, "redirect URL")
    parts = split_url(url, "the redirect URL")
    if (
        parts.scheme != "http"
        or parts.hostname not in LOOPBACK
        or parts.query
        or parts.fragment
        or has_user_name(url)
    ):
        raise ConfigurationError(
            "the redirect URL is one of this machine, such as http://localhost:8989/ or "
            f"http://127.0.0.1:0/, not {shown_address(url)!r}"
        )


def _given(_instance: object, _attribute: Attribute[str], client_id: str) -> None:
    if not client_id:
        raise ConfigurationError(
            "a client id is missing; the platform's support gives one to each integration, none is built in"
        )
    check_text(client_id, "client id")


def _text(_instance: object, attribute: Attribute[Any], text: str | None) -> None:
    if text is not None or attribute.default is not None:
        check_text(text, attribute.name)


def check_text(text: object, what: str) -> None:
    """Raise ConfigurationError unless this is a text on one line that can be encoded."""
    if not is_text(text):
        raise ConfigurationError(f"the {what} is no text; is it in another encoding?")
    if not str(text).isprintable():
        raise ConfigurationError(f"the {what} has a line break or control character in it")


def _secret(text: str | Secret | None) -> Secret | None:
    return as_secret(text) if text else None


def _credential(_instance: object, _attribute: Attribute[Any], secret: Secret | None) -> None:
    if secret is not None:
        check_credential(secret)


@conceals_fields
@frozen(kw_only=True)
class IdentityProvider:
    """The endpoints of an identity provider, and the client that is registered with it.

        IdentityProvider.preset("production", client_id="...")

    Use `preset` for an environment of the platform, and `beside` for another provider with the URLs of Auth0;
    each fills in the URLs. `token_url` and `client_id` are required. The other fields are None by default,
    unless stated:

    - `client_secret`: the secret of a confidential client, as a str or a `Secret`; an empty str counts as
      None.
    - `authorize_url`: where a person signs in; `login_browser` needs it.
    - `device_url`: where device codes are issued; `login_device` needs it.
    - `revoke_url`: where `logout` revokes refresh tokens; without it they are only deleted on this machine.
    - `audience`: the API that the tokens are for; some providers need it.
    - `organization`: the organization to sign in to, for a person who belongs to several.
    - `scope`: the scope of a login; `offline_access` by default, for which refresh tokens are issued.
    - `redirect_url`: the loopback URL registered for the client, `http://localhost:8989/` by default; port 0
      uses a free port.

    Sends no request. Raises ConfigurationError for a missing client id; a URL that is invalid, has a user
    name, query or fragment, or is neither https nor http on this machine; a `redirect_url` that is not http
    on `localhost`, `127.0.0.1` or `[::1]`; or a value that is no text, can't be encoded or has a control
    character. The repr does not show the secret.
    """

    token_url: str = field(validator=_endpoint)
    """The URL that issues tokens."""
    client_id: str = field(validator=_given)
    """The id of the registered client.

    The platform's support issues one to each integration; none is built in.
    """
    client_secret: Secret | None = field(default=None, converter=_secret, validator=_credential)
    """The secret of a confidential client, passed as a str; None, the default, for a public client."""
    authorize_url: str | None = field(default=None, validator=_endpoint)
    """The URL at which a person signs in, required by `login_browser`; None by default."""
    device_url: str | None = field(default=None, validator=_endpoint)
    """The URL that issues device codes, required by `login_device`; None by default."""
    revoke_url: str | None = field(default=None, validator=_endpoint)
    """The URL at which `logout` revokes the refresh token; None, the default, only deletes the token here."""
    audience: str | None = field(default=None, validator=_text)
    """The API that the tokens are for; None by default.

    Without it some providers issue tokens that no API accepts.
    """
    organization: str | None = field(default=None, validator=_text)
    """The organization to sign in to, for a person who belongs to several; None by default."""
    scope: str = field(default="offline_access", validator=_text)
    """The scope of a login; `offline_access` by default, without which no refresh token is issued."""
    redirect_url: str = field(default="http://localhost:8989/", validator=_loopback)
    """The loopback URL registered for the client, `http://localhost:8989/` by default; port 0 uses a free
    port.
    """

    @classmethod
    @conceals_arguments
    def preset(cls, name: str, *, client_id: str, **more: str | Secret | None) -> Self:
        """Return the provider of an environment: `production`, `staging` or `dev`.

            IdentityProvider.preset("staging", client_id="...", organization="lab-7")

        `more` are further fields of `IdentityProvider`, which take precedence over the environment's URLs and
        audience; None keeps the environment's value. Raises ConfigurationError for an unknown name or an
        invalid field, and TypeError for an unknown field or `token_url`, for which there is `beside`.
        """
        preset = environment(name)
        if more.get("audience") is None:
            more["audience"] = preset.audience
        return cls.beside(preset.token_url, client_id=client_id, **more)

    @classmethod
    @conceals_arguments
    def beside(cls, token_url: str, *, client_id: str, **more: str | Secret | None) -> Self:
        """Return a provider with endpoints derived from its token URL, as Auth0 has them.

            IdentityProvider.beside("https://login.example.com/oauth/token", client_id="...")

        If the token URL ends in `/oauth/token`, the other endpoints have `/authorize`, `/oauth/device/code`
        and `/oauth/revoke` in its place; otherwise they are None, so pass those that you need. `more` are
        further fields of `IdentityProvider`, which take precedence; None keeps the derived or default value.
        Raises ConfigurationError for an invalid field, and TypeError for an unknown field.
        """
        known = fields_dict(IdentityProvider)
        fields: dict[str, Any] = {
            name: value for name, value in more.items() if value is not None or name not in known
        }
        base, layout, rest = check_endpoint(token_url, "token URL").rpartition(_TOKEN)
        if layout and not rest:
            for name, path in _NEIGHBOURS.items():
                fields.setdefault(name, base + path)
        return cls(token_url=token_url, client_id=client_id, **fields)

    @property
    def issuer(self) -> str:
        """The origin of the token endpoint: scheme and host in lower case, without a default port.

        For `https://Login.example.com:443/oauth/token` it is `https://login.example.com`.
        """
        parts = urlsplit(self.token_url)
        host = (parts.hostname or "").lower()
        host = f"[{host}]" if ":" in host else host
        is_usual = parts.port in (None, {"http": 80, "https": 443}[parts.scheme])
        return f"{parts.scheme}://{host}" if is_usual else f"{parts.scheme}://{host}:{parts.port}"

    def may_be_issuer(self, issuer: str) -> bool:
        """Return whether an `iss` parameter (RFC 9207) may come from this provider.

            provider.may_be_issuer("https://login.example.com/")

        True for the property `issuer`, the token URL, and each path between them, compared as texts. So
        `https://host/realms/a` is not accepted for the token URL `https://host/realms/b/token`.
        """
        told = f"{issuer.rstrip('/')}/"
        is_below = told.startswith(f"{self.issuer}/")
        return is_below and f"{self.issuer}{urlsplit(self.token_url).path}/".startswith(told)

    @property
    def display_name(self) -> str:
        """The client id and the issuer, for messages; no secret.

        For example `client 'lab-7' of https://login.example.com`.
        """
        return f"client {self.client_id!r} of {self.issuer}"

    @property
    def key(self) -> TokenKey:
        """The key under which a token store keeps the logins of this client at this provider.

        Its `family` is empty, and its `issuer` has the path of the token URL, too, unless that is
        `/oauth/token`: one host may serve several providers, by tenants or realms.
        """
        path = urlsplit(self.token_url).path
        issuer = self.issuer if path == _TOKEN else self.issuer + path
        return TokenKey(issuer, self.client_id, self.audience or "", self.organization or "")


def check_provider(provider: object) -> None:
    """Raise ConfigurationError for anything but an IdentityProvider; the error does not show its value."""
    if not isinstance(provider, IdentityProvider):
        raise ConfigurationError(
            'give an IdentityProvider, such as IdentityProvider.preset("production", client_id="..."), not '
            f"{type(provider).__name__}"
        )


def checked_field(name: str, value: str) -> Any:
    """Return a value as a field of IdentityProvider keeps it; raises ConfigurationError."""
    attribute: Any = fields_dict(IdentityProvider)[name]
    kept = value if attribute.converter is None else attribute.converter(value)
    attribute.validator(None, attribute, kept)
    return kept


@frozen
class TokenKey:
    """The key under which a store keeps tokens: provider, client, audience and organization.

        await store.load(provider.key)

    `issuer` is the origin of the token endpoint, with its path unless that is `/oauth/token`, and `client_id`
    the id of the client. `audience` and `organization` are empty by default, as is `family`, which for a
    `RefreshToken` is a digest of the refresh token that was passed. Keys are hashable, and equal if all
    fields are.
    """

    issuer: str
    """The origin of the token endpoint, with its path unless that is `/oauth/token`."""
    client_id: str
    """The id of the client."""
    audience: str = ""
    """The API that the tokens are for; empty by default."""
    organization: str = ""
    """The organization that was signed in to; empty by default."""
    family: str = ""
    """A digest of the refresh token that was passed to `RefreshToken`; empty, the default, for a login."""

    @property
    def digest(self) -> str:
        """The first 32 hexadecimal digits of the key's SHA-256, safe as a file name or key ring entry."""
        parts = (self.issuer, self.client_id, self.audience, self.organization, self.family)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def fingerprint(secret: Secret) -> str:
    """Return a digest that distinguishes secrets and does not reveal them."""
    return hashlib.sha256(secret.reveal().encode()).hexdigest()[:32]
