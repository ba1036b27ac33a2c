"""The XML of uploads in parts: five calls that S3 and Google Cloud Storage share. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape, unescape

from attrs import frozen

from ..transfer._multipart_upload import SentPart


@frozen
class Pending:
    """An upload in parts that was begun, and neither completed nor aborted."""

    key: str
    upload: str
    begun: str
    """When, as the store writes it."""


def completion(parts: Sequence[SentPart], *, checksums: bool) -> bytes:
    """Return the body that names all parts; S3 wants their checksums, Google's store knows them."""
    lines = [
        f"<Part><PartNumber>{part.number}</PartNumber><ETag>{escape(part.etag)}</ETag>"
        + (f"<ChecksumCRC32C>{part.crc32c}</ChecksumCRC32C>" if checksums else "")
        + "</Part>"
        for part in parts
    ]
    return f"<CompleteMultipartUpload>{''.join(lines)}</CompleteMultipartUpload>".encode()


def text_of(name: str, body: bytes) -> str | None:
    """Return the text of the first element of a name, or None.

    Stores' answers are flat and small; a parser of whole XML would take entities and bombs too.
    """
    found = re.search(rf"<{name}>([^<]*)</{name}>", body.decode("utf-8", "replace"))
    return unescape(found[1], {"&quot;": '"'}) if found else None


def pending(body: bytes) -> list[Pending]:
    """Return the uploads of a listing."""
    names = ("Key", "UploadId", "Initiated")
    return [
        Pending(*(text_of(name, entry) or "" for name in names))
        for entry in re.findall(rb"<Upload>(.*?)</Upload>", body, re.DOTALL)
    ]
