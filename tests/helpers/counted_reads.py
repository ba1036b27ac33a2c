"""How often files are opened and how much of them is read, here and in the processes that read slides."""

from __future__ import annotations

import io
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aignostics_async.slides.workers import _worker


class Reads:
    """Counts opens and bytes by file."""

    def __init__(self) -> None:
        self.opens: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()

    def counting(self) -> Callable[..., Any]:
        """Return a replacement for `Path.open`."""

        def opened(path: Path, *args: Any, **options: Any) -> Any:
            return self._open(path, *args, **options)

        return opened

    def _open(self, path: Path, mode: str = "r", *args: Any, **options: Any) -> Any:
        if mode != "rb":
            return open(path, mode, *args, **options)  # noqa: PTH123 - what Path.open calls
        self.opens[str(path)] += 1
        reads, name = self.bytes, str(path)

        class Raw(io.FileIO):
            def readinto(self, buffer: Any) -> int | None:
                count = super().readinto(buffer)
                reads[name] += count or 0
                return count

            def read(self, size: int = -1) -> bytes:  # type: ignore[override]
                content = super().read(size) or b""
                reads[name] += len(content)
                return content

        raw = Raw(str(path), "rb")
        return raw if options.get("buffering") == 0 else io.BufferedReader(raw)

    def add(self, folder: Path) -> None:
        """Add what processes with `program(folder)` have read."""
        for path in folder.iterdir():
            opens, sizes = json.loads(path.read_text())
            self.opens.update(opens)
            self.bytes.update(sizes)


def program(folder: Path) -> str:
    """Return a program that reads slides and keeps count of it in a folder."""
    return f"from counted_reads import read_slides; read_slides({str(folder)!r})"


def read_slides(folder: str) -> None:
    """Answer requests as `_worker` does, and write down what was read."""
    reads, answer = Reads(), _worker.answer
    Path.open = reads.counting()  # type: ignore[method-assign]

    def counted(*request: Any) -> list[Any]:
        answered = answer(*request)
        Path(folder, str(os.getpid())).write_text(json.dumps([reads.opens, reads.bytes]))
        return answered

    _worker.answer = counted  # type: ignore[assignment]
    _worker.main()
