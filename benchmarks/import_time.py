"""The cost of a client before its first request: the time to import and construct it, and the installed size.

Each row is a process, the rows alternate, and the figures are medians above bare Python. With --wheel, a
fresh wheel is installed into an empty environment; otherwise this interpreter's environment is measured.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROWS = {
    "bare Python": "pass",
    "import httpx": "import httpx",
    "import aignostics_async, construct a client": (
        "from aignostics_async import Client; Client('https://host.example.com', 'token')"
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--wheel", action="store_true", help="measure an empty environment")
    arguments = parser.parse_args()
    if not arguments.wheel:
        show(Path(sys.executable), arguments.rounds)
        return
    with tempfile.TemporaryDirectory() as scratch:
        python = empty_environment(Path(scratch))
        show(python, arguments.rounds)
        listed = [
            str(python),
            "-m",
            "pip",
            "list",
            "--format=freeze",
            "--exclude",
            "pip",
            "--exclude",
            "setuptools",
        ]
        count = len(subprocess.run(listed, capture_output=True, text=True, check=True).stdout.splitlines())
        print(f"distributions installed, ours included: {count}")


def empty_environment(scratch: Path) -> Path:
    """Build a wheel, install it into an empty environment, and return its interpreter."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "wheel",
        "--no-deps",
        "--wheel-dir",
        str(scratch),
        str(ROOT),
    ]
    subprocess.run(pip, check=True)
    (wheel,) = scratch.glob("*.whl")
    venv.create(scratch / "env", with_pip=True)
    python = scratch / "env" / "bin" / "python"
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    subprocess.run([str(python), "-m", "pip", "--quiet", "install", *constraints, str(wheel)], check=True)
    return python


def show(python: Path, rounds: int) -> None:
    """Print the medians of alternating runs of all rows."""
    times: dict[str, list[float]] = {name: [] for name in ROWS}
    for _ in range(rounds):
        for name, code in ROWS.items():
            begin = time.perf_counter()
            subprocess.run([str(python), "-c", code], check=True)
            times[name].append(time.perf_counter() - begin)
    medians = {name: statistics.median(values) for name, values in times.items()}
    bare = medians["bare Python"]
    httpx = medians["import httpx"] - bare
    for name, median in medians.items():
        over = median - bare
        print(f"{name:45s} {over * 1000:6.0f} ms over bare Python, {over / httpx:5.2f} x httpx")


if __name__ == "__main__":
    main()
