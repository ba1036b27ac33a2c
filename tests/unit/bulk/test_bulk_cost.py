"""What an item of a job costs does not grow with how many there are; counted, not timed."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rounds import sizes

from aignostics_async.bulk.database import _commands, _queries
from aignostics_async.bulk.database._commands import NewItem
from aignostics_async.bulk.database._database import Database
from aignostics_async.bulk.database._states import ItemState
from aignostics_async.bulk.database._writer import Execute
from benchmarks import bulk_pipeline

_STEPS = 50  # of SQLite's machine, between two counts


async def steps_of_an_item(folder: Path, items: int) -> float:
    """Bring items through all stages, ten of them in a run; return how many steps SQLite took for each."""
    folder.mkdir()
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += _STEPS

    database = Database(folder / "job.sqlite3").open()
    try:
        slide = folder / "slide.tiff"
        slide.write_bytes(b"a slide")
        await bulk_pipeline.make(database, items, slide, chunk_size=10)
        for let in (database.read, database.write):
            await let(_watched(count))
        await bulk_pipeline.pipeline(database, folder, items)
        for let in (database.read, database.write):
            await let(_watched(None))
        assert await database.read(_queries.counts()) == {ItemState.DONE: items}
    finally:
        database.close()
    return counted / items


def _watched(count: Callable[[], None] | None) -> Callable[[Execute], None]:
    def watch(execute: Any) -> None:
        execute.__self__.set_progress_handler(count, _STEPS)

    return watch


@pytest.mark.long
@pytest.mark.parametrize("items", sizes(100, 400))
async def test_an_item_costs_the_same_among_many(tmp_path: Path, items: int) -> None:
    few = await steps_of_an_item(tmp_path / "few", items)
    many = await steps_of_an_item(tmp_path / "many", 4 * items)
    assert many < 1.5 * few, f"{few:,.0f} and {many:,.0f} steps of SQLite for one of {items} items and more"


async def test_items_lie_in_the_order_of_work(tmp_path: Path) -> None:
    dice = random.Random(7)
    items = [
        NewItem(reference=f"{number}", path="p", shuffle_key=dice.randrange(2**40), overrides={})
        for number in range(1000)
    ]
    database = Database(tmp_path / "job.sqlite3").open()
    try:
        await database.write(_commands.add_items(items))
        await database.write(_commands.renumber())
        query = "SELECT number, reference FROM items ORDER BY number"
        found = await database.read(lambda execute: execute(query).fetchall())
        in_turn = sorted(items, key=lambda each: each.shuffle_key)
        assert found == [(number, each.reference) for number, each in enumerate(in_turn, start=1)]
    finally:
        database.close()
