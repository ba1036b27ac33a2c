"""Pages and orders of listings, as requests ask for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ..platform._stored import Selection
from ._request_validation import InvalidRequest, validation_error

_MAX_OFFSET = 2**63 - 1  # SQLite's largest integer; no listing is longer
Row = TypeVar("Row")


def selection(values: dict[str, Any], known: Mapping[str, str], size: str = "page_size") -> Selection:
    """Return the selection of rows for a request; `known` maps the sortable fields to columns.

    `size` is the name of the parameter with the page's size. Raises InvalidRequest for any other field.
    """
    sort = []
    for order in values["sort"] or []:
        # A plus that was not encoded arrives as a space.
        field = order.lstrip("+- ")
        if field not in known:
            names = ", ".join(known)
            raise InvalidRequest(
                [validation_error(["query", "sort"], f"can't sort by {field!r}; there is {names}")]
            )
        sort.append((known[field], order.startswith("-")))
    offset = min((values["page"] - 1) * values[size], _MAX_OFFSET)
    return Selection(values[size], offset, sort)


def page_of(
    rows: Sequence[Row],
    values: dict[str, Any],
    fields: Mapping[str, Callable[[Row], object]],
    size: str = "page_size",
) -> list[Row]:
    """Return one page of rows in the requested order; past the end it is empty."""
    ordered = list(rows)
    page = selection(values, {field: field for field in fields}, size)
    # The last field first: sorting is stable, so the first field decides.
    for field, descends in reversed(page.sort):
        ordered.sort(key=lambda row: str(fields[field](row)), reverse=descends)
    return ordered[page.offset : page.offset + page.limit]
