"""What a store needs of an open client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .._account_models import OrganizationBucket
    from .._config import Settings
    from ..transfer._engine import Engine


class StoreContext(Protocol):
    """The part of a client that stores use; `StoreAddress.connect` gets it.

        class MyAddress:
            def connect(self, context: StoreContext) -> Store:
                return MyStore(timeout=context.settings.timeouts.read)

    A store may keep it. `engine`, `organization_bucket` and `post_json` raise UsageError unless the client is
    open.
    """

    @property
    def api_root(self) -> str:
        """The root URL of the platform's deployment, without `/api` and without a slash at its end."""
        ...

    @property
    def settings(self) -> Settings:
        """The `Settings` of the client, such as its timeouts and retries."""
        ...

    @property
    def engine(self) -> Engine:
        """The engine that transfers files for all stores and downloads of the client.

        The stores of this package use it; its methods are not public. Raises UsageError unless the client is
        open.
        """
        ...

    async def organization_bucket(self) -> OrganizationBucket:
        """Return the bucket that the platform gives to the caller's organization, with its key.

            bucket = await context.organization_bucket()
            bucket.key_secret.reveal()

        The result has the attributes `protocol` (`gs`) and `name`, `address`, such as `gs://name`, and
        `key_id` and `key_secret`, the HMAC key, each a `Secret`. Without a bucket `protocol` and `name` are
        empty and `address` is None; without a key its halves are empty. Costs one request. Raises UsageError
        unless the client is open, NotInContract under contract 1.0, and the errors of requests that `Pager`
        names.
        """
        ...

    async def post_json(self, operation: str, url: str, value: object) -> Any:
        """Send JSON with the client's token to a URL of the API's origin, and return the parsed response.

            signed = await context.post_json("sign", f"{context.api_root}/objects/sign", {"key": key})

        `operation` names the request in errors, hooks and logs. Costs one request, which is repeated only if
        no connection was made, or with another token after a 401. Raises UsageError unless the client is
        open, for a URL that is not of the API's origin, or for a `value` that JSON can't express;
        InvalidResponse if the response is not JSON; and the errors of requests that `Pager` names.
        """
        ...
