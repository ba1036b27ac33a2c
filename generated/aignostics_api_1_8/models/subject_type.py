from enum import StrEnum


class SubjectType(StrEnum):
    ORGANIZATION_ADMIN = "organization_admin"
    ORGANIZATION_USER = "organization_user"
    SHARE_TOKEN = "share_token"
    USER = "user"

    @classmethod
    def _missing_(cls, value: object) -> "SubjectType | None":
        """Keep a value that the contract does not list as a member that equals its own text."""
        if not isinstance(value, str):
            return None
        unlisted = str.__new__(cls, value)
        unlisted._name_ = unlisted._value_ = value
        return unlisted

    def __str__(self) -> str:
        return str(self.value)
