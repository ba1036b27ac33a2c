"""An emulator that is killed in the middle of a run, and another one that goes on with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from aignostics_async import Item, RunStatus, Slide
from aignostics_async.emulator.process import Emulator

pytestmark = pytest.mark.emulator


async def test_killed_and_started_again_on_another_port(slide: Slide, tmp_path: Path) -> None:
    emulator = Emulator(tmp_path / "data", speed=20)
    items = [Item(f"case-{number}", slide=slide) for number in range(6)]
    with emulator:
        first_root = emulator.api_root
        async with emulator.client() as client:
            run = await client.runs.submit("he-tme:v1.0.0", items, store=emulator.store_url)
            async for change in run.watch():
                if change.new == "SUCCEEDED":
                    break
            before = {item.reference: item.status async for item in run.results()}
        emulator.kill()
        emulator.start()
        assert emulator.api_root != first_root
        assert "PENDING" in before.values(), "it was killed in the middle"
        async with emulator.client() as client:
            handle = client.run(run.id)
            assert (await handle.wait()).status == RunStatus.COMPLETED
            report = await handle.download(tmp_path / "results")
            report.raise_for_failures()
    assert len(report.files) == 18
    assert [item.reference for item in report.items] == [item.reference for item in items]
