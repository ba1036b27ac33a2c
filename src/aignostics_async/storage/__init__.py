"""Object stores behind one small protocol."""

from ._open import open_store
from ._signing import SigningStore
from ._store import Store, Stored

__all__ = ["SigningStore", "Store", "Stored", "open_store"]
