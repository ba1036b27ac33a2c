"""How long a job takes still, and what it costs, in numbers and in words."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from bulk_jobs import BEGUN, made_up_job

from aignostics_async import ConfigurationError
from aignostics_async._core._display_text import human_money, human_time
from aignostics_async.bulk._price import as_price
from aignostics_async.bulk.report._pace import read_pace, seconds_left


@pytest.mark.parametrize(
    ("states", "beyond", "left"),
    [
        ({"READY": 60, "SUBMITTED": 40}, 0, 100 / 0.1),
        ({"READY": 60}, 60, None),
        ({"READY": 60}, 50, 10 / 0.1),
        ({"FOUND": 1}, 0, None),
        ({"DONE": 9, "FAILED": 1}, 0, None),
    ],
)
def test_the_slowest_stage_decides(states: dict[str, int], beyond: int, left: float | None) -> None:
    pace = {"UPLOAD": 1.0, "ANALYSIS": 0.1, "DOWNLOAD": 0.5}
    assert seconds_left(pace, states, beyond) == left


def test_the_pace_is_that_of_the_last_hour_of_work(tmp_path: Path) -> None:
    with made_up_job(tmp_path) as job:
        for at, items in ((0, 900), (9_000, 5), (9_100, 10), (9_200, 20)):
            job.execute("INSERT INTO samples VALUES (?, 'UPLOAD', ?, 0)", BEGUN + at, items)
        job.execute("INSERT INTO samples VALUES (?, 'PROBE', 7, 0)", BEGUN + 9_000)
        assert read_pace(job.connection.execute) == {"UPLOAD": 0.15}, "without what the first sample counts"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59, "59 s"), (59.6, "1 min"), (3599, "1 h"), (7_800, "2 h 10 min"), (273_600, "3 d 4 h")],
)
def test_a_duration_in_words(seconds: float, words: str) -> None:
    assert human_time(seconds) == words


def test_a_price_is_kept_as_it_is_written() -> None:
    assert as_price("12.5") == Decimal("12.5")
    assert human_money(Decimal(1250), "EUR") == "1,250.00 EUR"
    assert human_money(Decimal("0.125"), None) == "0.125"
    assert as_price(0.1) == Decimal("0.1")
    for wrong in ("-1", "12,50", "nan", "inf", True, "1e12"):
        with pytest.raises(ConfigurationError, match="price is"):
            as_price(wrong)
