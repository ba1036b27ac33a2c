"""What a storage's answer says about an object: its size and checksums, whatever the storage. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping

from attrs import frozen

from .._core._crc32c import goog_crc32c, readable_crc32c
from ._ranges import parse_content_range, parse_size

_MD5 = re.compile(r"[0-9a-f]{32}(-\d{1,5})?")
_NOTED = "x-ms-meta-crc32c"


@frozen
class ObjectFacts:
    """What one answer says about an object; None for what it does not say."""

    size: int | None = None
    """Bytes."""
    crc32c: str | None = None
    """Of the whole object, in its wire form."""
    md5: str | None = None
    """In hexadecimal; with `-3` at its end that of the MD5s of three parts, as S3 builds ETags."""
    noted_crc32c: str | None = None
    """What the sender wrote beside the object. It proves nothing about the bytes."""
    etag: str | None = None


NOTHING = ObjectFacts()
"""What is known where a storage may not be asked."""


def written_facts(headers: Mapping[str, str]) -> ObjectFacts:
    """Return what the answer to an upload says about the object; header names are in lower case."""
    return ObjectFacts(
        crc32c=_crc32c(headers),
        md5=_md5(headers),
        etag=headers.get("etag"),
    )


def read_facts(headers: Mapping[str, str]) -> ObjectFacts:
    """Return what the answer to a HEAD, or to a GET of a whole object or its first byte, says about it."""
    part = parse_content_range(headers.get("content-range", ""))
    if "content-range" not in headers:
        crc32c, md5, size = _crc32c(headers), _md5(headers), _size(headers)
    else:
        # Beside a part these headers may be about the part. Its range may leave out the size of the whole.
        whole = {name: value for name, value in headers.items() if name not in _OF_THE_BODY}
        crc32c, md5, size = _crc32c(whole), _md5(whole), None if part is None else part[2]
    noted = readable_crc32c(headers.get(_NOTED))
    return ObjectFacts(size, crc32c, md5, noted, headers.get("etag"))


def is_ambiguous(headers: Mapping[str, str]) -> bool:
    """Whether an answer with a part of an object has a checksum that may be that of the part."""
    return "content-range" in headers and not _OF_THE_BODY.isdisjoint(headers)


_OF_THE_BODY = frozenset({"x-amz-checksum-crc32c", "content-md5"})


def _size(headers: Mapping[str, str]) -> int | None:
    told = headers.get("x-goog-stored-content-length") or headers.get("content-length", "")
    return parse_size(told)


def _crc32c(headers: Mapping[str, str]) -> str | None:
    # S3's checksum of parts has `-3` at its end, which is no CRC32C of the whole.
    told = goog_crc32c(headers.get("x-goog-hash")) or headers.get("x-amz-checksum-crc32c")
    return readable_crc32c(told)


def _md5(headers: Mapping[str, str]) -> str | None:
    """Return an MD5 from the storage's own header for it, else from an ETag of that form."""
    hashes = headers.get("x-goog-hash")
    if hashes is not None:
        parts = (part.strip() for part in hashes.split(","))
        return _hexadecimal(next((part[4:] for part in parts if part.startswith("md5=")), None))
    told = headers.get("content-md5") or headers.get("x-ms-blob-content-md5")
    if told is not None:
        return _hexadecimal(told)
    etag = headers.get("etag", "").strip('"').lower()
    return etag if _MD5.fullmatch(etag) and not _has_opaque_etag(headers) else None


def _has_opaque_etag(headers: Mapping[str, str]) -> bool:
    """Whether the object is encrypted in a way that makes its ETag look like an MD5 and be none."""
    return (
        headers.get("x-amz-server-side-encryption", "").startswith("aws:kms")
        or "x-amz-server-side-encryption-customer-algorithm" in headers
    )


def _hexadecimal(told: str | None) -> str | None:
    try:
        digest = base64.b64decode(told or "", validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest.hex() if len(digest) == 16 else None
