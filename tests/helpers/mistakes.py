"""Usual mistakes, in Python and as commands, and what each says, as docs/reference/mistakes.md has them.

PYTHONPATH=tests/helpers python -m mistakes       # prints the table again, to be read before it is committed
"""

from __future__ import annotations

import ast
import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from attrs import frozen
from command_line import run_here

import aignostics_async
from aignostics_async.emulator.process import IMPATIENT, Emulator
from aignostics_async.emulator.synthetic import write_slide

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/mistakes.md"
STORE = "http://127.0.0.1:1/storage"
"""How the page writes the store of the emulator."""


@frozen
class Mistake:
    """A line of the page: what is written, and the one line that is answered."""

    written: str
    says: str

    @property
    def is_command(self) -> bool:
        return re.match(r"([A-Z_]+=\S* )*aignostics-async ", self.written) is not None


def mistakes() -> Iterator[Mistake]:
    """Yield the lines of the page."""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if found := re.fullmatch(r"\| `(.+?)` \| (.*) \|", line):
            yield Mistake(found[1].replace("\\|", "|"), found[2].replace("\\|", "|"))


def prepare(folder: Path) -> None:
    """Make the files that the lines speak of: a slide, one without a resolution, and what is none."""
    write_slide(folder / "slides/case-1.tiff", width=700, height=520)
    write_slide(folder / "slides/no-mpp.tiff", width=700, height=520, mpp=None)
    (folder / "slides/half.tiff").write_bytes((folder / "slides/case-1.tiff").read_bytes()[:50_000])
    (folder / "notes.txt").write_text("a slide?")
    (folder / "empty").mkdir()


def answer(mistake: Mistake, emulator: Emulator, folder: Path) -> str:
    """Make a mistake in a folder, and return the line that comes of it."""
    written = mistake.written.replace(STORE, emulator.store_url)
    told = (
        _of_command(written, emulator) if mistake.is_command else asyncio.run(_of_python(written, emulator))
    )
    return _general(told, emulator, folder)


def _of_command(written: str, emulator: Emulator) -> str:
    variables, _, arguments = written.rpartition("aignostics-async ")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIGNOSTICS_")}
    environment |= emulator.environment
    environment |= dict(each.split("=", 1) for each in variables.split())
    done = run_here(arguments.split(), environment)
    assert done.returncode != 0, f"{written} succeeded"
    return done.stderr.strip()


async def _of_python(written: str, emulator: Emulator) -> str:
    async with emulator.client(IMPATIENT) as client:
        names: dict[str, Any] = {**_public(aignostics_async), "client": client, "Path": Path}
        code = compile(written, "mistake", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        try:
            running = eval(code, names)
            if running is not None:
                await running
        except Exception as error:  # noqa: BLE001 - whatever it says
            return f"{type(error).__name__}: {error}"
    raise AssertionError(f"{written} succeeded")


def _public(module: ModuleType) -> dict[str, Any]:
    return {name: getattr(module, name) for name in module.__all__}


def _general(told: str, emulator: Emulator, folder: Path) -> str:
    """Put in general terms what is of this machine or this moment."""
    told = (
        told.replace(emulator.store_url, STORE)
        .replace(str(folder.resolve()), "...")
        .replace(str(folder), "...")
    )
    told = re.sub(r"http://127\.0\.0\.1:\d+", "http://127.0.0.1:1", told)
    told = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", told)
    told = re.sub(r"request [0-9a-zA-Z-]{6,}", "request ID", told)
    return re.sub(r"\n +(- )?", " / ", told)


def main() -> int:
    """Print the page with the answers of today."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.chdir(folder)
        prepare(folder)
        with Emulator(folder / "emulator", speed=1000) as emulator:
            for line in PAGE.read_text(encoding="utf-8").splitlines():
                found = re.match(r"\| `(.+?)` \|", line)
                if found is None or found[1] == "written":
                    print(line)
                    continue
                try:
                    says = answer(Mistake(found[1].replace("\\|", "|"), ""), emulator, folder)
                except AssertionError as error:
                    says = f"!!! {error}"
                print(f"{found[0]} {says.replace('|', chr(92) + '|')} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
