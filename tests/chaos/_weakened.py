"""Guards of exactly-once, each taken away: a trial without one of them has to fail.

Like the crash points they are hung around the code that runs, in the process that works on the job.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve, frozen

from aignostics_async._internals import runs_by_metadata
from aignostics_async.bulk.database._states import IntentState
from aignostics_async.bulk.reconciliation import _ownership, _platform, _protocol
from aignostics_async.bulk.reconciliation._matching import ReferenceMatch, RunQuery
from aignostics_async.bulk.reconciliation._quiescence import QuiescenceDetector
from aignostics_async.submission._marks import mark_filter

from ._plans import Kind


def _replace(place: Any, name: str, by: object) -> None:
    setattr(place, name, by)


def _let_an_empty_filter_prove_absence() -> None:
    find_run = _protocol._find_run

    def weak(*values: Any) -> Any:
        marked = yield _protocol.FindMarked()
        if marked is not None and not marked.runs:
            resolved = _protocol.Resolve(IntentState.SEALED, reason="the filter has found none")
            yield resolved
            return resolved.state
        return (yield from find_run(*values))

    _replace(_protocol, "_find_run", weak)


def _believe_the_filter() -> None:
    async def marked(self: Any, intent: str) -> Any:
        page = await runs_by_metadata(self._client, mark_filter(intent=intent))
        return [_platform.observed(run) for run in page.items]

    _replace(_platform.PlatformClient, "marked", marked)
    _replace(RunQuery, "by_mark", lambda _, run: None if run.mark is None else ReferenceMatch.SAME)


def _let_absence_count_at_once() -> None:
    _replace(QuiescenceDetector, "observe", lambda *_, is_empty: is_empty)


def _take_an_unmarked_run_at_once() -> None:
    _replace(_protocol._ListingSearch, "_may_get_mark", lambda *_: False)


def _believe_a_copied_mark() -> None:
    def granted(second: Any) -> Any:
        first = second.first and evolve(second.first, mark=evolve(second.first.mark, attempt="another"))
        return evolve(second, is_alone=True, first=first)

    _cancel_also(lambda second: granted(second) if second.first and second.first.mark else second)


def _believe_another_user_s_mark() -> None:
    def granted(second: Any) -> Any:
        user = second.first and second.first.user
        return evolve(second, is_alone=True, run=evolve(second.run, user=user))

    _cancel_also(granted)


def _cancel_another_process_s_run() -> None:
    _cancel_also(lambda second: evolve(second, holder=second.run.mark.holder if second.run.mark else ""))


def _cancel_also(granted: Callable[[Any], Any]) -> None:
    is_cancellable: Any = vars(_ownership.SecondRun)["is_cancellable"].fget
    weak = property(lambda second: is_cancellable(granted(second)))
    _replace(_ownership.SecondRun, "is_cancellable", weak)


async def _always(*_values: object) -> bool:
    return True


def _take_without_a_word() -> None:
    _replace(_platform, "claim_run", _always)


def _cancel_without_a_word() -> None:
    _replace(_platform, "withdraw_run", _always)


@frozen
class Guard:
    """A guard that can be taken away."""

    weaken: Callable[[], None]
    kind: Kind
    """The jobs that go wrong without it."""


GUARDS = {
    "empty-filter": Guard(_let_an_empty_filter_prove_absence, "marks"),
    "filter": Guard(_believe_the_filter, "unfiltered"),
    "quiescence": Guard(_let_absence_count_at_once, "user"),
    "late-mark": Guard(_take_an_unmarked_run_at_once, "marks"),
    "copied-mark": Guard(_believe_a_copied_mark, "rerun"),
    "user": Guard(_believe_another_user_s_mark, "user"),
    "process": Guard(_cancel_another_process_s_run, "together"),
    "taking": Guard(_take_without_a_word, "together"),
    "cancelling": Guard(_cancel_without_a_word, "together"),
}
"""By name."""
