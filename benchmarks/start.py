"""What it takes to begin: our wheel and the official SDK, each installed into an empty environment.

The wheel is built here, and installed twice: as it is, and with what the official package brings, a command
and the reading of slides. The official package comes from the index that pip is configured with; if it can't
be had, ours is measured alone. Installs and starts take turns, in a home folder of their own, and pip keeps
no cache. Times are medians of the rounds; ratios are taken within each round. Starts are also shown in
processor time, which other load on the machine affects less.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

from .figures import ROOT, Estimate, Results, as_text, parser_of, recording

OFFICIAL = "aignostics==1.6.0"
BASE, OURS, THEIRS = "ours, base", "ours[cli,slides]", OFFICIAL
# Of each kind of figure and each package, what the rounds gave.
Measured = dict[tuple[str, str], dict[str, list[float]]]


@frozen
class Package:
    """A client: what pip is told to install, and what starts it, by what that is; a program comes first."""

    name: str
    requirement: tuple[str, ...]
    starts: Mapping[str, tuple[str, ...]]


def packages(wheel: Path) -> tuple[Package, ...]:
    constraints = ("--constraint", str(ROOT / "constraints.txt"))
    made = "from aignostics_async import Client; Client('https://host.example.com', 'token')"
    in_python = {
        "Python alone": ("python", "-c", "pass"),
        "import of httpx": ("python", "-c", "import httpx"),
        "import of the client": ("python", "-c", "from aignostics_async import Client"),
        "import, and a client made": ("python", "-c", made),
    }
    commands = {name: ("aignostics-async", f"--{name}") for name in ("help", "version")}
    theirs = {
        "import of the client": ("python", "-c", "from aignostics.platform import Client"),
        "command --help": ("aignostics", "--help"),  # it has no --version
    }
    return (
        Package(BASE, (*constraints, str(wheel)), in_python),
        Package(
            OURS,
            (*constraints, f"{wheel}[cli,slides]"),
            in_python | {f"command --{name}": command for name, command in commands.items()},
        ),
        Package(THEIRS, (OFFICIAL,), theirs),
    )


class Failed(Exception):
    """A program of an environment failed; the text is the last line of what it said."""


class Environment:
    """An empty environment, and what is installed into it."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self.folder = folder
        self._home = folder / "home"
        self._home.mkdir()

    def run(self, program: str, *arguments: str) -> tuple[float, float]:
        """Run a program to its end; return seconds, and seconds of processors."""
        begun, before = time.perf_counter(), _children()
        done = subprocess.run(
            [self.folder / "bin" / program, *arguments],
            env=_variables() | {"HOME": str(self._home)},
            cwd=self._home,  # not the sources, which Python would import
            capture_output=True,
            text=True,
            check=False,
        )
        taken = time.perf_counter() - begun, _children() - before
        if done.returncode:
            raise Failed((done.stderr.strip() or "no reason given").splitlines()[-1])
        return taken

    def install(self, package: Package) -> dict[tuple[str, str], float]:
        """Install a package, and return what that took and brought."""
        distributions, size = self._distributions(), self._size()
        seconds, _ = self.run("python", "-m", "pip", "--no-cache-dir", "install", *package.requirement)
        return {
            ("install", "s"): seconds,
            ("distributions", ""): self._distributions() - distributions,
            ("size on disk", "MB"): (self._size() - size) / 1e6,
        }

    def _distributions(self) -> int:
        return len(list(self.folder.glob("lib/python*/site-packages/*.dist-info")))

    def _size(self) -> int:
        return sum(path.lstat().st_size for path in self.folder.rglob("*") if path.is_file())


def _variables() -> dict[str, str]:
    """Return the variables of this process without those that make Python or a client behave otherwise."""
    without = ("PYTHON", "VIRTUAL_ENV", "AIGNOSTICS", "XDG_")
    return {name: value for name, value in os.environ.items() if not name.startswith(without)}


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def build(folder: Path) -> Path:
    """Build our wheel, and return its path."""
    pip = (sys.executable, "-m", "pip", "--quiet")
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install_in_turn(
    chosen: Sequence[Package], scratch: Path, rounds: int, measured: Measured
) -> dict[str, Environment]:
    """Install packages in turn, and return an environment of each; one that can't be had is left out."""
    kept: dict[str, Environment] = {}
    for number in range(rounds):
        for package in chosen if number == 0 else [each for each in chosen if each.name in kept]:
            environment = Environment(scratch / f"{package.name} {number}")
            try:
                told = environment.install(package)
            except Failed as error:
                if number:
                    raise
                print(f"{package.requirement[-1]} can't be installed here, and is left out: {error}")
                continue
            for kind, value in told.items():
                measured[kind][package.name].append(value)
            if number:
                shutil.rmtree(environment.folder)
            else:
                kept[package.name] = environment
    return kept


def start_in_turn(
    chosen: Sequence[Package], environments: dict[str, Environment], rounds: int, measured: Measured
) -> None:
    """Start in turn all that packages start."""
    starts = list(dict.fromkeys(what for package in chosen for what in package.starts))
    for number in range(rounds + 1):
        for what in starts:
            for package in chosen:
                if package.name not in environments or what not in package.starts:
                    continue
                wall, cpu = environments[package.name].run(*package.starts[what])
                if number:  # the first start compiles
                    measured[what, "s"][package.name].append(wall)
                    measured[f"{what}, CPU", "s"][package.name].append(cpu)


def show(results: Results, measured: Measured) -> None:
    """Print and keep medians, and how many times ours the official ones are."""
    print(f"  {'':36}{BASE:>18}{OURS:>18}{THEIRS:>18}   official / ours")
    for (what, unit), values in measured.items():
        medians = {name: statistics.median(each) for name, each in values.items()}
        cells = [as_text(medians[name]) if name in medians else "-" for name in (BASE, OURS, THEIRS)]
        line = f"  {f'{what}, {unit}'.rstrip(', '):36}" + "".join(f"{cell:>18}" for cell in cells)
        if OURS in values and THEIRS in values:
            pairs = zip(values[THEIRS], values[OURS], strict=True)
            ratio = Estimate.of([theirs / mine for theirs, mine in pairs])
            results.add(f"{what}, official / ours", ratio)
            line += f"   {ratio.median:.1f}"
        for name, median in medians.items():
            results.add(f"{what}, {name}", median, unit)
        print(line)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--installs", type=int, default=3, help="of each package, in turn")
    parser.add_argument("--rounds", type=int, default=9, help="of all starts, in turn")
    arguments = parser.parse_args()
    measured: Measured = defaultdict(lambda: defaultdict(list))
    with recording("start", arguments.json) as results, tempfile.TemporaryDirectory() as scratch:
        chosen = packages(build(Path(scratch)))
        results.row("into an empty environment, and from there")
        environments = install_in_turn(chosen, Path(scratch), arguments.installs, measured)
        start_in_turn(chosen, environments, arguments.rounds, measured)
        show(results, measured)


if __name__ == "__main__":
    main()
