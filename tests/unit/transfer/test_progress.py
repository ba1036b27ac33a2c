"""What events come to: sums, rates, lines."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest

from aignostics_async import ProgressLines, TransferEvent, TransferTally, UsageError
from aignostics_async.cli._options import bytes_per_second


def test_a_tally_of_several_files() -> None:
    tally = TransferTally()
    tally.add(TransferEvent("started", "download", "a", "x"), 0)
    tally.add(TransferEvent("advanced", "download", "a", "x", 50, 100), 1)
    tally.add(TransferEvent("started", "download", "b", "x"), 1)
    tally.add(TransferEvent("retried", "download", "a", "x", 50, 100, retries=1), 2)
    tally.add(TransferEvent("advanced", "download", "a", "x", 20, 100, retries=1), 3)
    assert (tally.files, tally.over, tally.retries, tally.done, tally.total) == (2, 0, 1, 20, 100)
    tally.add(TransferEvent("finished", "download", "a", "x", 100, 100, retries=1), 4)
    tally.add(TransferEvent("failed", "download", "b", "x"), 5)
    assert (tally.files, tally.over, tally.failed, tally.done) == (2, 2, 1, 100)
    assert tally.rate == 20


def test_a_rate_is_of_the_last_seconds() -> None:
    tally = TransferTally()
    for second in range(100):
        tally.add(TransferEvent("advanced", "upload", "a", "x", 10 * min(second, 50)), second)
    assert tally.rate == 0


def test_lines_come_at_the_interval_and_at_the_end() -> None:
    stream = io.StringIO()
    with ProgressLines(every=timedelta(seconds=1000), stream=stream) as lines:
        lines(TransferEvent("started", "upload", "a", "x", total=2_000_000))
        lines(TransferEvent("advanced", "upload", "a", "x", 1_000_000, 2_000_000, retries=3))
        assert stream.getvalue() == ""
    assert stream.getvalue().startswith("upload: 0 of 1 files, 1 MB of 2 MB, ")
    assert ", 3 retries\n" in stream.getvalue()
    often = ProgressLines(every=0, stream=stream)
    often(TransferEvent("started", "download", "a", "x"))
    often(TransferEvent("failed", "download", "a", "x"))
    assert "download: 1 of 1 files" in stream.getvalue()
    assert "1 failed" in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "rate"), [("1000", 1000), ("500K", 5e5), ("20m", 2e7), ("1.5G", 1.5e9), (" 3 ", 3)]
)
def test_bandwidths(text: str, rate: float) -> None:
    assert bytes_per_second(text) == rate


@pytest.mark.parametrize("text", ["", "0", "M", "-5M", "5T", "5 MB", "fast"])
def test_what_is_no_bandwidth(text: str) -> None:
    with pytest.raises(UsageError, match="--bwlimit"):
        bytes_per_second(text)


def test_a_tally_remembers_only_files_in_progress() -> None:
    tally = TransferTally()
    for number in range(1000):
        name = str(number)
        tally.add(TransferEvent("started", "upload", name, name, total=10), number)
        tally.add(TransferEvent("advanced", "upload", name, name, 7, 10), number)
        assert len(tally._in_progress) == 1
        tally.add(TransferEvent("finished", "upload", name, name, 10, 10), number)
    assert (tally.files, tally.over, tally.done, tally.total) == (1000, 1000, 10_000, 10_000)
    assert tally._in_progress == {}
