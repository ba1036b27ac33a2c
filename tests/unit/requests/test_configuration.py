"""Settings, environment variables and addresses."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from attrs import evolve
from leak_detector import variables_of

from aignostics_async import (
    GCS,
    S3,
    Azure,
    Client,
    ClientCredentials,
    ConfigurationError,
    IdentityProvider,
    Limits,
    RefreshToken,
    Retries,
    Settings,
    StaticToken,
    StoredLogin,
    Timeouts,
    Token,
    Transfers,
    Uploads,
)
from aignostics_async._core._urls import (
    check_endpoint,
    is_loopback,
    origin,
    without_query,
)
from aignostics_async._environment_variables import (
    read_environment,
    read_identity_providers,
    read_token_store,
)

DEFAULTS = Settings()


def test_durations_are_seconds_or_timedeltas() -> None:
    assert Settings(poll_interval=timedelta(minutes=2)).poll_interval == 120
    assert Timeouts(connect=3).connect == 3.0


def test_settings_are_frozen_and_checked() -> None:
    with pytest.raises(AttributeError):
        DEFAULTS.poll_interval = 3  # type: ignore[misc]
    with pytest.raises(ConfigurationError, match="poll_interval must be more than 0"):
        Settings(poll_interval=0)
    with pytest.raises(ConfigurationError, match="attempts must be at least 1"):
        Retries(attempts=0)
    with pytest.raises(ConfigurationError, match="api_requests"):
        Limits(api_requests=0)


@pytest.mark.parametrize(
    ("kind", "given", "words"),
    [
        (Timeouts, {"read": float("inf")}, "read must be more than 0 and finite"),
        (Timeouts, {"read": float("nan")}, "read must be more than 0 and finite"),
        (Timeouts, {"read": 10**400}, "read must be more than 0 and finite"),
        (Timeouts, {"read": True}, "give a number of seconds, such as 60, or a timedelta, not True"),
        (Settings, {"results_rate_limit": True}, "results_rate_limit must be more than 0 and finite"),
        (Settings, {"trust_env": "no"}, "trust_env takes bool(...), not str"),
        (Retries, {"attempts": True}, "attempts must be at least 1 and whole, not True"),
        (Timeouts, {"read": "a minute"}, "give a number of seconds, such as 60, or a timedelta"),
        (Settings, {"poll_interval": None}, "give a number of seconds"),
        (Token, {"text": "text", "lifetime": "an hour"}, "give a number of seconds"),
        (Retries, {"attempts": "4"}, "attempts must be at least 1 and whole, not '4'"),
        (Transfers, {"bandwidth": "fast"}, "bandwidth must be more than 0"),
        (Uploads, {"prefix": "a b"}, "prefix takes letters, digits, _, ., - and /, such as lab-7"),
        (Settings, {"proxy": 5}, "proxy takes str(...), not int"),
        (Settings, {"ssl_context": True}, "ssl_context takes SSLContext(...), not bool"),
        (Uploads, {"job": "a/b"}, "job takes letters, digits, _, . and -, such as lab-7"),
        (Uploads, {"job": ""}, "job takes letters"),
        (Uploads, {"prefix": None}, "prefix takes letters"),
    ],
)
def test_a_value_of_another_kind_is_told(
    kind: Callable[..., object], given: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        kind(**given)


def test_no_setting_waits_for_ever() -> None:
    for name in ("connect", "read", "write", "pool"):
        assert 0 < getattr(DEFAULTS.timeouts, name) <= 60


def test_nothing_set_names_what_to_set() -> None:
    with pytest.raises(ConfigurationError, match="AIGNOSTICS_ENVIRONMENT") as caught:
        read_environment({}, DEFAULTS)
    assert "AIGNOSTICS_API_ROOT" in str(caught.value)
    place = {"AIGNOSTICS_ENVIRONMENT": "staging"}
    with pytest.raises(ConfigurationError, match="no credential is set") as caught:
        read_environment(place, DEFAULTS)
    for name in ("CLIENT_ID", "REFRESH_TOKEN", "CLIENT_SECRET", "ACCESS_TOKEN"):
        assert f"AIGNOSTICS_{name}" in str(caught.value)
    assert "aignostics-async login" in str(caught.value)
    with pytest.raises(ConfigurationError, match=r"AIGNOSTICS_CLIENT_ID.*support gives one"):
        read_environment({**place, "AIGNOSTICS_REFRESH_TOKEN": "r"}, DEFAULTS)
    elsewhere = {"AIGNOSTICS_API_ROOT": "https://here.example.com", "AIGNOSTICS_CLIENT_ID": "c"}
    with pytest.raises(ConfigurationError, match="AIGNOSTICS_TOKEN_URL"):
        read_environment(elsewhere, DEFAULTS)
    with pytest.raises(ConfigurationError, match="choose one of production, staging, dev"):
        read_environment({"AIGNOSTICS_ENVIRONMENT": "prod"}, DEFAULTS)
    with pytest.raises(ConfigurationError, match="file, keyring, memory"):
        read_environment(
            {**place, "AIGNOSTICS_CLIENT_ID": "c", "AIGNOSTICS_TOKEN_STORE": "post-it"}, DEFAULTS
        )


@pytest.mark.parametrize(
    ("given", "source", "told"),
    [
        (
            {"ACCESS_TOKEN": "a", "REFRESH_TOKEN": "r", "CLIENT_ID": "c"},
            StaticToken,
            "AIGNOSTICS_ACCESS_TOKEN",
        ),
        (
            {"REFRESH_TOKEN": "r", "CLIENT_ID": "c", "CLIENT_SECRET": "s"},
            RefreshToken,
            "AIGNOSTICS_REFRESH_TOKEN with AIGNOSTICS_CLIENT_ID",
        ),
        (
            {"CLIENT_ID": "c", "CLIENT_SECRET": "s"},
            ClientCredentials,
            "AIGNOSTICS_CLIENT_SECRET with AIGNOSTICS_CLIENT_ID",
        ),
        ({"CLIENT_ID": "c"}, StoredLogin, "the login kept for AIGNOSTICS_CLIENT_ID"),
        (
            {"CLIENT_ID_INTERACTIVE": "i", "CLIENT_ID_DEVICE": "d"},
            StoredLogin,
            "the login kept for AIGNOSTICS_CLIENT_ID_INTERACTIVE or AIGNOSTICS_CLIENT_ID_DEVICE",
        ),
    ],
)
def test_the_credential_is_picked_by_what_is_set(given: dict[str, str], source: type, told: str) -> None:
    variables = {f"AIGNOSTICS_{name}": value for name, value in given.items()}
    account = read_environment({**variables, "AIGNOSTICS_ENVIRONMENT": "dev"}, DEFAULTS)
    assert isinstance(account.source, source)
    assert account.display_name == f"{told} at https://platform-dev.aignostics.ai (AIGNOSTICS_ENVIRONMENT)"


def test_an_environment_has_an_identity_provider() -> None:
    given = {"AIGNOSTICS_ENVIRONMENT": "production", "AIGNOSTICS_CLIENT_ID": "c"}
    provider = read_identity_providers(given)["AIGNOSTICS_CLIENT_ID"]
    assert provider == IdentityProvider.preset("production", client_id="c")
    assert provider == IdentityProvider.preset("production", client_id="c", audience=None, revoke_url=None)
    assert provider.token_url == "https://aignostics-platform.eu.auth0.com/oauth/token"
    assert provider.authorize_url == "https://aignostics-platform.eu.auth0.com/authorize"
    assert provider.device_url == "https://aignostics-platform.eu.auth0.com/oauth/device/code"
    assert provider.revoke_url == "https://aignostics-platform.eu.auth0.com/oauth/revoke"
    assert provider.audience == "https://aignostics-platform-samia"
    assert provider.redirect_url == "http://localhost:8989/"


def test_every_part_of_an_identity_provider_can_be_set() -> None:
    parts = {
        "TOKEN_URL": "https://idp.example.com/token",
        "AUTHORIZE_URL": "https://idp.example.com/auth",
        "DEVICE_URL": "https://idp.example.com/device",
        "REDIRECT_URL": "http://127.0.0.1:0/callback",
        "AUDIENCE": "https://api.example.com",
        "ORGANIZATION": "org_1",
        "CLIENT_SECRET": "PLANTED",
    }
    given = {f"AIGNOSTICS_{name}": value for name, value in parts.items()}
    given |= {"AIGNOSTICS_API_ROOT": "https://api.example.com", "AIGNOSTICS_CLIENT_ID": "c"}
    provider = read_identity_providers(given)["AIGNOSTICS_CLIENT_ID"]
    for name, value in parts.items():
        if name != "CLIENT_SECRET":
            assert getattr(provider, name.lower()) == value
    assert provider.client_secret is not None
    assert "PLANTED" not in repr(provider)
    assert provider.revoke_url is None, "not known beside a token URL of another layout"


@pytest.mark.parametrize("name", ["CLIENT_ID", "CLIENT_SECRET", "AUDIENCE", "ORGANIZATION", "REFRESH_TOKEN"])
def test_bytes_that_are_no_text_are_named_and_not_shown(name: str) -> None:
    """A variable in another encoding arrives as half characters."""
    given = {"AIGNOSTICS_ENVIRONMENT": "dev", "AIGNOSTICS_CLIENT_ID": "c"}
    with pytest.raises(ConfigurationError, match="is no text") as caught:
        read_environment({**given, f"AIGNOSTICS_{name}": "bytes\udcff"}, DEFAULTS)
    assert "bytes" not in str(caught.value)
    assert caught.value.__context__ is None


def test_an_issuer_is_written_in_one_way() -> None:
    urls = ["https://IDP.example.com/oauth/token", "https://idp.example.com:443/oauth/token"]
    assert {IdentityProvider(token_url=url, client_id="c").issuer for url in urls} == {
        "https://idp.example.com"
    }
    assert IdentityProvider(token_url="http://[::1]:81/t", client_id="c").issuer == "http://[::1]:81"


def test_logins_are_kept_apart() -> None:
    """By issuer, client, audience, organization; and a refresh token that was given from any login."""
    keys = [
        IdentityProvider.preset("production", client_id="c").key,
        IdentityProvider.preset("staging", client_id="c").key,
        IdentityProvider.preset("production", client_id="d").key,
        IdentityProvider.preset("production", client_id="c", audience="a").key,
        IdentityProvider.preset("production", client_id="c", organization="o").key,
    ]
    keys += [evolve(key, family="f") for key in keys]
    assert len({key.digest for key in keys}) == len(keys)


def test_logins_of_two_tenants_of_one_host_are_kept_apart() -> None:
    """As with realms of Keycloak, authorization servers of Okta and tenants of Entra."""
    paths = ["/oauth/token", "/realms/a/token", "/realms/b/token", "/oauth2/v2.0/token"]
    keys = [IdentityProvider(token_url=f"https://idp.example.com{path}", client_id="c").key for path in paths]
    assert len({key.digest for key in keys}) == len(keys)
    assert keys[0].issuer == "https://idp.example.com", "where logins were kept before"


@pytest.mark.parametrize(
    "url",
    ["https://localhost:8989/", "http://elsewhere.example.com/", "http://localhost:8989/?a=b", "localhost"],
)
def test_a_redirect_url_that_leads_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="redirect URL"):
        IdentityProvider(token_url="https://host/token", client_id="c", redirect_url=url)


def test_one_environment_s_token_does_not_go_to_another_one_s_api() -> None:
    both = {
        "AIGNOSTICS_ENVIRONMENT": "production",
        "AIGNOSTICS_API_ROOT": "http://127.0.0.1:8000",
        "AIGNOSTICS_ACCESS_TOKEN": "x",
    }
    with pytest.raises(ConfigurationError, match="is not the root of AIGNOSTICS_ENVIRONMENT"):
        read_environment(both, DEFAULTS)
    same = {**both, "AIGNOSTICS_API_ROOT": "https://platform.aignostics.com/"}
    assert read_environment(same, DEFAULTS).api_root == "https://platform.aignostics.com"


def test_what_is_set_is_used_and_told() -> None:
    account = read_environment(
        {"AIGNOSTICS_ENVIRONMENT": "production", "AIGNOSTICS_ACCESS_TOKEN": " token\n"}, DEFAULTS
    )
    assert account.api_root == "https://platform.aignostics.com"
    assert isinstance(account.source, StaticToken)
    assert "AIGNOSTICS_ACCESS_TOKEN" in account.display_name
    assert "token\n" not in account.display_name

    variables = {
        "AIGNOSTICS_API_ROOT": "https://platform.aignostics.com",
        "AIGNOSTICS_REFRESH_TOKEN": "PLANTED",
        "AIGNOSTICS_CLIENT_ID_INTERACTIVE": "client",
        "AIGNOSTICS_ACCESS_TOKEN": "",
    }
    account = read_environment(variables, DEFAULTS)
    assert isinstance(account.source, RefreshToken)
    assert (
        repr(account.source)
        == "RefreshToken(for client 'client' of https://aignostics-platform.eu.auth0.com)"
    )
    assert "PLANTED" not in repr(account) + account.display_name


def test_from_env_reads_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIGNOSTICS_API_ROOT", "http://127.0.0.1:1/")
    monkeypatch.setenv("AIGNOSTICS_ACCESS_TOKEN", "PLANTED")
    assert repr(Client.from_env()) == "Client('http://127.0.0.1:1')"


@pytest.mark.parametrize(
    "root",
    ["http://platform.example.com", "ftp://host", "platform.example.com", "https://u:p@host", "https://host?q=1",
     "https://host:port", "", "https://host/api"],
)  # fmt: skip
def test_a_root_that_cant_be_used_is_refused(root: str) -> None:
    with pytest.raises(ConfigurationError):
        Client(root, "token")


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "ümlaut"])
def test_a_token_that_cant_be_sent_is_refused_without_showing_it(token: str) -> None:
    with pytest.raises(ConfigurationError, match="one word of ASCII" if token else "is empty") as caught:
        Client("https://host.example.com", token)
    assert token == "" or token not in str(caught.value)


def test_addresses() -> None:
    assert origin("https://Host:443/a?b") == origin("https://host/c")
    assert origin("https://host") != origin("http://host")
    assert without_query("https://user:secret@host/a/b?sig=1#x") == "https://host/a/b"
    assert check_endpoint("https://host/", "it") == "https://host"
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.8.8.8", "::1")))
    assert not any(map(is_loopback, ("example.com", "10.0.0.1", "localhost.example.com", "")))


@pytest.mark.parametrize(
    ("token_url", "issuer", "accepted"),
    [
        ("https://tenant.example.com/oauth/token", "https://tenant.example.com/", True),
        ("https://tenant.example.com/oauth/token", "https://tenant.example.com", True),
        ("https://tenant.example.com/oauth/token", "https://other.example.com/", False),
        ("https://tenant.example.com/oauth/token", "https://tenant.example.com.evil.org", False),
        ("https://tenant.example.com/oauth/token", "https:", False),
        ("https://tenant.example.com/oauth/token", "", False),
        ("https://HOST:443/realms/a/protocol/openid-connect/token", "https://host/realms/a", True),
        ("https://host/realms/ab/protocol/openid-connect/token", "https://host/realms/a", False),
        ("https://host/realms/a/protocol/openid-connect/token", "https://host/realms/b", False),
        ("https://host/oauth2/default/v1/token", "https://host/oauth2/default", True),
        ("http://127.0.0.1:8000/token", "http://127.0.0.1:8001", False),
    ],
)
def test_the_issuer_of_a_response_is_how_the_token_url_begins(
    token_url: str, issuer: str, accepted: bool
) -> None:
    provider = IdentityProvider(token_url=token_url, client_id="c")
    assert provider.may_be_issuer(issuer) is accepted


@pytest.mark.parametrize("name", ["TOKEN_URL", "AUTHORIZE_URL", "DEVICE_URL", "REDIRECT_URL"])
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://host.example.com:port/oauth/token", "port"),
        ("https://host.example.com:99999/oauth/token", "port"),
        ("http://localhost:port/", "port"),
        ("https://host.example.com/oauth\n/token", "line break"),
        ("https://host.example.com/oauth token", "space"),
        ("https://[::1/oauth/token", "brackets"),
    ],
)
def test_a_url_that_is_none_is_told_in_words_of_its_own(name: str, url: str, words: str) -> None:
    given = {
        "AIGNOSTICS_ENVIRONMENT": "dev",
        "AIGNOSTICS_CLIENT_ID": "c",
        f"AIGNOSTICS_{name}": url,
    }
    with pytest.raises(ConfigurationError, match=words) as caught:
        read_environment(given, Settings())
    assert name.replace("_", " ").lower() in str(caught.value).lower()


@pytest.mark.parametrize("token", ['"quoted"', "'quoted'", "`quoted`", "two words", "broken\nline"])
def test_a_token_that_was_copied_with_more_is_refused(token: str) -> None:
    given = {"AIGNOSTICS_ENVIRONMENT": "dev", "AIGNOSTICS_ACCESS_TOKEN": token}
    with pytest.raises(ConfigurationError, match="a line break or a quote") as caught:
        read_environment(given, Settings())
    assert "quoted" not in str(caught.value)


def test_an_environment_s_root_may_be_written_in_other_ways() -> None:
    given = {
        "AIGNOSTICS_ENVIRONMENT": "production",
        "AIGNOSTICS_API_ROOT": "https://Platform.aignostics.com:443/",
        "AIGNOSTICS_ACCESS_TOKEN": "token",
    }
    read_environment(given, Settings())
    given["AIGNOSTICS_API_ROOT"] = "https://platform.aignostics.com:444"
    with pytest.raises(ConfigurationError, match="is not the root of"):
        read_environment(given, Settings())


_WRONG = (
    {"AIGNOSTICS_ENVIRONMENT": "nowhere"},
    {"AIGNOSTICS_ACCESS_TOKEN": '"PLANTED"'},
    {"AIGNOSTICS_CLIENT_ID": ""},
    {"AIGNOSTICS_TOKEN_URL": "http://elsewhere.example.com"},
    {"AIGNOSTICS_REDIRECT_URL": "https://elsewhere.example.com"},
    {"AIGNOSTICS_CLIENT_SECRET": "PLANTED\udcff"},
    {"AIGNOSTICS_REFRESH_TOKEN": "PLANTED\udcff"},
    {"AIGNOSTICS_TOKEN_STORE": "nothing"},
)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        *(("ACCESS_TOKEN", wrong) for wrong in _WRONG[:2]),
        *(("CLIENT_SECRET", wrong) for wrong in _WRONG[:7]),
        *(("REFRESH_TOKEN", wrong) for wrong in (*_WRONG[:2], *_WRONG[3:])),
    ],
)
def test_an_error_shows_no_credential_of_the_environment(name: str, wrong: dict[str, str]) -> None:
    """Neither in its text nor in the variables of its frames, whatever variable is wrong."""
    given = {
        "AIGNOSTICS_ENVIRONMENT": "dev",
        "AIGNOSTICS_CLIENT_ID": "c",
        f"AIGNOSTICS_{name}": "PLANTED",
        "AWS_SECRET_ACCESS_KEY": "PLANTED",
        **wrong,
    }
    with pytest.raises(ConfigurationError) as caught:
        read_environment(given, Settings())
    shown = [text for _, text in variables_of(caught.value)]
    assert shown
    assert "PLANTED" not in "".join([str(caught.value), *shown])


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ENVIRONMENT", "'dev'", "quotes"),
        ("API_ROOT", '"https://platform.example.com"', "quotes"),
        ("API_ROOT", "https://platform.example\n.com", "line break"),
        ("API_ROOT", "https://platform.example.com:0", "port 0"),
        ("API_ROOT", "https://platform.example.com/API/v1", "without /api"),
        ("CLIENT_ID", "'client'", "quotes"),
        ("CLIENT_ID", "cli\nent", "line break"),
        ("CLIENT_SECRET", "`PLANTED`", "quotes"),
        ("CLIENT_SECRET", "PLAN\r\nTED", "line break"),
        ("REFRESH_TOKEN", '"PLANTED"', "quotes"),
        ("REFRESH_TOKEN", "PLANTED\x00x", "control character"),
        ("ACCESS_TOKEN", "\u201cPLANTED\u201d", "quotes"),
        ("TOKEN_URL", "https://idp.example.com/oauth/\ntoken", "line break"),
        ("TOKEN_URL", "https://idp.example.com:0/oauth/token", "port 0"),
        ("REDIRECT_URL", "http://localhost:99999/", "port"),
        ("REDIRECT_URL", "http://localhost:8989/#part", "redirect URL is one of this machine"),
        ("AUDIENCE", "'audience'", "quotes"),
        ("ORGANIZATION", "lab\t7", "control character"),
        ("TOKEN_STORE", "'file'", "quotes"),
    ],
)
def test_a_setting_that_cant_be_meant_so_is_told(name: str, value: str, words: str) -> None:
    given = {"AIGNOSTICS_CLIENT_ID": "client", f"AIGNOSTICS_{name}": value}
    if name != "API_ROOT":
        given = {"AIGNOSTICS_ENVIRONMENT": "dev", **given}
    with pytest.raises(ConfigurationError, match=words) as caught:
        read_environment(given, Settings())
        read_token_store(given)
    assert str(caught.value).startswith(f"AIGNOSTICS_{name}")
    assert "PLANTED" not in str(caught.value)


def test_a_line_break_in_a_given_secret_is_told() -> None:
    with pytest.raises(ConfigurationError, match="line break"):
        RefreshToken("PLANTED\nx", provider=IdentityProvider.preset("dev", client_id="c"))
    with pytest.raises(ConfigurationError, match="line break"):
        IdentityProvider.preset("dev", client_id="c\nx")


@pytest.mark.parametrize("make", [IdentityProvider.beside, IdentityProvider.preset])
@pytest.mark.parametrize("value", [None, 5, []])
def test_a_provider_is_made_from_texts(make: Callable[..., IdentityProvider], value: object) -> None:
    with pytest.raises(ConfigurationError):
        make(value, client_id="lab-7")


@pytest.mark.parametrize("field", ["token_url", "client_id", "scope", "redirect_url"])
def test_what_a_provider_needs_is_never_none(field: str) -> None:
    given: dict[str, Any] = {"token_url": "https://login.example.com/oauth/token", "client_id": "c"}
    with pytest.raises(ConfigurationError):
        IdentityProvider(**{**given, field: None})


@pytest.mark.parametrize("value", [None, "x"])
def test_a_field_that_a_provider_has_not_is_refused(value: str | None) -> None:
    with pytest.raises(TypeError, match="realm"):
        IdentityProvider.preset("dev", client_id="c", realm=value)


@pytest.mark.parametrize("address", [S3, GCS, partial(Azure, account="a", key="YQ==")])
def test_the_endpoint_of_a_store_is_a_text(address: Callable[..., object]) -> None:
    name = "container" if isinstance(address, partial) else "bucket"
    with pytest.raises(ConfigurationError, match="endpoint is a text, not int"):
        address(**{name: "slides", "endpoint": 5})
