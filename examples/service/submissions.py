"""The slides on this machine, and their submissions, which go on behind the request that started them.

A submission is on disk before it is answered. After a kill it goes on: first it looks for the run that the
killed process may have created, and sends the slides again only if there is none for a while.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from feed import Event, Feed
from watcher import explain

from aignostics_async import AignosticsError, Client, Item, Slide, SlideError, find_slides, read_slide

MAX_SUBMISSIONS = 10  # at once; each reads and uploads files
SKEW = timedelta(minutes=1)  # between the clocks of this machine and the platform
_log = logging.getLogger("service")


class Submissions:
    """The slides on this machine, and their submissions."""

    def __init__(self, slides: Path, store: str, version: str, feed: Feed, *, settle: float = 60.0) -> None:
        self._settle = settle  # seconds for which a run that nobody finds may still appear
        self._slides, self._store, self._version, self._feed = slides, store, version, feed
        self._problems: dict[tuple[Path, int, float], str] = {}
        self._submissions: set[asyncio.Task[None]] = set()

    async def list_slides(self) -> list[dict[str, str]]:
        """Return the name of each slide, and why it can't be used, or an empty text."""
        slides = await asyncio.to_thread(self._find)
        return [{"name": name, "problem": await self._problem(slides[name])} for name in sorted(slides)]

    def submit(self, client: Client, names: list[str], user: str | None) -> str:
        """Start a user's submission and return its id; its progress is in the feed."""
        slides = self._find()
        if not names or not slides.keys() >= set(names):
            raise HTTPException(422, f"choose among {', '.join(sorted(slides))}")
        if len(self._submissions) >= MAX_SUBMISSIONS:
            raise HTTPException(429, "too many submissions are under way; try again later")
        ident = str(uuid.uuid4())
        begun: dict[str, Any] = {"names": sorted(set(names)), "began": datetime.now(UTC).isoformat()}
        self._feed.give(ident, user or "")
        self._feed.publish("submission", ident, status="UPLOADING", slides=len(begun["names"]), **begun)
        self._feed.save()  # from here on it survives a kill
        self._start(self._work(client, self._event(ident), is_new=True))
        return ident

    def resume(self, client: Client) -> None:
        """Go on with the submissions of an earlier process."""
        for event in self._feed.events():
            if event["kind"] == "submission" and event["status"] == "UPLOADING":
                self._start(self._work(client, event, is_new=False))

    async def close(self) -> None:
        """Cancel the submissions that are under way; the next process goes on with them."""
        for task in self._submissions:
            task.cancel()
        await asyncio.gather(*self._submissions, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._submissions.add(task)
        task.add_done_callback(self._submissions.discard)

    def _event(self, ident: str) -> Event:
        return next(event for event in self._feed.events() if event["group"] == ident)

    async def _work(self, client: Client, event: Event, *, is_new: bool) -> None:
        ident, count = event["group"], event["slides"]
        try:
            run_id = "" if is_new else await self._find_created(client, event)
            run_id = run_id or await self._create(client, event["names"])
        except AignosticsError as error:
            # Where the slides are on this machine is nobody's business.
            self._tell(ident, "FAILED", count, explain(error).replace(f"{self._slides}/", ""))
        except Exception:  # noqa: BLE001 - a bug must not lose the submission without a word
            _log.exception("submission %s failed", ident)
            self._tell(ident, "FAILED", count, "an internal error; the service's log has it")
        else:
            self._feed.give(run_id, self._feed.owner(ident))
            self._tell(ident, "CREATED", count, run_id=run_id)
        self._feed.save()

    async def _create(self, client: Client, names: list[str]) -> str:
        slides = await asyncio.to_thread(self._find)
        items = [Item(name, slide=slides[name]) for name in names]
        return (await client.runs.submit(self._version, items, store=self._store)).id

    async def _find_created(self, client: Client, event: Event) -> str:
        """Return the run that a killed process created; an empty text if there is none for a while."""
        since = datetime.fromisoformat(event["began"])
        for _ in range(4):
            found = await client.runs.find(references=event["names"], since=since)
            known = {each.get("run_id") for each in self._feed.events()}
            for run in found.exact:
                if run.run_id not in known and run.triggered_at >= since - SKEW:
                    return run.run_id
            await asyncio.sleep(self._settle / 4)
        return ""

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
