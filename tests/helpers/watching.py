"""Helpers of the tests of watching: scripted runs, their moves, and what a watcher tells."""

from __future__ import annotations

import uuid
from typing import Any

from aignostics_async import Change, Watcher
from aignostics_async.emulator.process import Emulator

RUN_ID = str(uuid.UUID(int=1))
RUN = f"/api/v1/runs/{RUN_ID}"
LIST = "/api/v1/runs"

Told = tuple[str | None, str | None, str]


def plain(change: Change) -> Told:
    return change.reference, change.old, change.new


async def all_of(watcher: Watcher) -> list[Told]:
    return [plain(change) async for change in watcher]


async def some(watcher: Watcher, number: int) -> list[Told]:
    """Return the next changes, those of items in the order of their references."""
    told = [plain(await anext(watcher)) for _ in range(number)]
    return sorted(told, key=lambda each: each[0] or "")


async def until(watcher: Watcher, reference: str | None, new: str) -> list[Told]:
    """Return the changes up to a certain one."""
    told = []
    async for change in watcher:
        told.append(plain(change))
        if told[-1][0] == reference and told[-1][2] == new:
            break
    return told


def script(emulator: Emulator, *references: str, status: str = "RUNNING", **more: Any) -> str:
    """Create a run that goes on only by moves."""
    steps = [] if status == "RECEIVED" else [(0, None, status)]
    (run_id,) = emulator.script({"items": references, "steps": steps, **more})
    return run_id


def finish(run_id: str, *references: str, status: str | None = None) -> list[dict[str, str]]:
    """Return the moves that let items succeed, and then the run end."""
    moves = [{"run": run_id, "reference": reference, "status": "SUCCEEDED"} for reference in references]
    return [*moves, *([] if status is None else [{"run": run_id, "status": status}])]
