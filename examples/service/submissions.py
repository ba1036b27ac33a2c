"""The slides on this machine, and their submissions, which go on behind the request that started them."""

from __future__ import annotations

import asyncio
import logging
import uuid
from pathlib import Path

from fastapi import HTTPException
from feed import Feed
from watcher import explain

from aignostics_async import AignosticsError, Client, Item, Slide, SlideError, find_slides, read_slide

MAX_SUBMISSIONS = 10  # at once; each reads and uploads files
_log = logging.getLogger("service")


class Submissions:
    """The slides on this machine, and their submissions."""

    def __init__(self, slides: Path, store: str, version: str, feed: Feed) -> None:
        self._slides, self._store, self._version, self._feed = slides, store, version, feed
        self._problems: dict[tuple[Path, int, float], str] = {}
        self._submissions: set[asyncio.Task[None]] = set()

    async def list_slides(self) -> list[dict[str, str]]:
        """Return the name of each slide, and why it can't be used, or an empty text."""
        slides = await asyncio.to_thread(self._find)
        return [{"name": name, "problem": await self._problem(slides[name])} for name in sorted(slides)]

    def submit(self, client: Client, names: list[str]) -> str:
        """Start a submission and return its id; its progress is in the feed."""
        slides = self._find()
        if not names or not slides.keys() >= set(names):
            raise HTTPException(422, f"choose among {', '.join(sorted(slides))}")
        if len(self._submissions) >= MAX_SUBMISSIONS:
            raise HTTPException(429, "too many submissions are under way; try again later")
        ident = str(uuid.uuid4())
        work = self._submit(client, ident, [Item(name, slide=slides[name]) for name in sorted(set(names))])
        task = asyncio.create_task(work)
        self._submissions.add(task)
        task.add_done_callback(self._submissions.discard)
        return ident

    async def close(self) -> None:
        """Cancel the submissions that are under way."""
        for task in self._submissions:
            task.cancel()
        await asyncio.gather(*self._submissions, return_exceptions=True)

    def give_up_interrupted(self) -> None:
        """Say of the submissions of an earlier process that nobody works on them."""
        for event in self._feed.events():
            if event["kind"] == "submission" and event["status"] == "UPLOADING":
                self._tell(event["group"], "FAILED", event["slides"], "the service was stopped meanwhile")

    async def _submit(self, client: Client, ident: str, items: list[Item]) -> None:
        count = len(items)
        self._tell(ident, "UPLOADING", count)
        try:
            run = await client.runs.submit(self._version, items, store=self._store)
        except AignosticsError as error:
            # Where the slides are on this machine is nobody's business.
            self._tell(ident, "FAILED", count, explain(error).replace(f"{self._slides}/", ""))
        except asyncio.CancelledError:
            self._tell(ident, "FAILED", count, "the service was stopped meanwhile")
            raise
        except Exception:  # noqa: BLE001 - a bug must not lose the submission without a word
            _log.exception("submission %s failed", ident)
            self._tell(ident, "FAILED", count, "an internal error; the service's log has it")
        else:
            self._tell(ident, "CREATED", count, run_id=run.id)

    def _tell(self, ident: str, status: str, slides: int, detail: str = "", run_id: str = "") -> None:
        self._feed.publish("submission", ident, status=status, slides=slides, detail=detail, run_id=run_id)

    def _find(self) -> dict[str, Slide]:
        return {slide.path.relative_to(self._slides).as_posix(): slide for slide in find_slides(self._slides)}

    async def _problem(self, slide: Slide) -> str:
        """Return why a slide can't be read. A file that does not change is read once."""
        state = slide.path.stat()
        key = slide.path, state.st_size, state.st_mtime
        if key not in self._problems:
            try:
                await read_slide(slide)
                self._problems[key] = ""
            except SlideError as error:
                self._problems[key] = error.problem  # without the path on this machine
        return self._problems[key]
