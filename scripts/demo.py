"""The demo: an emulator, slides, and the quickstart on them.

    python scripts/demo.py [SLIDES] [--folder demo]

Without SLIDES six synthetic slides are made. Ends with the quickstart's exit status.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slides

ROOT = Path(__file__).resolve().parent.parent
SYNTHETIC_SLIDES = 6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("slides", type=Path, nargs="?", help="a folder of slides of your own")
    parser.add_argument("--folder", type=Path, default=Path("demo"), help="where everything is kept")
    arguments = parser.parse_args()
    slides = arguments.slides
    if slides is None:
        slides = arguments.folder / "slides"
        print(f"making {SYNTHETIC_SLIDES} synthetic slides in {slides}", flush=True)
        write_slides(slides, SYNTHETIC_SLIDES)
    results = arguments.folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    # Fast enough to watch: a run takes some seconds instead of half a minute.
    with Emulator(arguments.folder / "emulator", speed=5) as emulator:
        command = [sys.executable, str(ROOT / "examples/quickstart.py"), str(slides), str(results)]
        command += ["--store", emulator.store_url, "--poll-interval", "0.5"]
        return subprocess.run(command, env={**os.environ, **emulator.environment}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
