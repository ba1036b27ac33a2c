"""`runs watch`: the changes of a run until it is final."""

from __future__ import annotations

from ... import Run, RunStatus
from .._failures import SOME_FAILED
from .._options import (
    Json,
    PollInterval,
    RunId,
    client,
)
from .._output import (
    out,
    print_json_line,
)

_UNSUCCESSFUL = (RunStatus.CANCELED_USER, RunStatus.CANCELED_SYSTEM, RunStatus.REJECTED)


async def watch(run_id: RunId, /, *, poll_interval: PollInterval = 30, as_json: Json = False) -> int:
    """Follow a run until it is final; JSON comes as one line per change.

    Ends with 3 if the run failed or was cancelled.

    Example: `aignostics-async runs watch 6f2c1d0a-...`
    """
    async with client(poll_interval) as session:
        run = session.run(run_id)
        await _follow(run, as_json=as_json)
        details = await run.details()
        return SOME_FAILED if details.status in _UNSUCCESSFUL else 0


async def _follow(run: Run, *, as_json: bool) -> None:
    """Print the status changes of a run until it is final."""
    async for change in run.watch():
        if as_json:
            record = {"reference": change.reference, "old": change.old, "new": change.new}
            print_json_line({"run_id": change.run_id, **record})
        else:
            subject = "run" if change.reference is None else f"item {change.reference}"
            out(f"{subject}: {change.new if change.old is None else f'{change.old} -> {change.new}'}")
