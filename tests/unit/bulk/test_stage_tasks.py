"""The tasks of a job's stages, without a platform."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from aignostics_async import ItemResult, ItemStatus, OutputArtifact, TransferInterrupted
from aignostics_async.bulk.engines._protocol import StageTools
from aignostics_async.bulk.engines._tasks import DownloadTask

OUTPUT = OutputArtifact("tissue", "artifact", {})


def item(number: int) -> ItemResult:
    return ItemResult(str(number), "run", f"case-{number}", ItemStatus.SUCCEEDED, None, (OUTPUT,))


def tools_of(listed: Sequence[ItemResult]) -> StageTools:
    """Return the tools of a stage whose platform lists these items, whatever it is asked for."""

    async def results(**_filters: Any) -> AsyncIterator[ItemResult]:
        for each in listed:
            yield each

    run = SimpleNamespace(results=results)
    return cast("StageTools", SimpleNamespace(client=SimpleNamespace(run=lambda _run_id: run)))


async def test_no_other_item_s_outputs_are_taken_from_a_server_that_ignores_the_filter() -> None:
    task = DownloadTask(1, "mine", "run", "2", folder=Path("2"), root=Path())
    found = await task._look(tools_of([item(1), item(2)]))
    assert (found.item_id, found.reference) == ("2", "mine")
    with pytest.raises(TransferInterrupted, match="lists no outputs of it"):
        await task._look(tools_of([item(1)]))
