"""All that a tool for errors shows of a traceback: each variable of each frame, however deep it lies."""

from __future__ import annotations

import io
import traceback
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.traceback import Traceback

_TESTS = str(Path(__file__).parents[1])
_MAX_DEPTH = 6


def linked(error: BaseException) -> Iterator[BaseException]:
    """Yield an error with its causes, contexts and the members of groups, each once."""
    seen: set[int] = set()
    links: list[BaseException | None] = [error]
    while links:
        link = links.pop()
        if link is None or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        links += [link.__cause__, link.__context__]
        if isinstance(link, BaseExceptionGroup):
            links += link.exceptions


def shown(error: BaseException) -> Iterator[tuple[str, str]]:
    """Yield where something is shown, and the text: by repr, in containers, by rich and the standard library.

    The variables of the tests' own frames are left out: they hold what the caller knows.
    """
    for link in linked(error):
        kind = type(link).__name__
        yield f"the text of {kind}", str(link)
        yield f"the repr of {kind}", repr(link)
        yield f"the notes of {kind}", repr(getattr(link, "__notes__", ()))
        yield from _contents(f"{kind}.args", link.args, _MAX_DEPTH)
        yield from _contents(f"the attributes of {kind}", link.__dict__, _MAX_DEPTH)
        for frame, line in traceback.walk_tb(link.__traceback__):
            if not _is_of_a_test(frame):
                code = frame.f_code
                for name, value in frame.f_locals.items():
                    place = f"{name} in {code.co_filename}:{line}, {code.co_name}"
                    yield from _contents(place, value, _MAX_DEPTH)
    own = _without_frames_of_tests(error)
    yield "rich", _by_rich(own)
    yield (
        "the standard library",
        "".join(traceback.TracebackException.from_exception(own, capture_locals=True).format()),
    )


def _is_of_a_test(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_TESTS)


def _without_frames_of_tests(error: BaseException) -> BaseException:
    """Cut the frames of tests off the front, where the tests call the package."""
    link = error.__traceback__
    while link is not None and _is_of_a_test(link.tb_frame):
        link = link.tb_next
    return error.with_traceback(link)


def _by_rich(error: BaseException) -> str:
    shown = Traceback.from_exception(
        type(error), error, error.__traceback__, show_locals=True, locals_max_length=50, locals_max_string=80
    )
    output = io.StringIO()
    Console(file=output, width=1000).print(shown)
    return output.getvalue()


def _contents(place: str, value: Any, depth: int) -> Iterator[tuple[str, str]]:
    try:
        yield place, repr(value)
    except Exception:  # noqa: BLE001 - some objects are not whole yet, and can't be shown
        return
    if depth:
        for inner in _members(value):
            yield from _contents(place, inner, depth - 1)


def _members(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return [each for pair in value.items() for each in pair]
    if isinstance(value, list | tuple | set | frozenset):
        return value
    return ()
