from enum import StrEnum


class ApplicationRunStatus(StrEnum):
    CANCELED_SYSTEM = "CANCELED_SYSTEM"
    CANCELED_USER = "CANCELED_USER"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERROR = "COMPLETED_WITH_ERROR"
    RECEIVED = "RECEIVED"
    REJECTED = "REJECTED"
    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"

    @classmethod
    def _missing_(cls, value: object) -> "ApplicationRunStatus | None":
        """Keep a value that the contract does not list as a member that equals its own text."""
        if not isinstance(value, str):
            return None
        unlisted = str.__new__(cls, value)
        unlisted._name_ = unlisted._value_ = value
        return unlisted

    def __str__(self) -> str:
        return str(self.value)
