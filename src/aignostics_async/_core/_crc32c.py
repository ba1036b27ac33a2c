"""CRC32C of bytes, files and streams, combined from segments, and its wire form.

On the wire a CRC32C is the base64 of its four big-endian bytes, as in the platform's
`checksum_base64_crc32c` and in the `x-goog-hash` header of Google Cloud Storage.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread

from ._arguments import as_path

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterable, Iterable

    from typing_extensions import Buffer

# Fits the L2 cache of common processors; larger pieces measured slower, smaller ones pay per call.
_PIECE = 1024 * 1024
_POLYNOMIAL = 0x82F63B78  # Castagnoli, bits reversed (RFC 3720, appendix B.4)


class Crc32c:
    """A running CRC32C checksum (RFC 3720, appendix B.4).

        checksum = Crc32c()
        checksum.update(b"123456789")
        checksum.wire  # "4waSgw=="

    `value` is the checksum of the bytes so far as an unsigned 32-bit number, and `length` is their number;
    both are 0 by default, and not checked. If `a` covers some bytes and `b` those that follow, `a + b` is the
    checksum of both together. Checksums are equal if both `value` and `length` are.
    """

    __slots__ = ("length", "value")

    def __init__(self, value: int = 0, length: int = 0) -> None:
        self.value = value
        self.length = length

    def update(self, data: Buffer) -> None:
        """Add the bytes of a buffer without copying them.

            checksum.update(memoryview(data)[:1024])

        Blocks for one pass over the bytes. Raises TypeError for an object that is not a buffer, and
        BufferError for a buffer that is not contiguous.
        """
        import crc32c  # here, because it costs a quarter of this package's import time

        view = memoryview(data)  # first, since arrays have errors of their own for what is not contiguous
        self.value = crc32c.crc32c(view, self.value)
        self.length += view.nbytes

    @property
    def wire(self) -> str:
        """The checksum in wire form: the base64 of its four big-endian bytes, eight characters.

        Raises OverflowError if `value` is negative or exceeds 32 bits.
        """
        return encode_crc32c(self.value)

    def __add__(self, after: Crc32c) -> Crc32c:
        if not self.value:  # as before the first segment: the arithmetic takes its time
            return Crc32c(after.value, self.length + after.length)
        value = _multiply(_power_of_x(8 * after.length), self.value) ^ after.value
        return Crc32c(value, self.length + after.length)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Crc32c):
            return NotImplemented
        return (self.value, self.length) == (other.value, other.length)

    def __hash__(self) -> int:
        return hash((self.value, self.length))

    def __repr__(self) -> str:
        return f"Crc32c({self.wire!r}, length={self.length})"


def encode_crc32c(value: int) -> str:
    """Return the wire form of a checksum: the base64 of its four big-endian bytes, always eight characters.

        encode_crc32c(0xE3069283)  # "4waSgw=="

    `value` is the checksum as an unsigned 32-bit number. The platform's `checksum_base64_crc32c` and the
    `x-goog-hash` header have this form. Raises OverflowError for a number that is negative or exceeds 32
    bits.
    """
    return base64.b64encode(value.to_bytes(4, "big")).decode("ascii")


def decode_crc32c(wire: str) -> int:
    """Return the checksum in a wire form as an unsigned 32-bit number.

        decode_crc32c("4waSgw==")  # 0xE3069283

    Raises ValueError for any text but the base64 of four bytes; for hexadecimal digits the message has the
    wire form to use instead. Raises TypeError for what is no str.
    """
    if re.fullmatch(r"(0x)?[0-9a-fA-F]{8}", wire):
        raise ValueError(
            f"{wire!r} looks like a hexadecimal CRC32C; give the base64 of its four big-endian bytes, "
            f"{encode_crc32c(int(wire, 16))!r}"
        )
    try:
        digest = base64.b64decode(wire, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != 4:
        raise ValueError(
            f"{wire!r} is no CRC32C; give the base64 of its four big-endian bytes, eight characters "
            "that end with '=='"
        )
    return int.from_bytes(digest, "big")


def readable_crc32c(promise: str | None) -> str | None:
    """Return a checksum in wire form as it is, and None for any other text."""
    if promise is None:
        return None
    try:
        decode_crc32c(promise)
    except ValueError:
        return None
    return promise


def goog_crc32c(header: str | None) -> str | None:
    """Return the CRC32C of an `x-goog-hash` header, such as `crc32c=4waSgw==,md5=...`, or None."""
    for part in (header or "").split(","):
        kind, _, value = part.strip().partition("=")
        if kind == "crc32c" and value:
            return value
    return None


def checksum_bytes(data: Buffer) -> Crc32c:
    """Return the checksum of bytes in memory.

        checksum_bytes(b"123456789").wire  # "4waSgw=="

    `data` is bytes, a bytearray, a memoryview or another contiguous buffer, and is not copied. Blocks for one
    pass over the bytes. Raises TypeError for an object that is not a buffer, and BufferError for a buffer
    that is not contiguous.
    """
    checksum = Crc32c()
    checksum.update(data)
    return checksum


def checksum_segments(segments: Iterable[Crc32c]) -> Crc32c:
    """Return the checksum of a file from the checksums of its consecutive segments.

        checksum_segments([checksum_bytes(b"1234"), checksum_bytes(b"56789")]).wire  # "4waSgw=="

    The segments must be in order and without gaps. Without any segment, the result is `Crc32c()`, the
    checksum of no bytes. Costs less than a millisecond per segment, and reads no data.
    """
    return sum(segments, Crc32c())


async def checksum_stream(stream: AsyncIterable[bytes]) -> Crc32c:
    """Return the checksum of a stream of bytes.

        async with httpx.AsyncClient() as client, client.stream("GET", url) as response:
            checksum = await checksum_stream(response.aiter_bytes())

    Reads the stream to its end, and keeps one piece at a time in memory. Each piece blocks the event loop for
    one pass over its bytes. Raises what the stream raises, TypeError for a piece that is not a buffer, such
    as a str, and BufferError for one that is not contiguous.
    """
    checksum = Crc32c()
    async for piece in stream:
        checksum.update(piece)
    return checksum


async def checksum_file(path: str | os.PathLike[str]) -> Crc32c:
    """Return the checksum of a file.

        (await checksum_file("case-7.svs")).wire  # "4waSgw=="

    Reads the file once in a worker thread, with a buffer of 1 MiB; even if it is cancelled, the call ends
    only when the file was read. Raises UsageError for what is no path, and OSError if the file can't be read.
    """
    return await anyio.to_thread.run_sync(read_checksum, as_path(path, "path"))


def read_checksum(path: str | os.PathLike[str]) -> Crc32c:
    """Return the checksum of a file; blocks, so call it in a worker thread."""
    checksum = Crc32c()
    buffer = bytearray(_PIECE)
    view = memoryview(buffer)
    with Path(path).open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            checksum.update(view[:count])
    return checksum


# Combining is arithmetic with polynomials over GF(2), bits reversed: appending n zero bits to a message
# multiplies its remainder by x**n. Mark Adler's zlib describes the method.


def _multiply(a: int, b: int) -> int:
    """Return a * b modulo the polynomial; the highest bit stands for x**0."""
    product = 0
    for bit in range(31, -1, -1):
        if a >> bit & 1:
            product ^= b
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)
    return product


def _power_of_x(exponent: int) -> int:
    """Return x**exponent modulo the polynomial, by repeated squaring."""
    result, square = 1 << 31, 1 << 30
    while exponent > 0:
        if exponent & 1:
            result = _multiply(square, result)
        square = _multiply(square, square)
        exponent >>= 1
    return result
