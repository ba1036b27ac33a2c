"""Throughput over time as inline SVG: one small plot for each stage, all on one axis of time. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import escape

from ...._core._display_text import human_size
from ...database._samples import Series, Stage
from ._templates import Html, join, render

_WIDTH, _LEFT, _RIGHT = 1000, 64, 8
_TOP, _HEIGHT, _GAP = 22, 64, 18
_TITLES = {
    Stage.PROBE: "Slides read",
    Stage.UPLOAD: "Upload",
    Stage.ANALYSIS: "Slides analysed",
    Stage.DOWNLOAD: "Download",
}
_UNITS = ((1e9, "GB/s"), (1e6, "MB/s"), (1e3, "kB/s"), (1.0, "B/s"))
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_STEPS = tuple(
    unit * count
    for unit, counts in (
        (1.0, (1, 2, 5, 10, 15, 30)),
        (_MINUTE, (1, 2, 5, 10, 15, 30)),
        (_HOUR, (1, 2, 3, 6, 12)),
        (_DAY, (1, 2, 5, 10, 30, 100)),
    )
    for count in counts
)


def plot(series: Sequence[Series]) -> Html:
    """Return the plots of some stages as one `svg`; nothing for none."""
    if not series:
        return Html()
    height = _TOP + len(series) * (_HEIGHT + _GAP + _TOP)
    panels = [_panel(each, _TOP + index * (_HEIGHT + _GAP + _TOP)) for index, each in enumerate(series)]
    label = "Throughput over time: " + "; ".join(_total(each) for each in series)
    axis = _time_axis(series[0], height - _TOP - _GAP)
    return render(
        "plot", width=_WIDTH, height=height, label=Html(escape(label)), axis=axis, panels=join(panels)
    )


def _panel(series: Series, top: int) -> Html:
    rates, unit = _rates(series)
    largest = nice(max(rates))
    bottom = top + _HEIGHT
    return render(
        "panel",
        left=_LEFT,
        right=_WIDTH - _RIGHT,
        label_x=_LEFT - 8,
        top=top,
        bottom=bottom,
        title_y=top - 8,
        max_y=top + 9,
        title=_TITLES[series.stage],
        unit=unit,
        summary=_total(series),
        max=_figure(largest),
        steps=Html(_steps(rates, largest, bottom)),
    )


def _steps(rates: Sequence[float], largest: float, bottom: int) -> str:
    width = (_WIDTH - _LEFT - _RIGHT) / len(rates)
    parts = [f"M{_LEFT} {bottom}"]
    before = None
    for index, rate in enumerate(rates):
        y = f"{bottom - _HEIGHT * rate / largest:.1f}"
        if y != before:
            parts.append(f"H{_LEFT + index * width:.1f}V{y}")
        before = y
    return "".join([*parts, f"H{_WIDTH - _RIGHT}V{bottom}Z"])


def _rates(series: Series) -> tuple[list[float], str]:
    """Return what was moved per unit of time, in a unit that makes the largest a number to read."""
    if not any(series.bytes):
        return [count / series.width * _HOUR for count in series.items], "per hour"
    rates = [size / series.width for size in series.bytes]
    size, unit = next((each for each in _UNITS if max(rates) >= each[0]), _UNITS[-1])
    return [rate / size for rate in rates], unit


def _total(series: Series) -> str:
    """Return a stage's sum and mean in words."""
    rates, unit = _rates(series)
    moved = [bool(items or size) for items, size in zip(series.items, series.bytes, strict=True)]
    mean = sum(rates) / max(1, sum(moved))
    total = f"{sum(series.items):,} slides"
    if any(series.bytes):
        total += f", {human_size(sum(series.bytes))}"
    return f"{total}; {_figure(mean)} {unit} while it worked"


def nice(number: float) -> float:
    """Return a round number that is not below a number, and not far above it."""
    if number <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(number))
    return next(
        step * power for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12) if step * power >= number
    )


def _figure(number: float) -> str:
    """Return a number in three digits, or more where they are whole."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _time_axis(series: Series, bottom: int) -> Html:
    """Return ticks at round moments, at most nine of them."""
    span = series.width * len(series.items)
    step = next((each for each in _STEPS if span / each <= 8), _STEPS[-1])
    first = math.ceil(series.begins / step) * step
    scale = (_WIDTH - _LEFT - _RIGHT) / span
    shape = "%d %b" if step >= _DAY else "%H:%M" if step >= _MINUTE else "%H:%M:%S"
    parts = []
    day = ""
    for index in range(int(span / step) + 1):
        at = first + index * step
        x = _LEFT + (at - series.begins) * scale
        if x > _WIDTH - _RIGHT:
            break
        when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)
        # The day is told once, at its first tick.
        label, day_before, day = when.strftime(shape), day, when.strftime("%d %b")
        if step < _DAY and day != day_before:
            label = f"{day}, {label}"
        parts.append(render("tick", x=f"{x:.1f}", top=_TOP, bottom=bottom, label_y=bottom + 16, label=label))
    return join(parts)
