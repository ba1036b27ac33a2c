"""Uploads of slides to a store, under keys that are fixed before anything is sent, and their signed URLs."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from .._core._display_text import human_moment
from .._core._file_names import safe_name
from .._core._tasks import run_all
from .._identifiers import as_aware
from ..errors import AignosticsError, ConfigurationError, TransferError
from ..slides import SlideInfo
from ..slides._packing import one_file, sent_name
from ..storage import Store, Stored, put_once
from ..storage._upload import credentials_end, put_verified, sent_checksum, sign_get
from ..transfer.progress._events import (
    Progress,
    ProgressReporter,
    TransferEvent,
    check_callback,
    guard_progress,
    ignore,
)

if TYPE_CHECKING:
    from .._config import Settings, Uploads

_PLATFORM_SECONDS = 6 * 24 * 3600
_ITEMS = uuid.UUID("6f1d9c0e-58ae-4d0e-9a3f-1f8c5a3d7b42")


@frozen(eq=False)
class PendingSlide:
    """A slide to upload, for one artifact of one item."""

    item: int
    reference: str
    artifact: str
    path: Path
    info: SlideInfo
    alias: str | None = None
    """What it is called in the store, if not as its file."""


def credentials_problem(end: datetime | None, url_lifetime: float, now: datetime) -> str:
    """Return what is wrong with credentials that expire before the platform is done; nothing if they don't.

    The URLs that they sign end with them. Raises UsageError for an end without time zone.
    """
    end = as_aware(end, "the end of a store's credentials")
    if end is None or end >= now + timedelta(seconds=min(url_lifetime, _PLATFORM_SECONDS)):
        return ""
    return (
        f"the store's credentials end at {human_moment(end)}, and with them every URL that they sign; "
        "the platform needs the URLs for six days"
    )


async def check_credentials(store: Store, lifetime: float) -> None:
    """Raise ConfigurationError if a store's credentials expire while the platform still needs the URLs.

    `lifetime` is the lifetime of the URLs in seconds.
    """
    problem = credentials_problem(await credentials_end(store), lifetime, datetime.now(UTC))
    if problem:
        raise ConfigurationError(f"{problem}. Use a key that lives longer, not a session's")


class SlideUploads:
    """The uploads of one submission."""

    def __init__(self, store: Store, settings: Settings, uploads: Uploads, progress: Progress | None) -> None:
        self._store = store
        self._settings = settings
        self._uploads = uploads
        check_callback(progress)
        self._progress = progress or ignore
        self._call = uploads.job or uuid.uuid4().hex

    async def sign(self, stored: Stored) -> str:
        """Return the URL by which the platform reads an object."""
        return await sign_get(self._store, stored.uri, self._settings.url_lifetime)

    async def send_all(self, slides: Sequence[PendingSlide]) -> list[tuple[Stored, str]]:
        """Upload all slides; one that fails does not stop the others, and its error is raised at the end.

        What the progress callback raises stops all of them and is raised.
        """
        failures: list[AignosticsError] = []

        with guard_progress(self._progress) as report:

            async def send(slide: PendingSlide) -> tuple[Stored, str] | None:
                try:
                    return await self._send(slide, report)
                except AignosticsError as error:
                    failures.append(error)
                    return None

            jobs = [partial(send, slide) for slide in slides]
            sent = await run_all(jobs, limit=self._settings.limits.transfers)
        if failures:
            first = failures[0]
            for other in failures[1:]:
                first.add_note(f"and {other}")
            raise first
        return [each for each in sent if each is not None]

    async def _send(self, slide: PendingSlide, report: Progress) -> tuple[Stored, str]:
        """Upload a slide, packed if it is of several files; returns the object and its checksum."""
        async with one_file(slide.info, alias=slide.alias) as source:
            try:
                size = source.stat().st_size
            except OSError as error:
                raise TransferError(f"it can't be read ({error.strerror})", name=str(slide.path)) from None
            started = TransferEvent("started", "upload", slide.reference, source.name, total=size)
            reporter = ProgressReporter(report, started)
            try:
                with reporter:
                    stored = await self._put(self._key(slide, source), source, progress=reporter.advance)
                # A store that names no checksum costs one more reading of the file.
                checksum = stored.crc32c or await sent_checksum(source)
            except AignosticsError:
                reporter.end("failed", 0)
                raise
            reporter.end("finished", size, verified=stored.verified)
            return stored, checksum

    @property
    def _put(self) -> Callable[..., Awaitable[Stored]]:
        return partial(put_verified if self._uploads.job is None else put_once, self._store)

    def _key(self, slide: PendingSlide, source: Path) -> str:
        """Return the key of a slide: prefix, job or call, item, file name. No two slides share one.

        The keys of a job depend on references alone, so that a repeated job finds its objects.
        """
        item = slide.item if self._uploads.job is None else slide.reference
        ident = uuid.uuid5(_ITEMS, f"{item}\n{slide.artifact}").hex
        parts = (
            self._uploads.prefix.strip("/"),
            self._call,
            ident,
            safe_name(sent_name(source, slide.alias)),
        )
        return "/".join(part for part in parts if part)
