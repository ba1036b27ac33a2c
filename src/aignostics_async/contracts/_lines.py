"""The lines of the contract that this release speaks; a translation is loaded when it is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from .._http._api_pool import ApiPool
    from ._protocol import Bridge


def open_bridge(line: str, api: ApiPool) -> Bridge:
    """Return the operations of a line over an API pool. Loads no translation of another line."""
    if line == "1.0":
        from .v1_0._requests import Bridge10

        return Bridge10(api)
    raise ConfigurationError(f"this release does not speak contract {line}")
