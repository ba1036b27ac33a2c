"""The lists of the page: runs, failures, pictures, and all slides, one piece of markup for each entry."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from ...._core._display_text import count
from ...database._states import IntentState
from .._audit import ItemOutcome
from .._formatting import INTENTS, item_state, minute
from .._rows import ReportedDuplicate, ReportedItem, ReportedRun
from ._writer import text

Pictures = Mapping[int, bytes]
"""JPEG files by the numbers of items."""

BODY = 200
"""Rows of one body of the table of all slides."""

_MOST_CAUSES = 5_000  # that are told apart
_LISTED_CAUSES = 30


def ambiguous_entries(rows: Iterable[ReportedRun]) -> Iterator[str]:
    """Give the runs that may exist or not, with the two choices."""
    for row in rows:
        yield (
            f"<li><strong>Run {row.intent}, of {count(row.items, 'slide')}, may exist or not</strong>"
            f"<span>{text(row.reason or 'Nobody can say')}. Look on the platform, then use 'bulk resolve'. "
            "If the run is there, name it: the job goes on with it, and nothing is paid again. If it is not, "
            "let it be asked for again: if it was there after all, it is paid for twice.</span></li>\n"
        )


def duplicate_entries(rows: Iterable[ReportedDuplicate]) -> Iterator[str]:
    """Give the runs that were created a second time."""
    for row in rows:
        which = "A run" if row.intent is None else f"Run {row.intent}"
        done = f"What was done: {text(row.done)}." if row.done else "Nothing was done about it yet."
        yield (
            f"<li><strong>{which} was created a second time</strong><span>The second one is <code>"
            f"{text(row.run_id)}</code>, of {minute(row.submitted_at)}, {_said(row.status)}. A request for "
            f"it counted as lost and came through late. {done}</span></li>\n"
        )


def run_entries(rows: Iterable[ReportedRun]) -> Iterator[str]:
    """Give the rows of the table of runs."""
    for row in rows:
        state = text(INTENTS.get(row.state, row.state))
        if row.state in (IntentState.AMBIGUOUS, IntentState.DISSOLVED):
            state = f"<span class=bad>{state}</span><br><small>{text(row.reason or '')}</small>"
        yield (
            f'<tr id="r{row.intent}"><td>{row.intent}<td class=id>{text(row.run_id or "")}<td>{state}'
            f"<td>{_said(row.status)}<td>{row.items:,}<td>{row.done:,}<td>{row.failed:,}"
            f"<td>{minute(row.submitted_at)}<td>{minute(row.ended_at)}\n"
        )


def _said(status: str | None) -> str:
    return text((status or "").lower().replace("_", " "))


def cause_entries(rows: Iterable[ReportedItem]) -> Iterator[str]:
    """Give the causes of failures, the commonest first."""
    causes: Counter[tuple[str, str]] = Counter()
    for row in rows:
        cause = _without_names(row.fault or "no reason was given", row), _without_names(row.remedy or "", row)
        if cause in causes or len(causes) < _MOST_CAUSES:
            causes[cause] += 1
    for (fault, remedy), number in causes.most_common(_LISTED_CAUSES):
        yield f"<tr><td>{number:,}<td>{text(fault)}<td>{text(remedy)}\n"


def _without_names(words: str, row: ReportedItem) -> str:
    """Return a fault without what is the slide's own, so that it can be counted."""
    file = row.path.replace("\\", "/").rpartition("/")[2]
    for name in (row.path, row.reference, file):
        # A name that is a plain word may stand there as one.
        if len(name) > 3 and not name.isalpha():
            words = words.replace(name, "…")
    return words.removeprefix("…: ")


def trouble_entries(rows: Iterable[ReportedItem], pictures: Pictures) -> Iterator[str]:
    """Give the slides that failed, each with its remedy."""
    for row in rows:
        picture = _picture(pictures.get(row.number))
        status = f" <small>{text(row.status)}</small>" if row.status else ""
        yield (
            f"<tr><td>{picture}{text(row.reference)}<br><small>{text(row.path)}{_ids(row)}</small>"
            f"<td><span class=bad>{item_state(row.account, row.state)}</span>{status}<br>"
            f"{text(row.fault or 'No reason was given.')}<td>{text(row.remedy or '')}\n"
        )


def _ids(row: ReportedItem) -> str:
    run = f"<br>run <span class=id>{text(row.run_id)}</span>" if row.run_id else ""
    return run + (f"<br>item <span class=id>{text(row.item_id)}</span>" if row.item_id else "")


def picture_entries(rows: Iterable[ReportedItem], pictures: Pictures, most: int) -> Iterator[str]:
    """Give the pictures of the first slides, as far as there are any."""
    for row in islice(rows, most):
        name = text(row.reference)
        bad = " class=bad" if row.account.is_trouble else ""
        if row.number in pictures:
            picture = _picture(pictures[row.number])
            yield f'<figure>{picture}<figcaption{bad} title="{name}">{name}</figcaption></figure>\n'


def _picture(jpeg: bytes | None) -> str:
    if jpeg is None:
        return ""
    return f'<img src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" alt="">'


def item_entries(rows: Iterable[ReportedItem]) -> Iterator[str]:
    """Give the rows of the table of all slides, in bodies that are laid out when they are seen."""
    for index, row in enumerate(rows):
        body = "<tbody>\n" if index and index % BODY == 0 else ""
        bad = " class=bad" if row.account.is_trouble or row.account is ItemOutcome.UNDECIDED else ""
        size = "" if row.size is None else f"{row.size / 1e6:,.2f}"
        run = "" if row.intent is None else f'<a href="#r{row.intent}">{row.intent}</a>'
        outputs = f"{row.verified_outputs}/{row.outputs}" if row.outputs else ""
        yield (
            f"{body}<tr><th scope=row>{text(row.reference)}<td{bad}>{item_state(row.account, row.state)}"
            f"<td>{size}<td>{run}<td>{outputs}<td>{minute(row.changed_at)}\n"
        )
