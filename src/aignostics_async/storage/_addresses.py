"""From the address of a store to the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable
from urllib.parse import urlsplit

from .._core._urls import check_endpoint, origin
from ..errors import ConfigurationError
from ._azure import Azure
from ._clouds import GCS, S3
from ._protocol import Store
from ._signing_store import SigningStore

if TYPE_CHECKING:
    from ._context import StoreContext


@runtime_checkable
class StoreAddress(Protocol):
    """Where a store is and who may use it; `S3`, `GCS`, `Azure` and `Presigned` are such."""

    def connect(self, session: StoreContext) -> Store:
        """Return the store, for one client."""
        ...


def open_store(store: Store | StoreAddress | str, session: StoreContext) -> Store:
    """Return the store that an address names; a store is returned as it is.

    `s3://bucket/prefix`, `gs://bucket/prefix` and `az://container/prefix` take their credentials from the
    environment. `https://host/path` (`http` on this machine) is a server of the API's own origin that signs
    URLs itself, such as the emulator. Raises ConfigurationError for any other address.
    """
    if isinstance(store, Store):
        return store
    if isinstance(store, StoreAddress):
        return store.connect(session)
    if isinstance(store, str):
        parts = urlsplit(store)
        if parts.scheme in ("http", "https"):
            return _signing(store, session)
        if parts.scheme in ("s3", "gs", "az") and parts.netloc and "@" not in parts.netloc:
            return _cloud(parts.scheme, parts.netloc, parts.path.strip("/")).connect(session)
    raise ConfigurationError(
        f"{store!r} is no address of a store; give s3://bucket/prefix, gs://bucket/prefix, "
        "az://container/prefix, the https address of a store that signs URLs, or an object with the methods "
        "of aignostics_async.Store"
    )


def _cloud(scheme: str, bucket: str, prefix: str) -> StoreAddress:
    if scheme == "s3":
        return S3(bucket=bucket, prefix=prefix)
    return GCS(bucket=bucket, prefix=prefix) if scheme == "gs" else Azure(container=bucket, prefix=prefix)


def _signing(store: str, session: StoreContext) -> Store:
    address = check_endpoint(store, "the store")
    if origin(address) != origin(session.api_root):
        raise ConfigurationError(
            f"a store that signs URLs needs the API's token, so it must be of the API's own origin "
            f"{session.api_root}, not {address}; for another store give s3://bucket/prefix or an object with "
            "the methods of aignostics_async.Store"
        )
    return SigningStore(address, session)
