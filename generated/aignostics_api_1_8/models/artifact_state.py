from enum import StrEnum


class ArtifactState(StrEnum):
    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    TERMINATED = "TERMINATED"

    @classmethod
    def _missing_(cls, value: object) -> "ArtifactState | None":
        """Keep a value that the contract does not list as a member that equals its own text."""
        if not isinstance(value, str):
            return None
        unlisted = str.__new__(cls, value)
        unlisted._name_ = unlisted._value_ = value
        return unlisted

    def __str__(self) -> str:
        return str(self.value)
