"""What a test's worker loads: it dies of a slide called poison, and does not see one called unseen."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aignostics_async.bulk.cluster import _worker
from aignostics_async.bulk.engines._protocol import StageTools
from aignostics_async.bulk.engines._tasks import UploadTask
from aignostics_async.storage import Stored

_perform = getattr(UploadTask, "unaltered", UploadTask.perform)  # a worker loads this twice


async def _poisoned(self: UploadTask, tools: StageTools, progress: Any) -> Stored:
    if "poison" in self.path:
        os._exit(9)
    stored: Stored = await _perform(self, tools, progress)
    return stored


def _exist(paths: Sequence[Path]) -> bool:
    return all(path.exists() and "unseen" not in path.name for path in paths)


UploadTask.unaltered = _perform  # type: ignore[attr-defined]
UploadTask.perform = _poisoned  # type: ignore[method-assign]
_worker._exist = _exist
