"""Run the tests against a mutant in a scratch copy of a checkout."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tree.mutation import Mutant

_LEFT_BEHIND = shutil.ignore_patterns(
    *(".git", ".venv", "node_modules", "__pycache__", "*_cache", ".hypothesis", "build", "dist", "demo")
)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


class Trial(NamedTuple):
    """The end of a test run: whether it failed, and the first failed test or the last line of output."""

    failed: bool
    reason: str


class Scratch:
    """A copy of a checkout. Its tests run on its own sources, with the running Python."""

    def __init__(self, root: Path, folder: Path) -> None:
        """Copy the checkout without its environment, caches and build results."""
        self._folder = folder
        shutil.copytree(root, folder, ignore=_LEFT_BEHIND, symlinks=True)
        for modules in root.glob("*/*/node_modules"):
            (folder / modules.relative_to(root)).symlink_to(modules)
        shared = Path(os.environ.get("AIGNOSTICS_SHARED", root.parent / "shared")).resolve()
        paths = os.pathsep.join(str(folder / name) for name in ("src", "generated"))
        # Bytecode is matched by time and size, and two mutants may share both.
        self._environment = {
            **os.environ,
            "AIGNOSTICS_SHARED": str(shared),
            "PYTHONPATH": paths,
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    @contextmanager
    def planted(self, mutant: Mutant) -> Iterator[None]:
        """Plant the fault in the copy for the length of the block."""
        path = self._folder / mutant.path
        before = path.read_bytes()
        mutant.apply(self._folder)
        try:
            yield
        finally:
            path.write_bytes(before)

    def test(self, tests: str, timeout: float) -> Trial:
        """Run pytest until the first failure; kill its process group after `timeout` seconds."""
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *shlex.split(tests)]
        process = subprocess.Popen(
            command, cwd=self._folder, env=self._environment, start_new_session=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            output, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return Trial(failed=True, reason=f"no end within {timeout:g} s")
        first = _FAILED.search(output)
        last = output.strip().splitlines()[-1:] or ["no output"]
        return Trial(failed=process.returncode != 0, reason=first[1] if first else last[0])
