"""The model of how a bulk job scales, and the page that shows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from benchmarks.scale.costs import load
from benchmarks.scale.model import Site, predict
from benchmarks.scale.table import table

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "scale.md"


def test_the_page_shows_what_the_command_prints() -> None:
    assert "\n".join(table(Site(), load())) in PAGE.read_text()


def test_twice_the_workers_take_half_the_time_while_their_links_are_the_limit() -> None:
    slow, costs = Site(link=1e6), load()
    one, two = (predict(1000, workers, slow, costs) for workers in (5, 10))
    assert one.first_limit == two.first_limit == "links of the workers"
    assert two.run == pytest.approx(one.run / 2)


def test_what_is_beyond_the_measured_is_marked() -> None:
    costs = evolve(load(), workers=4, bytes=10**10)
    assert predict(100_000, 4, Site(), costs).extrapolated == ()
    assert predict(100_001, 5, Site(slide=2e10), costs).extrapolated == ("slides", "workers", "size")
