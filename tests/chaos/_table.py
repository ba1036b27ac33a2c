"""What was promised, beside what was seen. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from attrs import frozen

from ._judge import Judgement
from ._plans import MARKS, Outcome
from ._points import AFTER_DUPLICATE
from ._schedule import Trial


@frozen
class Line:
    """A figure, and what it has to be; nothing for one that is only told."""

    what: str
    seen: int
    least: int | None = None
    exactly: int | None = None

    @property
    def is_kept(self) -> bool:
        """Whether it is as promised."""
        return self.seen >= (self.least or 0) and self.exactly in (None, self.seen)

    def __str__(self) -> str:
        promise = "" if self.least is None else f"at least {self.least}"
        promise = promise if self.exactly is None else f"{self.exactly}"
        kept = "" if not promise else "ok" if self.is_kept else "BROKEN"
        return f"{self.what:<66}{self.seen:>6}  {promise:<13}{kept}".rstrip()


def table(outcomes: Sequence[Outcome], trial: Trial) -> list[Line]:
    """Return all figures."""
    alone = [outcome for outcome in outcomes if outcome.kind != "together"]
    in_bound = [outcome for outcome in alone if not outcome.is_late]
    late = [outcome for outcome in alone if outcome.is_late]
    return [
        *_kills(outcomes, trial),
        *_marks(outcomes),
        *_promise(outcomes, alone, in_bound),
        *_late(late, trial),
        *_copies(outcomes),
    ]


def _marks(outcomes: Sequence[Outcome]) -> list[Line]:
    of_kind = Counter(outcome.kind for outcome in outcomes if outcome.kind in MARKS)
    found = [requests for outcome in outcomes for requests in outcome.reconciliations]
    return [
        *[Line(f"jobs of the kind {kind}", count) for kind, count in sorted(of_kind.items())],
        Line("runs that others have created, with a mark", sum(each.strangers for each in outcomes)),
        Line("decisions of a person", sum(each.decisions for each in outcomes)),
        Line("runs found whose request was not answered", len(found)),
        Line("  requests for them", sum(found)),
    ]


def _copies(outcomes: Sequence[Outcome]) -> list[Line]:
    together = [outcome for outcome in outcomes if outcome.kind == "together"]
    if not together:
        return []
    return [
        Line("jobs with a copy at work at the same time", sum(each.copied for each in together)),
        Line("  runs of the same slides there", _duplicates(together)),
        Line("  slides in two runs, and no copy tells of it", sum(len(o.untold) for o in together), 0, 0),
    ]


def _kills(outcomes: Sequence[Outcome], trial: Trial) -> list[Line]:
    deaths = [death for outcome in outcomes for death in outcome.deaths]
    at = Counter(death.point for death in deaths)
    flying = [death for death in deaths if death.in_flight >= 2]
    of_kind = Counter(outcome.kind for outcome in outcomes)
    at_random = sum(death.point is None for death in flying)
    return [
        Line("jobs, each brought to its end", len(outcomes)),
        Line("kill -9 in all", len(deaths), trial.in_all),
        Line("kill -9 with two chunks in flight or more", len(flying), trial.kills),
        Line("  of these at random moments", at_random, trial.at_random),
        *[
            Line(
                f"  at point {point.number}: {point.told}",
                at[point.number],
                trial.at_point if point is not AFTER_DUPLICATE else min(trial.late // 2, trial.at_point),
            )
            for point in (*trial.points, AFTER_DUPLICATE)
        ],
        Line("jobs whose older database was brought back", of_kind["copy"], trial.copies),
        Line(
            "jobs asleep for longer than their timeouts",
            sum(outcome.naps > 0 for outcome in outcomes),
            trial.naps,
        ),
        Line("jobs whose folder was copied, the copies at work in turn", of_kind["turns"], trial.turns),
        Line("jobs whose quota was used up on the way", of_kind["quota"], trial.quotas),
        Line("lives that a callback ended", sum(o.callbacks for o in outcomes), trial.callbacks),
        Line("lives that a full disk ended", sum(o.full for o in outcomes), trial.full),
        Line("lives under a client with other options", sum(o.options for o in outcomes), 1),
        Line("stops for an outage, resumed", sum(outcome.stops for outcome in outcomes)),
    ]


def _promise(
    outcomes: Sequence[Outcome], alone: Sequence[Outcome], in_bound: Sequence[Outcome]
) -> list[Line]:
    judged = [outcome.judgement for outcome in outcomes if outcome.judgement]
    return [
        Line("jobs that did not come to their end", sum(bool(outcome.trouble) for outcome in outcomes), 0, 0),
        Line("runs", sum(each.runs for each in judged)),
        Line("duplicate runs, commits within the bound", _duplicates(in_bound), 0, 0),
        Line(
            "second runs told of that are none",
            sum(max(0, outcome.told - _second(outcome.judgement)) for outcome in alone),
            0,
            0,
        ),
        Line("second runs cancelled", sum(each.cancelled for each in outcomes)),
        Line(
            "runs cancelled that are none, or that a database has",
            sum(len(o.cancelled_wrongly) for o in outcomes),
            0,
            0,
        ),
        Line("slides lost", sum(len(each.lost) for each in judged), 0, 0),
        Line("slides with wrong files", sum(len(each.wrong) for each in judged), 0, 0),
        Line("finished files uploaded again", sum(len(each.uploaded_again) for each in judged), 0, 0),
        Line("databases that integrity_check complains of", sum(len(o.broken) for o in outcomes), 0, 0),
    ]


def _late(late: Sequence[Outcome], trial: Trial) -> list[Line]:
    untold = sum(max(0, _second(outcome.judgement) - outcome.told) for outcome in late)
    return [
        Line("jobs with commits later than the bound", len(late), trial.late),
        Line("  duplicate runs there", _duplicates(late), trial.late),
        Line("  not told of", untold, 0, 0),
    ]


def _duplicates(outcomes: Sequence[Outcome]) -> int:
    return sum(_second(outcome.judgement) for outcome in outcomes)


def _second(judgement: Judgement | None) -> int:
    return judgement.duplicates if judgement else 0
