"""References without meaning, and the map on this machine that tells which slide each stands for."""

from __future__ import annotations

import csv
import errno
import io
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from .._core._atomic_file import atomic_file
from .._core._file_lock import FileLock, LocksUnsupported
from .._core._state_folder import make_private_folder, state_folder
from ..errors import ConfigurationError

_COLUMNS = ("pseudonym", "reference", "path", "since")
_LOCK_SECONDS = 30.0
_POLL_SECONDS = 0.05


class PseudonymMap:
    """A CSV file in the state folder that only its owner can read: pseudonym, reference, path, since.

    The same slide keeps its pseudonym. Losing the file loses which slide a result is of.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or state_folder("pseudonyms") / "pseudonyms.csv"

    def assign(self, slides: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        """Return the pseudonym of each slide, given as reference and absolute path; blocking.

        Raises ConfigurationError where the map can't be read or written.
        """
        wanted = list(dict.fromkeys(slides))
        try:
            make_private_folder(self.path.parent)
            with self._locked():
                known = self._read()
                new = {slide: f"slide-{secrets.token_hex(8)}" for slide in wanted if slide not in known}
                if new:
                    self._add(new)
        except (OSError, csv.Error, KeyError) as error:
            raise ConfigurationError(
                f"the map of pseudonyms {self.path} can't be used ({error}); mend it, or give references"
            ) from None
        return {slide: known.get(slide) or new[slide] for slide in wanted}

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(self.path.with_suffix(".lock"))
        with suppress(LocksUnsupported):  # then whoever writes last wins, and there is nobody else as a rule
            end = time.monotonic() + _LOCK_SECONDS
            while not lock.acquire():
                if time.monotonic() > end:
                    raise TimeoutError(errno.ETIMEDOUT, "another process holds its lock")
                time.sleep(_POLL_SECONDS)
        try:
            yield
        finally:
            lock.release()

    def _read(self) -> dict[tuple[str, str], str]:
        if not self.path.exists():
            return {}
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            return {(row["reference"], row["path"]): row["pseudonym"] for row in csv.DictReader(file)}

    def _add(self, new: Mapping[tuple[str, str], str]) -> None:
        before = self.path.read_bytes() if self.path.exists() else b""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        if not before:
            writer.writerow(_COLUMNS)
        now = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")
        writer.writerows([pseudonym, *slide, now] for slide, pseudonym in new.items())
        with atomic_file(self.path) as file:
            file.write(before + text.getvalue().encode("utf-8", "surrogateescape"))
