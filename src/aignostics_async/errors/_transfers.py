"""Errors of files that are transferred."""

from __future__ import annotations

from ._base import AignosticsError, is_transient_code, is_transient_status


class TransferError(AignosticsError):
    """A file could not be transferred; `name` identifies the file."""

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


class TransferInterrupted(TransferError):
    """The storage could not be reached, failed, or closed the connection.

    `status` and `code` (the storage's own error code) are those of its response; None if there was none.
    """

    def __init__(
        self, message: str, *, name: str, status: int | None = None, code: str | None = None
    ) -> None:
        super().__init__(message, name=name)
        self.status = status
        self.code = code

    @property
    def is_transient(self) -> bool:
        """Whether there was no response, or one with a status or code that is likely to pass."""
        return self.status is None or is_transient_status(self.status) or is_transient_code(self.code)


class ChecksumMismatch(TransferError):
    """The bytes do not have the promised checksum; the file was not kept.

    `expected` and `actual` are CRC32Cs in wire form, unless the message names another difference.
    """

    def __init__(self, *, name: str, expected: str, actual: str, problem: str | None = None) -> None:
        told = problem or f"the bytes have CRC32C {actual}, promised was {expected}"
        super().__init__(f"{told}; nothing was kept. Try again, and report it if it persists", name=name)
        self.expected = expected
        self.actual = actual


class ChecksumMissing(TransferError):
    """The server gave no checksum, so the bytes of this file are unverified."""


class UrlRefused(TransferError):
    """The storage refused a request for good, such as one for a signed URL that has expired.

    `problem` is what it answered, and `advice` what to do next. `status` is 0 if there was no response.
    `code` is the storage's own error code, or None.
    """

    def __init__(
        self, problem: str, *, name: str, status: int, code: str | None = None, advice: str = ""
    ) -> None:
        super().__init__(f"{problem}; {advice}" if advice else problem, name=name)
        self.problem = problem
        self.advice = advice
        self.status = status
        self.code = code


class LocalFileChanged(TransferError):
    """A file changed while it was read; the upload is not used."""


class DiskFull(TransferError):
    """The target folder has no space left; no file was left under its final name."""


class UnsafePath(TransferError):
    """A name from the server would lead out of the target folder."""
