"""The XML of uploads in parts, which S3 and Google Cloud Storage share. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape
from xml.sax.saxutils import escape

from attrs import frozen

from ..transfer._multipart_upload import SentPart


@frozen
class PendingUpload:
    """An upload in parts that was begun, and neither completed nor aborted."""

    key: str
    upload: str
    begun: str
    """When, as the store writes it."""


@frozen
class CompletedUpload:
    """What the answer to a completion says."""

    is_complete: bool
    """Whether it has the result element, without which nothing is promised."""
    error: str | None
    """The store's code, for an error in an answer that began with 200."""
    etag: str | None
    crc32c: str | None

    def headers(self) -> dict[str, str]:
        """Return what it says of the object, under the names of the headers that say the same."""
        told = {"etag": self.etag, "x-amz-checksum-crc32c": self.crc32c}
        return {name: value for name, value in told.items() if value is not None}


def completion(parts: Sequence[SentPart], *, checksums: bool) -> bytes:
    """Return the body that names all parts; S3 requires their checksums, Google's store knows them."""
    lines = [
        f"<Part><PartNumber>{part.number}</PartNumber><ETag>{escape(part.etag)}</ETag>"
        + (f"<ChecksumCRC32C>{part.crc32c}</ChecksumCRC32C>" if checksums else "")
        + "</Part>"
        for part in parts
    ]
    return f"<CompleteMultipartUpload>{''.join(lines)}</CompleteMultipartUpload>".encode()


def parse_completed(body: bytes) -> CompletedUpload:
    """Return what the answer to a completion says."""
    error = (text_of("Code", body) or "no code") if re.search(rb"<Error[\s>]", body) else None
    has_result = re.search(rb"<(?:\w+:)?CompleteMultipartUploadResult[\s>]", body) is not None
    return CompletedUpload(
        has_result and error is None, error, text_of("ETag", body), text_of("ChecksumCRC32C", body)
    )


def text_of(name: str, body: bytes) -> str | None:
    """Return the text of the first element of a name, or None.

    Stores' answers are flat and small; a parser of whole XML would expand entities too.
    """
    found = re.search(rf"<(?:\w+:)?{name}(?:\s[^>]*)?>([^<]*)</", body.decode("utf-8", "replace"))
    return unescape(found[1]).strip() if found else None


def next_page(body: bytes) -> dict[str, str] | None:
    """Return the query that asks for what follows a listing, or None if nothing does."""
    if text_of("IsTruncated", body) != "true":
        return None
    markers = {
        "key-marker": text_of("NextKeyMarker", body),
        "upload-id-marker": text_of("NextUploadIdMarker", body),
    }
    return {name: marker for name, marker in markers.items() if marker}


def pending_uploads(body: bytes) -> list[PendingUpload]:
    """Return the uploads of a listing."""
    names = ("Key", "UploadId", "Initiated")
    return [
        PendingUpload(*(text_of(name, entry[0]) or "" for name in names))
        for entry in (part.partition(b"</Upload>") for part in body.split(b"<Upload>")[1:])
        if entry[1]
    ]
