"""What a store needs of an open client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from .._config import Settings
    from ..transfer._engine import Engine


class StoreContext(Protocol):
    """The part of a client that stores use; `engine` and `post_json` raise UsageError unless it is open."""

    @property
    def api_root(self) -> str:
        """The URL of the platform's deployment, without `/api`."""
        ...

    @property
    def settings(self) -> Settings:
        """The client's settings."""
        ...

    @property
    def engine(self) -> Engine:
        """The engine that moves files. Raises UsageError unless the client is open."""
        ...

    async def post_json(self, operation: str, url: str, value: object) -> Any:
        """Send JSON with the client's token to a URL of the API's origin, and return the JSON response.

        `operation` names the request in errors. Raises InvalidResponse if the response is not JSON,
        UsageError unless the client is open, and what every request of the client raises.
        """
        ...
