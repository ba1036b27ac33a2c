"""Throughput over time as inline SVG: one small plot for each stage, all on one axis of time. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from html import escape

from attrs import evolve, frozen

from ...._core._display_text import human_size
from ...database._samples import Series, Stage
from ._templates import Html, join, render

_HEIGHT, _GAP, _LINE = 64, 18, 18
_MIN_LEFT, _RIGHT, _CHARACTER = 56, 8, 7


@frozen
class _Shape:
    """The size of a plot: the narrow one is for phones, where the wide one would be too small to read."""

    name: str
    width: int
    top: int
    """The space above each panel: one line of text, or two in the narrow one."""
    ticks: int
    """The largest number of ticks on the axis of time."""
    left: int = _MIN_LEFT

    @property
    def right(self) -> int:
        return self.width - _RIGHT

    @property
    def pitch(self) -> int:
        return self.top + _HEIGHT + _GAP


_SHAPES = (_Shape("wide", 1000, 22, 8), _Shape("narrow", 360, 40, 3))
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
    """Return the plots of some stages as an `svg` for each width of a window; nothing for no stages."""
    if not series:
        return Html()
    labels = [_figure(_largest(each)) for each in series]
    left = max(_MIN_LEFT, *(12 + _CHARACTER * len(label) for label in labels))
    return join([_plot(series, evolve(shape, left=left)) for shape in _SHAPES])


def _plot(series: Sequence[Series], shape: _Shape) -> Html:
    height = len(series) * shape.pitch + _LINE
    label = "Throughput over time: " + "; ".join(_total(each) for each in series)
    return render(
        "plot",
        kind=shape.name,
        width=shape.width,
        height=height,
        label=Html(escape(label)),
        axis=_time_axis(series[0], shape, height - _LINE - _GAP),
        panels=join([_panel(each, shape, index * shape.pitch) for index, each in enumerate(series)]),
    )


def _panel(series: Series, shape: _Shape, above: int) -> Html:
    rates, unit = _rates(series)
    largest = _largest(series)
    top = above + shape.top
    bottom = top + _HEIGHT
    return render(
        "panel",
        left=shape.left,
        right=shape.right,
        label_x=shape.left - 8,
        top=top,
        bottom=bottom,
        title_y=above + 14,
        summary_y=top - 8,
        max_y=top + 9,
        title=_TITLES[series.stage],
        unit=unit,
        summary=_total(series),
        max=_figure(largest),
        steps=Html(_steps(rates, largest, shape, bottom)),
    )


def _largest(series: Series) -> float:
    """Return the end of the axis of a stage."""
    return nice(max(_rates(series)[0]))


def _steps(rates: Sequence[float], largest: float, shape: _Shape, bottom: int) -> str:
    width = (shape.right - shape.left) / len(rates)
    parts = [f"M{shape.left} {bottom}"]
    before = None
    for index, rate in enumerate(rates):
        y = f"{bottom - _HEIGHT * rate / largest:.1f}"
        if y != before:
            parts.append(f"H{shape.left + index * width:.1f}V{y}")
        before = y
    return "".join([*parts, f"H{shape.right}V{bottom}Z"])


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


def _time_axis(series: Series, shape: _Shape, bottom: int) -> Html:
    """Return ticks at round moments."""
    span = series.width * len(series.items)
    step = next((each for each in _STEPS if span / each <= shape.ticks), _STEPS[-1])
    first = math.ceil(series.begins / step) * step
    scale = (shape.right - shape.left) / span
    form = "%d %b" if step >= _DAY else "%H:%M" if step >= _MINUTE else "%H:%M:%S"
    parts = []
    day = ""
    for index in range(int(span / step) + 1):
        at = first + index * step
        x = shape.left + (at - series.begins) * scale
        if x > shape.right:
            break
        when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)
        # The day is told once, at its first tick.
        label, day_before, day = when.strftime(form), day, when.strftime("%d %b")
        if step < _DAY and day != day_before:
            label = f"{day}, {label}"
        half = _CHARACTER * len(label) / 2
        inside = min(max(x, half), shape.width - half)
        place = {"x": f"{x:.1f}", "top": shape.top, "bottom": bottom}
        text = {"label": label, "label_x": f"{inside:.1f}", "label_y": bottom + 16}
        parts.append(render("tick", **place, **text))
    return join(parts)
