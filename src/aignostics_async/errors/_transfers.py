"""Errors of files that are transferred."""

from __future__ import annotations

from ._base import AignosticsError, is_transient_code, is_transient_status


class TransferError(AignosticsError):
    """A file could not be transferred; the base class of all errors of uploads and downloads.

    `name` identifies the file: the name of an uploaded file, or reference and artifact of a download.
    """

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


class TransferInterrupted(TransferError):
    """The storage could not be reached, failed, or closed the connection, after all attempts.

    `status` and `code` (the storage's own error code) are those of the response, and None if there was none;
    a certificate that is not trusted has status 0. `name` identifies the file. Repeating a download that has
    8 MiB or more resumes it.
    """

    def __init__(
        self, message: str, *, name: str, status: int | None = None, code: str | None = None
    ) -> None:
        super().__init__(message, name=name)
        self.status = status
        self.code = code

    @property
    def is_transient(self) -> bool:
        """Whether there was no response, or one whose status or code is likely to pass.

        `errors.is_transient_status` and `errors.is_transient_code` tell which are.
        """
        return self.status is None or is_transient_status(self.status) or is_transient_code(self.code)


class ChecksumMismatch(TransferError):
    """The bytes do not have the promised checksum.

    No downloaded file with these bytes was kept; an uploaded object was deleted if the store is one of this
    package and permits it. `expected` and `actual` are CRC32Cs in wire form; if the sizes differ, `actual` is
    a text with the size, such as `of 5 bytes`. `name` identifies the file.
    """

    def __init__(self, *, name: str, expected: str, actual: str, problem: str | None = None) -> None:
        told = problem or f"the bytes have CRC32C {actual}, promised was {expected}"
        super().__init__(f"{told}; nothing was kept. Try again, and report it if it persists", name=name)
        self.expected = expected
        self.actual = actual


class ChecksumMissing(TransferError):
    """The server gave no checksum, so the bytes of a downloaded file are unverified.

    Unless `allow_unverified` is True, `Applications.download_document` raises it, and
    `DownloadReport.raise_for_failures` in an ExceptionGroup. `name` identifies the file: the name of the
    document, or the path.
    """


class UrlRefused(TransferError):
    """The storage refused a request, and repeating the same request will not help.

    The usual reason is a signed URL that has expired. `name` identifies the file, `problem` is what the
    storage answered, and `advice` what to do next, which may be empty. `status` is the HTTP status, 0 if no
    request was sent or no response came. `code` is the storage's own error code, or None.
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
    """A local file changed while or after it was read; its upload is not used.

    Submit the file again once it is complete. `name` identifies it.
    """


class DiskFull(TransferError):
    """The target folder of a download has no space left, or the temporary folder that a slide is packed in.

    No incomplete file has its final name. `name` identifies the file.
    """


class UnsafePath(TransferError):
    """The path of an output file would lead out of the target folder, by its name or by a link.

    No file was written. `name` is that path. `Run.download` reports it as `FileOutcome.error`.
    """
