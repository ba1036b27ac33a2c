"""CRC32C against another library, and its wire form."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
from hypothesis import given, strategies as st

from aignostics_async import (
    Crc32c,
    checksum_bytes,
    checksum_file,
    checksum_segments,
    checksum_stream,
    decode_crc32c,
    encode_crc32c,
)


def theirs(data: bytes) -> int:
    return int(google_crc32c.value(data))


def test_known_values() -> None:
    assert checksum_bytes(b"123456789").wire == "4waSgw=="
    assert checksum_bytes(b"").wire == "AAAAAA=="
    assert encode_crc32c(0xE3069283) == "4waSgw=="
    assert decode_crc32c("4waSgw==") == 0xE3069283


@given(st.binary(max_size=5000))
def test_bytes_agree_with_another_library(data: bytes) -> None:
    assert checksum_bytes(data).value == theirs(data)
    assert checksum_bytes(memoryview(data)) == checksum_bytes(bytearray(data))
    assert checksum_bytes(data).length == len(data)


@pytest.mark.parametrize("data", [memoryview(b"123456")[::2], np.zeros((3, 4)).T], ids=["view", "array"])
def test_a_buffer_with_gaps_changes_nothing(data: Any) -> None:
    checksum = checksum_bytes(b"123456789")
    with pytest.raises(BufferError):
        checksum.update(data)
    assert checksum == checksum_bytes(b"123456789")


@given(st.lists(st.binary(max_size=300), max_size=6))
def test_segments_combine(pieces: list[bytes]) -> None:
    whole = checksum_bytes(b"".join(pieces))
    assert checksum_segments(checksum_bytes(piece) for piece in pieces) == whole


@pytest.mark.long
def test_segments_of_gigabytes_combine() -> None:
    # 5 GiB of zeros: hashed whole by the other library, combined from one MiB by doubling here.
    mebibyte = bytes(1024 * 1024)
    total, power, remaining = Crc32c(), checksum_bytes(mebibyte), 5 * 1024
    while remaining:
        if remaining & 1:
            total += power
        power += power
        remaining >>= 1
    whole = 0
    for _ in range(5 * 16):
        whole = google_crc32c.extend(whole, bytes(64 * 1024 * 1024))
    assert (total.value, total.length) == (whole, 5 * 1024**3)


async def test_a_file(tmp_path: Path) -> None:
    data = random.Random(1).randbytes(3_000_001)
    path = tmp_path / "file"
    path.write_bytes(data)
    assert (await checksum_file(path)).value == theirs(data)
    (tmp_path / "empty").touch()
    assert (await checksum_file(tmp_path / "empty")).wire == "AAAAAA=="
    with pytest.raises(FileNotFoundError):
        await checksum_file(tmp_path / "none")


async def test_a_stream() -> None:
    async def stream() -> AsyncIterator[bytes]:
        for piece in (b"1234", b"", b"56789"):
            yield piece

    assert (await checksum_stream(stream())).wire == "4waSgw=="


@pytest.mark.parametrize("wire", ["752f9554", "E3069283", "0xe3069283"])
def test_a_hexadecimal_value_is_refused_and_told(wire: str) -> None:
    with pytest.raises(ValueError, match="looks like a hexadecimal CRC32C") as caught:
        decode_crc32c(wire)
    right = encode_crc32c(int(wire, 16))
    assert right in str(caught.value)


@pytest.mark.parametrize("wire", ["", "4waSgw", "4waSgw=", "4waSgw== ", "4waSgwAA", "äöüß", "4wa\nSgw=="])
def test_anything_else_is_refused(wire: str) -> None:
    with pytest.raises(ValueError, match="is no CRC32C"):
        decode_crc32c(wire)


@given(st.integers(0, 2**32 - 1))
def test_the_wire_form_goes_both_ways(value: int) -> None:
    assert decode_crc32c(encode_crc32c(value)) == value
    assert len(encode_crc32c(value)) == 8
