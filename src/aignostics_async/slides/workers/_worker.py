"""The program of a worker process, which `_prober.py` starts to read slides.

It takes one request per line, `[what, path, options]`, and answers each with one line: `["ok", {...}]`, or
`[error, {...}]` with the name and arguments of a SlideError for what can't be read. Its first line says that
it is ready.
"""

from __future__ import annotations

import base64
import faulthandler
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from attrs import asdict

from ..._inputs import Slide
from ...errors import MissingExtra, NotASlide, ResolutionConflict, ResolutionUnknown, SlideError
from .._fingerprints import measure
from .._read import read_slide_here
from .._thumbnail import thumbnail
from ..formats._dicom import read_header
from ._probed_slide import ProbedSlide

READY = "ready"
OK = "ok"
MISSING_EXTRA = "missing extra"
ERRORS: Mapping[str, Callable[..., SlideError]] = {
    kind.__name__: kind for kind in (SlideError, NotASlide, ResolutionUnknown, ResolutionConflict)
}
"""What a slide can't be read for; another process raises it again."""


def main() -> None:
    """Answer requests until there are no more; a request that takes too long ends the process."""
    patience = float(sys.argv[1])
    answers = _prepare()
    _tell(answers, [READY])
    for line in sys.stdin.buffer:
        # Whoever asked may be gone by then, and native code that hangs listens to nothing else.
        faulthandler.dump_traceback_later(patience, exit=True, file=sys.stderr)
        _tell(answers, answer(*json.loads(line)))
        faulthandler.cancel_dump_traceback_later()


def answer(what: str, path: str, options: Mapping[str, Any] | None = None) -> list[Any]:
    """Return the answer to one request."""
    try:
        return [OK, _read(what, path, options or {})]
    except SlideError as error:
        return [type(error).__name__, _arguments(error)]
    except MissingExtra:
        return [MISSING_EXTRA, {}]
    except OSError as error:
        problem = f"it can't be read ({error.strerror})"
    except Exception as error:  # noqa: BLE001 - whatever a reader does with one slide, the others go on
        problem = f"its reader failed ({type(error).__name__}: {error})"
    return [SlideError.__name__, {"path": path, "problem": problem}]


def _arguments(error: SlideError) -> dict[str, Any]:
    if isinstance(error, ResolutionConflict):
        return {"path": error.path, "from_file": error.from_file, "given": error.given}
    return {"path": error.path, "problem": error.problem, "remedy": error.remedy}


def _read(what: str, path: str, options: Mapping[str, Any]) -> dict[str, Any]:
    if what == "picture":
        return {"jpeg": base64.b64encode(thumbnail(Path(path))).decode()}
    if what == "header":
        return asdict(read_header(Path(path)))
    told = {name: value for name, value in options.items() if name != "decode"}
    slide = Slide(path, **{**told, "mpp": _pair(options.get("mpp"))})
    return probe_here(slide, decode=bool(options.get("decode"))).as_dict()


def _pair(mpp: Sequence[float] | None) -> tuple[float, float] | None:
    return None if mpp is None else (mpp[0], mpp[1])


def probe_here(slide: Slide, *, decode: bool = False) -> ProbedSlide:
    """Read a slide, blocking; raises SlideError and OSError."""
    before = measure([slide.path]) if slide.path.is_file() else None
    info = read_slide_here(slide, decode=decode)
    if measure([slide.path]) != before:
        raise SlideError(
            "it changed while it was read", path=str(slide.path), remedy="wait until it is complete"
        )
    size, fingerprint = measure(info.files)
    return ProbedSlide(info, size, fingerprint)


def _prepare() -> BinaryIO:
    """Make the process one that only answers; return where answers go."""
    # Ctrl-C and a scheduler's signal go to all processes of a job; its own one ends this one in time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with suppress(ImportError):  # each slide tells it
        # Loaded now, so that no slide's time is spent on it.
        # Not pydicom: it takes longer than all the rest, and most slides do without.
        import openslide  # noqa: F401
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    # Libraries write where they like, and nobody reads it.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    if sys.platform != "win32":
        import resource

        # A crash must not leave the pixels of a slide in a core file.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return answers


def _tell(answers: BinaryIO, message: list[Any]) -> None:
    answers.write(json.dumps(message).encode() + b"\n")
