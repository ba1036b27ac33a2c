"""Checks of this machine: slides, disks, locks and the place of logins."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from anyio import to_thread

from .._core._display_text import human_size
from .._core._file_lock import FileLock, LocksUnsupported
from .._core._portable import free_space
from .._environment_variables import read_token_store
from .._inputs import Slide
from ..errors import AignosticsError, MissingExtra
from ..slides.workers._prober import Prober
from ._report import CheckState, SetupCheck

_TRIAL = Path(__file__).parent / "trial.tiff"
_SIDE = 32  # pixels of the trial
_SCRATCH_BYTES = 1024 * 1024
_LITTLE, _SCARCE = 2**30, 10 * 2**30  # bytes: less than the first is a fault, than the second a warning


async def check_reader() -> SetupCheck:
    """Read a small slide as a submission does, in a process of its own."""
    name = "slides reader"
    try:
        async with Prober(workers=1) as prober:
            probed = await prober.probe(Slide(_TRIAL))
    except MissingExtra as error:
        return SetupCheck(name, CheckState.FAULT, str(error), "install the extra `slides`")
    except AignosticsError as error:
        return SetupCheck(name, CheckState.FAULT, str(error), "install the extra `slides` again")
    if probed.info.width != _SIDE:
        detail = f"a slide of {_SIDE} pixels is read as one of {probed.info.width}"
        return SetupCheck(name, CheckState.FAULT, detail, "install the extra `slides` again")
    return SetupCheck(name, CheckState.OK, "a trial slide was read, in a process of its own")


async def check_scratch() -> SetupCheck:
    """Write where slides of several files are packed and zips unpacked."""
    name, remedy = "scratch disk", "set TMPDIR to a folder with space for the largest slides, and free it"

    def write() -> int | None:
        with tempfile.TemporaryDirectory(prefix="aignostics-async-") as folder:
            Path(folder, "trial").write_bytes(bytes(_SCRATCH_BYTES))
            return free_space(Path(folder))

    try:
        free = await to_thread.run_sync(write)
    except OSError as error:
        detail = f"no temporary file can be written ({error.strerror or error})"
        return SetupCheck(name, CheckState.FAULT, detail, remedy)
    return _space(name, free, tempfile.gettempdir(), remedy)


async def check_locks(folder: Path) -> SetupCheck:
    """Lock a file where jobs would be."""
    name = "file locks"
    remedy = "keep the folders of bulk jobs on a local disk; slides and results may be elsewhere"

    def lock() -> bool:
        path = folder / ".aignostics-async-lock"
        trial = FileLock(path)
        try:
            return trial.acquire()
        finally:
            trial.release()
            path.unlink(missing_ok=True)

    try:
        is_free = await to_thread.run_sync(lock)
    except LocksUnsupported as error:
        return SetupCheck(name, CheckState.FAULT, f"{folder}: {error.strerror}", remedy)
    except OSError as error:
        detail = f"{folder} can't be written ({error.strerror})"
        return SetupCheck(name, CheckState.FAULT, detail, "choose a folder that can be written with --folder")
    if not is_free:
        return SetupCheck(name, CheckState.UNKNOWN, "another process looks at the same moment", "look again")
    return SetupCheck(name, CheckState.OK, f"files in {folder} can be locked")


async def check_token_store(variables: Mapping[str, str]) -> SetupCheck:
    """Write where logins are kept, and delete that again."""
    name = "key ring"
    try:
        store = read_token_store(variables)
        check = getattr(store, "check", None)
        if check is not None:
            await check()
    except AignosticsError as error:
        remedy = "set AIGNOSTICS_TOKEN_STORE to file, or repair what it names"
        return SetupCheck(name, CheckState.FAULT, str(error), remedy)
    return SetupCheck(name, CheckState.OK, f"logins can be kept in {store}")


async def check_free_disk(folder: Path) -> SetupCheck:
    """Look how much space is left for results."""
    name = "free disk"
    try:
        free = await to_thread.run_sync(free_space, folder)
    except OSError as error:
        detail = f"{folder} can't be looked at ({error.strerror})"
        return SetupCheck(name, CheckState.FAULT, detail, "choose a folder that exists with --folder")
    remedy = "make room, or choose another folder for results; 'bulk plan' says how much a job needs"
    return _space(name, free, str(folder), remedy)


def _space(name: str, free: int | None, place: str, remedy: str) -> SetupCheck:
    if free is None:
        return SetupCheck(name, CheckState.UNKNOWN, f"the file system of {place} does not tell", "")
    detail = f"{human_size(free)} free in {place}"
    if free < _LITTLE:
        return SetupCheck(name, CheckState.FAULT, detail, remedy)
    if free < _SCARCE:
        return SetupCheck(name, CheckState.WARNING, detail, remedy)
    return SetupCheck(name, CheckState.OK, detail)
