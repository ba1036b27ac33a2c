"""The client that the environment variables describe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from ._config import ENVIRONMENTS, Environment, Settings, environment
from ._errors import ConfigurationError
from ._urls import check_root

if TYPE_CHECKING:
    from .auth import TokenSource


@frozen
class Account:
    """Where to go and as whom."""

    api_root: str
    source: TokenSource
    described: str
    """Which variables were used; for the log."""


def read_environment(variables: Mapping[str, str], settings: Settings) -> Account:
    """Return what the variables say; an absent or empty one is not set."""
    given = {name: value.strip() for name, value in variables.items() if value.strip()}
    api_root, preset, place = _place(given)
    source, credential = _source(given, preset, settings)
    return Account(api_root, source, f"{credential} at {api_root} ({place})")


def _place(given: Mapping[str, str]) -> tuple[str, Environment | None, str]:
    preset = environment(given["AIGNOSTICS_ENVIRONMENT"]) if "AIGNOSTICS_ENVIRONMENT" in given else None
    if "AIGNOSTICS_API_ROOT" in given:
        root = check_root(given["AIGNOSTICS_API_ROOT"])
        if preset is not None and preset.api_root != root:
            # One environment's token would go to another one's API.
            raise ConfigurationError(
                f"AIGNOSTICS_API_ROOT is not the root of AIGNOSTICS_ENVIRONMENT, {preset.api_root}; set one"
            )
        known = next((each for each in ENVIRONMENTS.values() if each.api_root == root), None)
        return root, known, "AIGNOSTICS_API_ROOT"
    if preset is not None:
        return preset.api_root, preset, "AIGNOSTICS_ENVIRONMENT"
    raise ConfigurationError(
        "no platform is set: set AIGNOSTICS_ENVIRONMENT to production, staging or dev, or "
        "AIGNOSTICS_API_ROOT to the root of another one, without /api"
    )


def _source(
    given: Mapping[str, str], preset: Environment | None, settings: Settings
) -> tuple[TokenSource, str]:
    from .auth import RefreshToken, StaticToken

    if text := given.get("AIGNOSTICS_ACCESS_TOKEN"):
        return StaticToken(text), "AIGNOSTICS_ACCESS_TOKEN"
    text = given.get("AIGNOSTICS_REFRESH_TOKEN", "")
    if not text:
        raise ConfigurationError(
            "no credential is set: set AIGNOSTICS_REFRESH_TOKEN (with AIGNOSTICS_CLIENT_ID), or "
            "AIGNOSTICS_ACCESS_TOKEN for a token that lives as long as the job"
        )
    token_url = given.get("AIGNOSTICS_TOKEN_URL") or (preset.token_url if preset else "")
    if not token_url:
        raise ConfigurationError("set AIGNOSTICS_TOKEN_URL, where AIGNOSTICS_REFRESH_TOKEN can be used")
    client_id = given.get("AIGNOSTICS_CLIENT_ID") or given.get("AIGNOSTICS_CLIENT_ID_INTERACTIVE")
    if not client_id:
        raise ConfigurationError(
            "set AIGNOSTICS_CLIENT_ID to the client that AIGNOSTICS_REFRESH_TOKEN was issued to; the "
            "platform's support gives client ids"
        )
    source = RefreshToken(
        text,
        token_url=token_url,
        client_id=client_id,
        client_secret=given.get("AIGNOSTICS_CLIENT_SECRET"),
        settings=settings,
    )
    return source, "AIGNOSTICS_REFRESH_TOKEN"
