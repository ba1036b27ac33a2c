"""How many requests it takes to find out what became of a request whose answer was lost."""

from __future__ import annotations

import json
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from attrs import define, field

from aignostics_async.bulk.database._states import IntentState
from aignostics_async.bulk.reconciliation import _submitter
from aignostics_async.bulk.reconciliation._protocol import Prepare, Resolve, Send

_COUNTED: ContextVar[list[int] | None] = ContextVar("counted", default=None)


@define
class RequestMeter:
    """Counts the requests of each reconciliation of this process, and writes down what it came to."""

    told: Path
    _requests: dict[int, list[int]] = field(factory=dict, init=False)

    def count(self, _event: object) -> None:
        """Count a request, if it is one of a reconciliation."""
        if (counted := _COUNTED.get()) is not None:
            counted[0] += 1

    def set(self) -> None:
        """Hang it around the steps of all chunks."""
        act = _submitter._Reconciliation.act
        meter = self

        async def counting(reconciliation: Any, step: Any) -> Any:
            intent = reconciliation._intent.number
            if isinstance(step, Prepare | Send):
                meter._requests.pop(intent, None)
                return await act(reconciliation, step)
            token = _COUNTED.set(meter._requests.setdefault(intent, [0]))
            try:
                given = await act(reconciliation, step)
            finally:
                _COUNTED.reset(token)
            if isinstance(step, Resolve):
                meter._tell(intent, step.state)
            return given

        _submitter._Reconciliation.act = counting  # type: ignore[assignment, method-assign]

    def _tell(self, intent: int, state: IntentState) -> None:
        with self.told.open("a", encoding="utf-8") as file:
            file.write(json.dumps([state, self._requests.pop(intent)[0]]) + "\n")


def requests_of_found_runs(folder: Path) -> list[int]:
    """Return how many requests it took to find each run whose request was not answered, in a round."""
    told = folder / "reconciliations.jsonl"
    lines = [json.loads(line) for line in told.read_text().splitlines()] if told.exists() else []
    return [requests for state, requests in lines if state == IntentState.CREATED]
