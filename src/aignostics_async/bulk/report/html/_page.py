"""The report as one page that needs nothing beside it, for people.

It says first whether anything has to be done, and by whom. It has a size that any mail takes, whatever the
job's: where not all rows have room, the page says how many it leaves to the CSV file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from ...._core._display_text import count
from ...database._samples import read_series
from ...database._writer import Execute
from .._rows import read_ambiguous, read_duplicates, read_items, read_runs, read_troubles
from .._summary import Summary
from ._overview import headline, overview
from ._tables import (
    Pictures,
    ambiguous_entries,
    cause_entries,
    duplicate_entries,
    group_troubles,
    item_entries,
    picture_entries,
    run_entries,
)
from ._templates import join, render
from ._thumbnails import PICTURED
from ._writer import HtmlWriter

MAX_SIZE = 20_000_000
"""Bytes of a page."""

# Bytes that a list may take; what all others leave is for the table of all slides.
_DECISIONS, _RUNS, _CAUSES, _TROUBLES, _PICTURES = 500_000, 1_500_000, 200_000, 6_000_000, 5_000_000
_END = 50_000


def write_html(execute: Execute, summary: Summary, pictures: Pictures, file: BinaryIO) -> None:
    """Write the page as of a consistent view, as it is read."""
    page = HtmlWriter(file, f"{headline(summary)} - job {summary.job.job_id}")
    for markup in overview(summary, read_series(execute)):
        page.write(markup)
    _write_decisions(page, execute, summary)
    _write_troubles(page, execute, summary, pictures)
    _write_pictures(page, execute, pictures)
    _write_runs(page, execute, summary)
    _write_items(page, execute, summary)
    page.write(render("foot"))
    page.close()


def _write_decisions(page: HtmlWriter, execute: Execute, summary: Summary) -> None:
    number = summary.runs.ambiguous + summary.runs.duplicates
    if not number:
        return
    page.write(render("decisions_begin"))
    written = page.write_all(ambiguous_entries(read_ambiguous(execute)), _DECISIONS)
    written += page.write_all(duplicate_entries(read_duplicates(execute)), _DECISIONS)
    page.write(render("decisions_end"))
    _tell_rest(page, number - written, "run")


def _write_troubles(page: HtmlWriter, execute: Execute, summary: Summary, pictures: Pictures) -> None:
    number = summary.audit.troubles
    if not number:
        return
    page.write(render("failures_begin"))
    if number > 1:
        with _table(page, "causes", "Slides", "What happened", "What to do"):
            page.write_all(cause_entries(read_troubles(execute)), _CAUSES)
        page.write(render("one_by_one"))
    with _table(page, "troubles", "Slide", "What happened", "What to do"):
        written = _write_groups(page, execute, pictures)
    _tell_rest(page, number - written, "slide")


def _write_groups(page: HtmlWriter, execute: Execute, pictures: Pictures) -> int:
    """Write the slides in trouble by their faults, the most frequent first; return how many have room."""
    rows = read_troubles(execute)
    groups = group_troubles(rows, pictures, _TROUBLES)
    for (fault, _), group in groups:
        if len(groups) > 1 and group.entries:
            page.write(render("group", slides=count(group.number, "slide"), fault=fault))
        for markup in group.entries:
            page.write(markup)
    return sum(len(group.entries) for _, group in groups)


def _write_pictures(page: HtmlWriter, execute: Execute, pictures: Pictures) -> None:
    if not pictures:
        return
    page.write(render("pictures_begin"))
    page.write_all(picture_entries(read_items(execute), pictures, PICTURED), _PICTURES)
    page.write(render("pictures_end"))


def _write_runs(page: HtmlWriter, execute: Execute, summary: Summary) -> None:
    number = sum(summary.runs.by_state.values())
    page.write(render("runs_begin"))
    if not number:
        page.write(render("no_runs"))
        return
    heads = ("Run", "Its id", "State", "At the platform", "Slides", "Done", "Failed", "Created", "Ended")
    with _table(page, "each-run", *heads):
        written = page.write_all(run_entries(read_runs(execute)), _RUNS)
    _tell_rest(page, number - written, "run")


def _write_items(page: HtmlWriter, execute: Execute, summary: Summary) -> None:
    page.write(render("items_begin"))
    page.write(render("rows_begin"))
    with _table(page, "all", "Slide", "State", "MB", "Run", "Outputs", "Last change"):
        written = page.write_all(item_entries(read_items(execute)), MAX_SIZE - page.size - _END)
    page.write(render("rows_end"))
    _tell_rest(page, sum(summary.states.values()) - written, "slide")


@contextmanager
def _table(page: HtmlWriter, name: str, *heads: str) -> Iterator[None]:
    cells = join([render("head_cell", name=head) for head in heads])
    page.write(render("table_begins", name=name, heads=cells))
    yield
    page.write(render("table_ends"))


def _tell_rest(page: HtmlWriter, number: int, noun: str) -> None:
    """Say what had no room; an empty list of the page is never the whole of it in silence."""
    if number > 0:
        have = "has" if number == 1 else "have"
        page.write(render("no_room", number=count(number, noun), have=have))
