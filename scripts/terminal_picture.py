"""Make docs/images/bulk-run.svg from a real run: a bulk job in a terminal, against an emulator.

    python scripts/terminal_picture.py [FILE]

The picture is what the terminal shows when the job is done.
"""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from aignostics_async.emulator.process import Emulator
from aignostics_async.emulator.synthetic import write_slides

ROOT = Path(__file__).parent.parent
COLUMNS = 92
SLIDES = 24
PATIENCE = 120.0  # seconds without a byte
_REDRAWN = re.compile(r"(?:\r?\x1b\[2K(?:\x1b\[1A\x1b\[2K)*)")
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_CURSOR = re.compile(r"\x1b\[\?25[lh]")


def run_job(emulator: Emulator, folder: Path) -> str:
    """Run a bulk job in a terminal, and return all that it wrote."""
    write_slides(folder / "slides", SLIDES)
    command = (sys.executable, "-m", "aignostics_async.cli", "bulk", "run", "job", "he-tme:v1.0.0", "slides")
    environment = {**os.environ, **emulator.environment, "COLUMNS": str(COLUMNS), "TERM": "xterm-256color"}
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*command, "--store", emulator.store_url, "--chunk-size", "4", "--bwlimit", "40M"],
        cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
    ) as process:  # fmt: skip
        os.close(theirs)
        written = b""
        while select.select([ours], [], [], PATIENCE)[0]:
            try:
                written += os.read(ours, 65_536)
            except OSError:  # the end of the last process that had the terminal
                break
        os.close(ours)
    if process.returncode:
        raise SystemExit(f"the job ended with {process.returncode}:\n{written.decode()}")
    return _CURSOR.sub("", written.decode()).replace("\r\n", "\n")


def last_screen(written: str) -> str:
    """Return what stands on the terminal in the end."""
    return _REDRAWN.split(written)[-1].rstrip()


def main(file: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch, Emulator(Path(scratch, "emulator"), speed=100) as emulator:
        screen = last_screen(run_job(emulator, Path(scratch)))
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True)
        command = "$ aignostics-async bulk run job/ he-tme:v1.0.0 slides/ --store $STORE"
        console.print(Text(command, style="bold"), Text.from_ansi(screen), sep="\n")
        picture = console.export_svg(title="aignostics-async", unique_id="bulk-run")
    # A picture fetches nothing from elsewhere: whoever lacks the font sees another one.
    file.write_text(_FONT.sub("", picture), encoding="utf-8")
    print(f"made {file}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/images/bulk-run.svg")
