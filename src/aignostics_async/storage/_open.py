"""From the address of a store to the store."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .._errors import ConfigurationError
from .._urls import check_endpoint
from ._signing import SigningStore
from ._store import Store

if TYPE_CHECKING:
    from .._session import Session


def open_store(store: Store | str, session: Session) -> Store:
    """Return the store that an address names; a store is returned as it is.

    `https://host/path` (`http` on this machine) is a server that signs URLs itself, such as the emulator.
    """
    if not isinstance(store, str):
        return store
    if urlsplit(store).scheme in ("http", "https"):
        return SigningStore(check_endpoint(store, "the store"), session)
    raise ConfigurationError(
        f"{store!r} is no address of a store that this release knows; give the https address of a store "
        "that signs URLs, or an object with the methods of aignostics_async.Store"
    )
