"""Errors of files that are transferred."""

from __future__ import annotations

from ._base import AignosticsError, is_transient_code, is_transient_status


class TransferError(AignosticsError):
    """The base class of all errors of uploads and downloads: a file could not be transferred.

    It is itself raised mostly for a local file that can't be read, for an output that the platform
    no longer offers, and for an object that a store loses. `name` identifies the file: usually the name of an
    uploaded file, `{reference}/{artifact name}` of an output or the name of a document, else a path or the
    key of an object.
    """

    def __init__(self, message: str, *, name: str) -> None:
        super().__init__(f"{name}: {message}")
        self.name = name


class TransferInterrupted(TransferError):
    """A transfer that failed in a way that mostly passes: the storage could not be reached, failed, or closed
    the connection.

        for file in report.files:
            if isinstance(file.error, TransferInterrupted):
                print(file.path, file.error.status, file.error.code)

    Try again if `is_transient`. `status` is the HTTP status of the response, 0 for a certificate that is not
    trusted, and None, the default, if no response explains the error. `code` is the storage's own error code,
    or None, the default. `name` identifies the file, as in `TransferError`.
    """

    def __init__(
        self, message: str, *, name: str, status: int | None = None, code: str | None = None
    ) -> None:
        super().__init__(message, name=name)
        self.status = status
        self.code = code

    @property
    def is_transient(self) -> bool:
        """Whether `status` is None, or it or `code` is likely to pass.

        `errors.is_transient_status` and `errors.is_transient_code` decide. False for a certificate that is
        not trusted.
        """
        return self.status is None or is_transient_status(self.status) or is_transient_code(self.code)


class ChecksumMismatch(TransferError):
    """Transferred bytes whose checksum or size is not the expected one.

        for file in report.files:
            if isinstance(file.error, ChecksumMismatch):
                print(file.path, file.error.expected, file.error.actual)

    A download is tried twice before it is raised, and no file with these bytes is kept. An uploaded object is
    deleted if the store is one of this package and permits it. Try again, and report it if it persists.

    `expected` and `actual` are CRC32Cs in wire form, or `none`. If the store reports something else, `actual`
    is that: an MD5 in hexadecimal digits, or a text such as `of 5 bytes`. `name` identifies the file.
    """

    def __init__(self, *, name: str, expected: str, actual: str, problem: str | None = None) -> None:
        told = problem or f"the bytes have CRC32C {actual}, promised was {expected}"
        super().__init__(f"{told}; nothing was kept. Try again, and report it if it persists", name=name)
        self.expected = expected
        self.actual = actual


class ChecksumMissing(TransferError):
    """A downloaded file for which the server sent no checksum, so that its bytes are not verified.

    Unless `allow_unverified` is True, `Applications.download_document` raises it and discards the file, and
    `DownloadReport.raise_for_failures` raises it in an ExceptionGroup, while the file stays. `name` is that
    of the document, or the path of the output file.
    """


class UrlRefused(TransferError):
    """A request that the storage refused; repeating the same request will not help.

        for file in report.files:
            if isinstance(file.error, UrlRefused):
                print(file.path, file.error.status, file.error.problem)

    The usual reason is a signed URL that has expired. `problem` is what the storage answered, or what is
    wrong with the URL, and `advice` what to do next, empty by default. `status` is the HTTP status, and 0 if
    the URL can't be used. `code` is the storage's own error code, or None, the default. `name` identifies the
    file, as in `TransferError`.
    """

    def __init__(
        self, problem: str, *, name: str, status: int, code: str | None = None, advice: str = ""
    ) -> None:
        super().__init__(f"{problem}; {advice}" if advice else problem, name=name)
        self.problem = problem
        self.advice = advice
        self.status = status
        self.code = code


class ResultsDeleted(TransferError):
    """An output file that was deleted, by a user or by the platform, which keeps results for 30 days.

        for file in report.files:
            if isinstance(file.error, ResultsDeleted):
                print(file.reference, file.error)

    A new analysis is billed. `name` is `{reference}/{artifact name}`.
    """


class LocalFileChanged(TransferError):
    """A local file that changed while it was read, or between reading and sending; its upload is not used.

    Submit the file again once it is complete, as a bulk job does by itself. `name` identifies it.
    """


class DiskFull(TransferError):
    """A folder without enough space: the target folder of a download, or the temporary folder that a slide is
    packed in.

    Make room, and repeat the call. `name` identifies the file.
    """


class FileUnwritable(TransferError):
    """A downloaded file that can't be written, mostly because its folder is read only, gone or no folder.

    Make the folder writable, and repeat the call. `name` identifies the file.
    """


class UnsafePath(TransferError):
    """The path of a file to download that would lead out of the target folder through a link.

    That file was not written. Downloads of runs report it as `FileOutcome.error`, and
    `Applications.download_document` raises it. Remove the link. `name` is the path of the file or of its
    folder.
    """
