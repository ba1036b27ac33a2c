"""The bars on a terminal: what is left on the screen and in its scrollback."""

from __future__ import annotations

import re

import pytest
from hostile_texts import LITERAL, terminal

from aignostics_async import ProgressBars, TransferEvent
from aignostics_async.bulk import StageProgress
from aignostics_async.cli._output import print_table
from aignostics_async.cli._progress import JobProgress

_SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")


def screen(output: str) -> list[str]:
    """Return the lines that a terminal without an end shows after this output."""
    lines, row, place = [""], 0, 0
    while place < len(output):
        sequence = _SEQUENCE.match(output, place)
        if sequence is not None:
            count, verb = sequence.groups()
            if verb == "A":
                row -= int(count or 1)
            elif verb == "K":
                lines[row] = ""
            place = sequence.end()
            continue
        if output[place] == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif output[place] != "\r":
            lines[row] += output[place]
        place += 1
    return [line.rstrip() for line in lines if line.strip()]


class Job:
    """A job of two stages, at a point of its work."""

    def __init__(self) -> None:
        self.done = 0

    async def stage_progress(self) -> list[StageProgress]:
        return [StageProgress("read", 3, 3), StageProgress("uploaded", self.done, 3, "upload")]


@pytest.mark.parametrize("columns", [60, 80, 200])
async def test_each_bar_is_left_once_and_whole(columns: int) -> None:
    job = Job()
    with terminal(columns) as shown, ProgressBars() as bars:
        progress = JobProgress(bars)
        for number in range(4):
            job.done = number
            progress(TransferEvent("finished", "upload", str(number), "a", 10**9, 10**9))
            await progress.show(job)  # type: ignore[arg-type]
            bars.print(f"line {number} with a text that is not as long as the terminal")
    lines = screen(shown.output)
    assert [line for line in lines if line.startswith("line")] == [
        f"line {number} with a text that is not as long as the terminal" for number in range(4)
    ]
    (read,) = [line for line in lines if line.startswith("read")]
    (uploaded,) = [line for line in lines if line.startswith("uploaded")]
    assert "3/3" in read
    assert "3/3  4 GB of 4 GB, " in uploaded
    assert max(map(len, lines)) <= columns
    assert len(lines) == 6


@pytest.mark.parametrize("name", LITERAL)
def test_a_name_is_shown_as_it_is(name: str) -> None:
    with terminal(200) as shown, ProgressBars() as bars:
        bars.print(f"{name} failed")
        bars.show(f"{name} in bars", completed=1, total=1, detail=f"detail {name}")
        print_table([f"column {name}"], [[f"cell {name}"]])
    lines = "\n".join(screen(shown.output))
    for text in (f"{name} failed", f"{name} in bars", f"detail {name}", f"column {name}", f"cell {name}"):
        assert text in lines


def test_transient_bars_leave_nothing() -> None:
    with terminal() as shown, ProgressBars(transient=True) as bars:
        bars.show("reading slides", completed=1, total=2, detail="1/2")
    assert screen(shown.output) == []


@pytest.mark.parametrize("columns", [80, 120])
def test_the_bar_of_a_direction_has_all_its_figures(columns: int) -> None:
    with terminal(columns) as shown, ProgressBars() as bars:
        bars(TransferEvent("started", "download", "a", "x", total=4_560_000_000))
        bars(TransferEvent("advanced", "download", "a", "x", 1_230_000_000, 4_560_000_000, retries=2))
    (line,) = screen(shown.output)
    assert "0 of 1 files, 1.23 GB of 4.56 GB, " in line
    assert ", 2 retries" in line
