"""The demo: an emulator, a login, slides, and the quickstart on them.

    python scripts/demo.py [SLIDES] [--folder demo] [--by-hand]

Without SLIDES six synthetic slides are made. The login is a real one, by the emulator's sign-in page; without
--by-hand nobody needs to be there for it. Ends with the quickstart's exit status.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slides

ROOT = Path(__file__).resolve().parent.parent
SYNTHETIC_SLIDES = 6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("slides", type=Path, nargs="?", help="a folder of slides of your own")
    parser.add_argument("--folder", type=Path, default=Path("demo"), help="where everything is kept")
    parser.add_argument("--contract", default="1.8", help="what the emulator and the client speak")
    parser.add_argument("--by-hand", action="store_true", help="sign in with your own browser")
    arguments = parser.parse_args()
    slides = arguments.slides
    if slides is None:
        slides = arguments.folder / "slides"
        print(f"making {SYNTHETIC_SLIDES} synthetic slides in {slides}", flush=True)
        a_minute_ago = time.time() - 60
        for slide in write_slides(slides, SYNTHETIC_SLIDES):
            os.utime(slide, (a_minute_ago, a_minute_ago))  # else it might still be on its way from a scanner
    results = arguments.folder / "results"
    shutil.rmtree(results, ignore_errors=True)
    # Fast enough to watch: a run takes some seconds instead of half a minute.
    print(f"the emulator and the client speak contract {arguments.contract}", flush=True)
    with Emulator(arguments.folder / "emulator", speed=5, contract=arguments.contract) as emulator:
        environment = {
            **os.environ,
            **emulator.login_environment,
            "XDG_STATE_HOME": str((arguments.folder / "state").resolve()),  # where the login is kept
        }
        signed_in = sign_in(environment, by_hand=arguments.by_hand)
        if signed_in != 0:
            return signed_in
        command = [sys.executable, str(ROOT / "examples/quickstart.py"), str(slides), str(results)]
        command += ["--store", emulator.store_url, "--poll-interval", "0.5"]
        return subprocess.run(command, env=environment, check=False).returncode


def sign_in(environment: dict[str, str], *, by_hand: bool) -> int:
    """Sign in with the command line, and return its exit status."""
    environment = dict(environment)
    if not by_hand:
        person = shlex.join([sys.executable, str(ROOT / "scripts/demo_person.py")])
        environment["BROWSER"] = f"{person} %s"
    print("aignostics-async login --browser", flush=True)
    command = [sys.executable, "-m", "aignostics_async.cli", "login", "--browser"]
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
