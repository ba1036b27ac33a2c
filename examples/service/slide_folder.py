"""The slides on this machine: what they are called, and which can't be read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from aignostics_async import Item, Slide, SlideError, find_slides, read_slide
from aignostics_async.services import public_message


class SlideFolder:
    """A folder of slides, each named by its path in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._problems: dict[str, tuple[tuple[int, float], str]] = {}  # with size and time of the file

    async def names(self) -> list[str]:
        """Return the names of all slides; one that is not UTF-8, which no page can show, with escapes."""
        found = await asyncio.to_thread(find_slides, self.path)
        names = (slide.path.relative_to(self.path).as_posix() for slide in found)
        return sorted(name.encode("utf-8", "backslashreplace").decode() for name in names)

    def items(self, names: Iterable[str]) -> list[Item]:
        """Return an item for each name, which is its reference."""
        return [Item(name, slide=Slide(self.path / name)) for name in names]

    async def problem(self, name: str) -> str:
        """Return why a slide can't be read, or an empty text. A file that does not change is read once."""
        path = self.path / name
        try:
            stat = path.stat()
        except OSError:
            return "it is gone, or its name is not UTF-8; rename it"
        state, problem = (stat.st_size, stat.st_mtime), ""
        if self._problems.get(name, ((), ""))[0] != state:
            try:
                await read_slide(Slide(path))
            except SlideError as error:
                problem = public_message(error).removeprefix(f"{path.name}: ")
            self._problems[name] = state, problem
        return self._problems[name][1]
