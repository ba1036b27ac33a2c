"""How the kinds of buckets name their headers: with a CRC32C that the store checks, or without."""

from __future__ import annotations

from typing import Protocol


class Dialect(Protocol):
    """How a kind of store names things. Each method returns headers of a request."""

    scheme: str
    lists_checksums: bool
    """Whether the completion of an upload names the checksum of each part."""

    def checksum(self, wire: str) -> dict[str, str]:
        """Return the header with which the store checks a body."""
        ...

    def asking(self) -> dict[str, str]:
        """Return the header that makes the store tell the checksum of an object."""
        ...

    def begin(self) -> dict[str, str]:
        """Return the headers of an upload's beginning."""
        ...

    def complete(self, whole: str) -> dict[str, str]:
        """Return the headers of an upload's completion, for the checksum of the whole."""
        ...


class S3Dialect:
    """Amazon S3 and the many stores that speak like it."""

    scheme = "s3"
    lists_checksums = True

    def checksum(self, wire: str) -> dict[str, str]:
        """Return the header with which the store checks a body."""
        return {"x-amz-checksum-crc32c": wire, "x-amz-sdk-checksum-algorithm": "CRC32C"}

    def asking(self) -> dict[str, str]:
        """Return the header that makes the store tell the checksum."""
        return {"x-amz-checksum-mode": "ENABLED"}

    def begin(self) -> dict[str, str]:
        """Return the headers that ask for one checksum over the whole."""
        return {"x-amz-checksum-algorithm": "CRC32C", "x-amz-checksum-type": "FULL_OBJECT"}

    def complete(self, whole: str) -> dict[str, str]:
        """Return the checksum of the whole, which the store compares with its own."""
        return {"x-amz-checksum-crc32c": whole, "x-amz-checksum-type": "FULL_OBJECT"}


class PlainS3Dialect:
    """S3 without checksum headers, for stores that refuse them."""

    scheme = "s3"
    lists_checksums = False

    def checksum(self, wire: str) -> dict[str, str]:  # noqa: ARG002 - a Dialect
        """Return nothing."""
        return {}

    def asking(self) -> dict[str, str]:
        """Return nothing."""
        return {}

    def begin(self) -> dict[str, str]:
        """Return nothing."""
        return {}

    def complete(self, whole: str) -> dict[str, str]:  # noqa: ARG002 - a Dialect
        """Return nothing."""
        return {}


class GoogleDialect(PlainS3Dialect):
    """Google Cloud Storage in its XML API: every object has a checksum, and answers name it unasked."""

    scheme = "gs"

    def checksum(self, wire: str) -> dict[str, str]:
        """Return the header with which the store checks a body."""
        return {"x-goog-hash": f"crc32c={wire}"}
