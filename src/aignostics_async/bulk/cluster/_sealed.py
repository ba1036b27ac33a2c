"""What travels through a cluster: bytes that show nothing of what they hold, wherever they are printed."""

from __future__ import annotations

import pickle
from typing import Any


class Sealed:
    """An object in serialized form, whose repr tells nothing.

    A scheduler and its workers print arguments and results in pages, logs and tracebacks.
    """

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data

    @classmethod
    def of(cls, value: object) -> Sealed:
        """Return an object sealed."""
        return cls(pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL))

    def open(self) -> Any:
        """Return the object. A cluster runs anybody's code anyway, hence the need to protect it."""
        return pickle.loads(self._data)  # noqa: S301

    def __reduce__(self) -> tuple[type[Sealed], tuple[bytes]]:
        return Sealed, (self._data,)

    def __repr__(self) -> str:
        return "Sealed(...)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sealed) and self._data == other._data

    def __hash__(self) -> int:
        return hash(self._data)
