"""The figures of two releases side by side, and the targets that the newer one has lost.

    python -m benchmarks.compare OLD NEW

OLD and NEW are folders below benchmarks/results, as `make bench RESULTS=folder` fills them, or two files. A
target is lost if the old figure reached it and the new one misses it, or is no longer measured. It is the old
target that counts, so that nobody lowers one unseen. Ends with 1 if one was lost. A benchmark that only one
folder has is named, and loses nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from .figures import Figure, Results, as_text


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.compare", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    given = parser.parse_args()
    old, new = _read(given.old), _read(given.new)
    for bench in sorted(old.keys() ^ new.keys()):
        print(f"{bench}: only in {given.old if bench in old else given.new}")
    lost = 0
    for bench in sorted(old.keys() & new.keys()):
        lines = list(table(old[bench], new[bench]))
        lost += sum(line.endswith(LOST) for line in lines)
        print("\n".join(lines))
    if lost:
        sys.exit(f"targets that were lost: {lost}")


LOST = "LOST"


def _read(place: Path) -> dict[str, Results]:
    files = sorted(place.glob("*.json")) if place.is_dir() else [place]
    if not files:
        sys.exit(f"there are no results in {place}")
    return {results.bench: results for results in map(Results.load, files)}


def table(old: Results, new: Results) -> Iterator[str]:
    """Yield the lines of one benchmark: rows, and in each the figures of both with the change."""
    yield f"\n{old.bench}: {_made(old)} and {_made(new)}"
    if _comparable(old) != _comparable(new):
        yield "  not the same kind of machine: of what has a unit, no change means anything"
    row = None
    for key in old.figures | new.figures:
        if key[0] != row:
            row = key[0]
            yield f"  {row}"
        yield _line(old.figures.get(key), new.figures.get(key))


def _made(results: Results) -> str:
    return f"{results.version} ({results.commit or 'no commit'})"


def _comparable(results: Results) -> tuple[object, ...]:
    return tuple(results.machine.get(name) for name in ("cores", "system"))


def _line(old: Figure | None, new: Figure | None) -> str:
    figure = old or new
    assert figure is not None
    values = [as_text(each.value.median) if each else "-" for each in (old, new)]
    return (
        f"    {figure.name:50}{values[0]:>12}{values[1]:>12} {_change(old, new):>8}  {figure.unit:6}"
        f"{_remark(old, new)}"
    ).rstrip()


def _change(old: Figure | None, new: Figure | None) -> str:
    if old is None or new is None or not old.value.median:
        return ""
    return f"{new.value.median / old.value.median - 1:+.0%}"


def _remark(old: Figure | None, new: Figure | None) -> str:
    """Return what is to be said of the targets."""
    if old is None or old.target is None:
        return "" if new is None or new.target is None else f"{new.target} {new.verdict}"
    now = "no longer measured" if new is None else old.target.verdict(new.value)
    is_lost = old.verdict == "reached" and now in ("missed", "no longer measured")
    moved = "" if new is None or new.target == old.target else f", now {new.target}"
    return f"{old.target}{moved} {now}" + (f" {LOST}" if is_lost else "")


if __name__ == "__main__":
    main()
