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
        """What moves files."""
        ...

    async def post_json(self, operation: str, url: str, value: object) -> Any:
        """Send JSON to a URL of the API's own origin, with the client's token, and return the JSON answer.

        Raises InvalidResponse for an answer that is no JSON, and what every request raises.
        """
        ...
