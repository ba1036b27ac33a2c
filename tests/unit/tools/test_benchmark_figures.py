"""Figures of benchmarks, as they are judged, kept and compared."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.figures import ROOT, Estimate, Results, Target, recording
from benchmarks.start import OURS, THEIRS

pytestmark = pytest.mark.process  # git is asked for the commit


@pytest.mark.parametrize(
    ("target", "value", "verdict"),
    [
        (Target(at_most=1.2), Estimate(1.1, 1.0, 1.2), "reached"),
        (Target(at_most=1.2), Estimate(1.1, 1.0, 1.3), "inconclusive"),
        (Target(at_most=1.2), Estimate(1.4, 1.3, 1.5), "missed"),
        (Target(at_most=0), Estimate(0), "reached"),
        (Target(at_least=1.0), Estimate(1.0, 1.0, 1.1), "reached"),
        (Target(at_least=1.0), Estimate(1.1, 0.9, 1.2), "inconclusive"),
        (Target(at_least=1.0, low=0.85), Estimate(1.1, 0.9, 1.2), "reached"),
        (Target(at_least=1.0, low=0.85), Estimate(0.9, 0.88, 1.0), "inconclusive"),
        (Target(at_least=1.0, low=0.85), Estimate(0.9, 0.88, 0.99), "missed"),
    ],
)
def test_a_target_needs_the_whole_interval(target: Target, value: Estimate, verdict: str) -> None:
    assert target.verdict(value) == verdict


def test_what_is_kept_is_read_again_and_names_no_machine(tmp_path: Path) -> None:
    place = tmp_path / "new" / "decode.json"
    with recording("decode", place) as results:
        results.row("a page")
        results.add("time", 1234.5678, "ms")
        results.add("ratio", Estimate(0.123456, 0.1, 0.2), target=Target(at_most=0.5))
        results.row("two pages")
        results.add("ratio", 3)
    read = Results.load(place)
    assert [(each.row, each.name, each.value) for each in read.figures.values()] == [
        ("a page", "ratio", Estimate(0.1235, 0.1, 0.2)),
        ("two pages", "ratio", Estimate(3)),
        ("a page", "time", Estimate(1235.0)),
    ]
    assert read.figures["a page", "ratio"].target == Target(at_most=0.5)
    assert set(json.loads(place.read_text())["machine"]) == {"cores", "system", "python", "load"}
    assert str(Path.home()) not in place.read_text()


def test_a_benchmark_that_misses_a_target_keeps_its_figures_and_ends_with_1(tmp_path: Path) -> None:
    place = tmp_path / "auth.json"
    with pytest.raises(SystemExit, match="missed: a page: replays"), recording("auth", place) as results:
        results.row("a page")
        results.add("replays", 1, target=Target(at_most=0))
    assert Results.load(place).missed == ["a page: replays"]


def kept(folder: Path, bench: str = "auth", **figures: tuple[float, Target | None]) -> Path:
    results = Results(bench)
    results.begin("a page")
    for name, (value, target) in figures.items():
        results.add(name, value, target=target)
    results.save(folder / f"{bench}.json")
    return folder


MOST = Target(at_most=1)


@pytest.mark.parametrize(
    ("old", "new", "status", "words"),
    [
        ({"replays": (1, MOST)}, {"replays": (0.5, MOST)}, 0, "<= 1 reached"),
        ({"replays": (1, MOST)}, {"replays": (2, MOST)}, 1, "<= 1 missed LOST"),
        ({"replays": (1, MOST)}, {"replays": (2, Target(at_most=3))}, 1, "<= 1, now <= 3 missed LOST"),
        ({"replays": (1, MOST)}, {"others": (2, None)}, 1, "<= 1 no longer measured LOST"),
        ({"replays": (2, MOST)}, {"replays": (3, MOST)}, 0, "<= 1 missed"),
        ({"replays": (2, None)}, {"replays": (3, None)}, 0, "+50%"),
    ],
    ids=["better", "lost", "lowered", "gone", "missed before", "no target"],
)
def test_a_target_that_was_reached_and_is_not_any_more_is_lost(
    tmp_path: Path, old: dict[str, object], new: dict[str, object], status: int, words: str
) -> None:
    folders = [kept(tmp_path / name, **each) for name, each in {"old": old, "new": new}.items()]  # type: ignore[arg-type]
    kept(folders[1], "decode", cost=(1, None))
    command = [sys.executable, "-m", "benchmarks.compare", *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == status, done.stderr
    assert any(line.rstrip().endswith(words) for line in done.stdout.splitlines()), done.stdout
    assert f"decode: only in {folders[1]}" in done.stdout


def test_the_readme_says_what_was_measured() -> None:
    kept = ROOT.glob("benchmarks/results/*/start.json")
    newest = max(kept, key=lambda path: [int(each) for each in path.parent.name.split(".")])
    found = {name: figure.value.median for (_, name), figure in Results.load(newest).figures.items()}
    (count, size, cpu), (more, larger, longer) = (
        [found[f"{what}, {who}"] for what in ("distributions", "size on disk", "import of the client, CPU")]
        for who in (OURS, THEIRS)
    )
    told = (
        f"with slides and the command line {count} distributions of {size:.0f} MB "
        f"against {more} of {larger:.0f} MB, and {cpu:.2f} s of processor time "
        f"to import the client against {longer:.1f} s"
    )
    assert told in " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
