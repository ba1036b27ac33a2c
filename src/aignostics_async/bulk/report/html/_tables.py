"""The tables of the page: runs, failures, pictures and all slides, one piece of markup for each row."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from attrs import define, field

from ...._core._display_text import count
from ...database._states import IntentState
from .._audit import ItemOutcome
from .._formatting import INTENTS, item_state, minute
from .._rows import ReportedDuplicate, ReportedItem, ReportedRun
from ._templates import Html, render

Pictures = Mapping[int, bytes]
"""JPEG files by the numbers of items."""

BODY = 200
"""Rows of one body of the table of all slides."""

_MAX_CAUSES = 5_000  # that are told apart
_LISTED_CAUSES = 30
_OTHERS = ("other reasons", "")


def ambiguous_entries(rows: Iterable[ReportedRun]) -> Iterator[Html]:
    """Give the runs that may exist or not, with the two choices."""
    for row in rows:
        reason = row.reason or "Nobody can say"
        yield render("ambiguous", intent=row.intent, slides=count(row.items, "slide"), reason=reason)


def duplicate_entries(rows: Iterable[ReportedDuplicate]) -> Iterator[Html]:
    """Give the runs that were created a second time."""
    for row in rows:
        yield render(
            "duplicate",
            which="A run" if row.intent is None else f"Run {row.intent}",
            run_id=row.run_id,
            submitted=minute(row.submitted_at),
            status=_status(row.status),
            done=f"What was done: {row.done}." if row.done else "Nothing was done about it yet.",
        )


def run_entries(rows: Iterable[ReportedRun]) -> Iterator[Html]:
    """Give the rows of the table of runs."""
    for row in rows:
        state: object = INTENTS.get(row.state, row.state)
        if row.state in (IntentState.AMBIGUOUS, IntentState.DISSOLVED):
            state = render("run_trouble", state=state, reason=row.reason or "")
        yield render(
            "run",
            intent=row.intent,
            run_id=row.run_id or "",
            state=state,
            status=_status(row.status),
            items=f"{row.items:,}",
            done=f"{row.done:,}",
            failed=f"{row.failed:,}",
            submitted=minute(row.submitted_at),
            ended=minute(row.ended_at),
        )


def _status(status: str | None) -> str:
    return (status or "").lower().replace("_", " ")


Cause = tuple[str, str]
"""What happened and what to do, without what is a slide's own."""


def cause_entries(rows: Iterable[ReportedItem]) -> Iterator[Html]:
    """Give the causes of failures, the commonest first."""
    causes: Counter[Cause] = Counter()
    for row in rows:
        cause = _cause(row)
        if cause in causes or len(causes) < _MAX_CAUSES:
            causes[cause] += 1
    for (fault, remedy), number in causes.most_common(_LISTED_CAUSES):
        yield render("cause", number=f"{number:,}", fault=fault, remedy=remedy)


@define
class Group:
    """The slides of one cause, and the markup of those that have room."""

    number: int = 0
    entries: list[Html] = field(factory=list)


def group_troubles(rows: Iterable[ReportedItem], pictures: Pictures, room: int) -> list[tuple[Cause, Group]]:
    """Return the slides that failed by their causes, the commonest first, in `room` bytes of markup."""
    groups: dict[Cause, Group] = {}
    for row in rows:
        cause = _cause(row)
        if cause not in groups and len(groups) >= _MAX_CAUSES:
            cause = _OTHERS
        group = groups.setdefault(cause, Group())
        group.number += 1
        if room > 0:
            markup = _trouble(row, pictures)
            room -= len(markup.encode())
            if room >= 0:
                group.entries.append(markup)
    return sorted(groups.items(), key=lambda each: -each[1].number)


def _cause(row: ReportedItem) -> Cause:
    return _without_names(row.fault or "no reason was given", row), _without_names(row.remedy or "", row)


def _without_names(words: str, row: ReportedItem) -> str:
    """Return a fault without what is the slide's own, so that it can be counted."""
    file = row.path.replace("\\", "/").rpartition("/")[2]
    for name in (row.path, row.reference, file):
        # A name that is a plain word may stand there as one.
        if len(name) > 3 and not name.isalpha():
            words = words.replace(name, "…")
    return words.removeprefix("…: ")


def _trouble(row: ReportedItem, pictures: Pictures) -> Html:
    return render(
        "trouble",
        picture=_picture(pictures.get(row.number)),
        reference=row.reference,
        path=row.path,
        run=render("trouble_run", run_id=row.run_id) if row.run_id else "",
        item=render("trouble_item", item_id=row.item_id) if row.item_id else "",
        state=item_state(row.account, row.state),
        status=render("trouble_status", status=row.status) if row.status else "",
        fault=row.fault or "No reason was given.",
        remedy=row.remedy or "",
    )


def picture_entries(rows: Iterable[ReportedItem], pictures: Pictures, limit: int) -> Iterator[Html]:
    """Give the pictures of the first `limit` slides, as far as there are any."""
    for row in islice(rows, limit):
        if row.number in pictures:
            kind = "bad" if row.account.is_trouble else ""
            yield render("figure", picture=_picture(pictures[row.number]), kind=kind, name=row.reference)


def _picture(jpeg: bytes | None) -> Html:
    if jpeg is None:
        return Html()
    return render("picture", jpeg=Html(base64.b64encode(jpeg).decode()))


def item_entries(rows: Iterable[ReportedItem]) -> Iterator[Html]:
    """Give the rows of the table of all slides, in bodies that are laid out when they are seen."""
    for index, row in enumerate(rows):
        state: object = item_state(row.account, row.state)
        if row.account.is_trouble or row.account is ItemOutcome.UNDECIDED:
            state = render("bad", state=state)
        markup = render(
            "item",
            reference=row.reference,
            state=state,
            size="" if row.size is None else f"{row.size / 1e6:,.2f}",
            run="" if row.intent is None else render("item_run", intent=row.intent),
            outputs=f"{row.verified_outputs}/{row.outputs}" if row.outputs else "",
            changed=minute(row.changed_at),
        )
        is_first = index and index % BODY == 0
        yield Html(render("items_body") + markup) if is_first else markup
