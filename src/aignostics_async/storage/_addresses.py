"""From the address of a store to the store."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlsplit

from .._core._redaction import excerpt
from .._core._secret import conceals_arguments
from .._core._urls import check_endpoint, has_user_name, origin, shown_address
from ..errors import ConfigurationError
from ._azure import Azure
from ._checksum_negotiation import Checksums
from ._clouds import GCS, S3
from ._context import StoreContext
from ._fields import check_choice
from ._platform_bucket import PLACE, PlatformBucket
from ._protocol import Store, Verify
from ._signing_store import SigningStore


@runtime_checkable
class StoreAddress(Protocol):
    """The address of a store, which `connect` opens for a client.

        class MyAddress:
            def connect(self, context: StoreContext) -> Store:
                return MyStore(context.settings)

        run = await client.runs.submit(version, items, store=MyAddress())

    `S3`, `GCS`, `Azure`, `PlatformBucket` and `Presigned` are such addresses; write your own class for
    another store. `Client.store`, `Runs.submit`, `check_setup` and bulk jobs call `connect`, perhaps several
    times and for several clients.
    """

    def connect(self, context: StoreContext) -> Store:
        """Return the store for one client, without a request.

        `context` is the part of the client that stores use. It is called in the event loop, so it must not
        block for long, and should raise ConfigurationError if the store can't be used, for example without
        credentials.
        """
        ...


@conceals_arguments
def open_store(
    store: Store | StoreAddress | str,
    context: StoreContext,
    *,
    endpoint: str | None = None,
    verify: Verify = "auto",
    checksums: Checksums = "auto",
) -> Store:
    """Return the store at an address, without a request; a store is returned as it is.

    `Client.store` documents addresses, options and errors.
    """
    if isinstance(store, str):
        return _open_text(store, context, endpoint=endpoint, verify=verify, checksums=checksums)
    if endpoint is not None or verify != "auto" or checksums != "auto":
        raise ConfigurationError(
            "endpoint, verify and checksums are for a store that is given as a text; "
            "give them to the object, as in S3(endpoint=...)"
        )
    if isinstance(store, Store):
        return store
    if isinstance(store, StoreAddress):
        return store.connect(context)
    raise _no_address(store)


def check_address(store: object) -> None:
    """Raise ConfigurationError for what is neither a store nor an address, whatever is at it."""
    if not isinstance(store, str | Store | StoreAddress):
        raise _no_address(store)


def _open_text(
    store: str, context: StoreContext, *, endpoint: str | None, verify: Verify, checksums: Checksums
) -> Store:
    check_choice("checksums", checksums, Checksums)  # also where no store of the kind has it
    try:
        parts = urlsplit(store)
    except ValueError:
        raise _no_address(store) from None
    if store == PLACE:
        return PlatformBucket(endpoint=endpoint, verify=verify).connect(context)
    if parts.scheme in ("http", "https"):
        if endpoint is not None:
            raise ConfigurationError(f"{_shown(store)} is an endpoint itself; leave out `endpoint`")
        return _signing(store, context, verify)
    is_place = bool(parts.netloc) and not (has_user_name(store) or parts.query or parts.fragment)
    if parts.scheme not in ("s3", "gs", "az") or not is_place:
        raise _no_address(store)
    bucket, prefix = parts.netloc, parts.path.strip("/")
    options: dict[str, Any] = {"prefix": prefix, "verify": verify}
    if endpoint is not None:
        options["endpoint"] = endpoint
    if parts.scheme == "s3":
        return S3(bucket=bucket, checksums=checksums, **options).connect(context)
    if parts.scheme == "gs":
        return GCS(bucket=bucket, **options).connect(context)
    return Azure(container=bucket, **options).connect(context)


def _signing(store: str, context: StoreContext, verify: Verify) -> Store:
    address = check_endpoint(store, "the store")
    if origin(address) != origin(context.api_root):
        raise ConfigurationError(
            f"a store that signs URLs needs the API's token, so it must be of the API's own origin "
            f"{context.api_root}, not {address}; for another store give s3://bucket/prefix or an object with "
            "the methods of aignostics_async.Store"
        )
    check_choice("verify", verify, Verify)
    return SigningStore(address, context, verify=verify)


def _no_address(store: object) -> ConfigurationError:
    return ConfigurationError(
        f"{_shown(store)} is no address of a store; give s3://bucket/prefix, gs://bucket/prefix, "
        "az://container/prefix, platform for your organization's own bucket, the https address of a store "
        "that signs URLs, or an object with the methods "
        "of aignostics_async.Store"
    )


def _shown(store: object) -> str:
    # Whatever else it is, such as the parts of an address in a dict, may hold a key.
    return excerpt(repr(shown_address(store))) if isinstance(store, str) else type(store).__name__
