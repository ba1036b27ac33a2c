"""An unofficial asyncio SDK for the Aignostics Platform."""

from ._version import __version__

__all__ = ["__version__"]
