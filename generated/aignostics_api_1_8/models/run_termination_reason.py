from enum import StrEnum


class RunTerminationReason(StrEnum):
    ALL_ITEMS_PROCESSED = "ALL_ITEMS_PROCESSED"
    CANCELED_BY_SYSTEM = "CANCELED_BY_SYSTEM"
    CANCELED_BY_USER = "CANCELED_BY_USER"

    @classmethod
    def _missing_(cls, value: object) -> "RunTerminationReason | None":
        """Keep a value that the contract does not list as a member that equals its own text."""
        if not isinstance(value, str):
            return None
        unlisted = str.__new__(cls, value)
        unlisted._name_ = unlisted._value_ = value
        return unlisted

    def __str__(self) -> str:
        return str(self.value)
