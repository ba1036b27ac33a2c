"""An unofficial asyncio SDK for the Aignostics Platform.

Everything that users need is importable from here; `__init__.pyi` lists it.
"""

from ._core._lazy_exports import lazy_exports
from ._exports import HOMES

__getattr__, __dir__, __all__ = lazy_exports(__name__, HOMES)
