"""From the address of a store to the store."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .._errors import ConfigurationError
from .._urls import check_endpoint, origin
from ._signing import SigningStore
from ._store import Store

if TYPE_CHECKING:
    from .._session import Session


def open_store(store: Store | str, session: Session) -> Store:
    """Return the store that an address names; a store is returned as it is.

    `https://host/path` (`http` on this machine) is a server of the API's own origin that signs URLs itself,
    such as the emulator. Raises ConfigurationError for any other address.
    """
    if isinstance(store, Store):
        return store
    if isinstance(store, str) and urlsplit(store).scheme in ("http", "https"):
        address = check_endpoint(store, "the store")
        if origin(address) != origin(session.api_root):
            raise ConfigurationError(
                f"a store that signs URLs needs the API's token, so it must be of the API's own origin "
                f"{session.api_root}, not {address}; for another store give an object with the methods of "
                "aignostics_async.Store"
            )
        return SigningStore(address, session)
    raise ConfigurationError(
        f"{store!r} is no address of a store that this release knows; give the https address of a store "
        "that signs URLs, or an object with the methods of aignostics_async.Store"
    )
