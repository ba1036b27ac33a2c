"""A service on the platform: it submits slides, and shows runs, items and their pictures as they come.

    python examples/service/service.py SLIDES --store URL [--data FOLDER] [--port 8000]

AIGNOSTICS_API_ROOT and AIGNOSTICS_ACCESS_TOKEN say where to go and as whom. Needs fastapi and uvicorn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import uvicorn
from fastapi import Body, FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, StreamingResponse

from aignostics_async import (
    Change,
    Client,
    CompletedItem,
    InvalidSubmission,
    Item,
    Run,
    Settings,
    Slide,
    SlideError,
    find_slides,
)

PAGE = Path(__file__).with_name("page.html")
Event = dict[str, str]


class Hub:
    """What is known, for who comes later, and those who listen now."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], Event] = {}
        self._listeners: set[asyncio.Queue[Event | None]] = set()

    def tell(self, event: Event) -> None:
        """Let everybody know; the newest event of a kind, run and item stands for the older ones."""
        self._known[event["kind"], event["run_id"], event.get("reference", "")] = event
        for listener in self._listeners:
            listener.put_nowait(event)

    async def events(self) -> AsyncIterator[str]:
        """Give what is known and then what comes, as server-sent events, until the service stops."""
        listener: asyncio.Queue[Event | None] = asyncio.Queue()
        for known in self._known.values():
            listener.put_nowait(known)
        self._listeners.add(listener)
        try:
            while (event := await listener.get()) is not None:
                yield f"data: {json.dumps(event)}\n\n"
        finally:
            self._listeners.discard(listener)

    def close(self) -> None:
        """Let all streams end; the server waits for them before it stops."""
        for listener in self._listeners:
            listener.put_nowait(None)


def create_app(slides: Path, store: str, data: Path, settings: Settings, version: str) -> FastAPI:
    """Return the application. One client serves all requests, as long as the application runs."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        since = datetime.now(UTC) - timedelta(days=1)
        # A failure of either task ends the service: one that sees nothing any more is no use.
        async with Client.from_env(settings=settings) as client, asyncio.TaskGroup() as group:
            app.state.client = client
            tasks = [
                group.create_task(show_changes(client, since, app.state.hub)),
                group.create_task(show_pictures(client, since, app.state.hub, data)),
            ]
            yield
            for task in tasks:
                task.cancel()
        print("stopped", flush=True)

    app = FastAPI(lifespan=lifespan)
    app.state.hub = Hub()

    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        return PAGE.read_text(encoding="utf-8")

    @app.get("/slides")
    async def list_slides() -> list[str]:
        return sorted(by_name(slides))

    @app.post("/runs", status_code=201)
    async def submit(names: Annotated[list[str], Body(embed=True)]) -> dict[str, str]:
        run = await submit_run(app.state.client, version, by_name(slides), names, store)
        return {"run_id": run.id}

    @app.get("/events")
    async def events() -> StreamingResponse:
        return StreamingResponse(app.state.hub.events(), media_type="text/event-stream")

    @app.get("/pictures/{run_id}/{path:path}")
    def picture(run_id: str, path: str) -> FileResponse:
        file = (data / run_id / path).resolve()
        if not (file.is_relative_to(data.resolve()) and file.suffix == ".png" and file.is_file()):
            raise HTTPException(404)
        return FileResponse(file)

    return app


def by_name(slides: Path) -> dict[str, Slide]:
    return {slide.path.relative_to(slides).as_posix(): slide for slide in find_slides(slides)}


async def submit_run(
    client: Client, version: str, slides: dict[str, Slide], names: list[str], store: str
) -> Run:
    """Create a run of the slides with these names, or answer why not."""
    if not names or not slides.keys() >= set(names):
        raise HTTPException(422, f"choose among {', '.join(sorted(slides))}")
    items = [Item(name, slide=slides[name]) for name in names]
    try:
        return await client.runs.submit(version, items, store=store)
    except (InvalidSubmission, SlideError) as refused:
        raise HTTPException(422, str(refused)) from None


async def show_changes(client: Client, since: datetime, hub: Hub) -> None:
    """Tell of every state of all runs, also of those that somebody else has created."""
    async for change in client.watch_all(since=since):
        hub.tell(as_event(change))


def as_event(change: Change) -> Event:
    about = {"run_id": change.run_id, "status": change.new.name}
    if change.reference is None:
        details = change.details
        triggered = details.triggered_at.isoformat(timespec="seconds")
        return {"kind": "run", **about, "version": details.application_version_id, "triggered_at": triggered}
    return {"kind": "item", **about, "reference": change.reference}


async def show_pictures(client: Client, since: datetime, hub: Hub, data: Path) -> None:
    """Bring the files of each item as soon as it succeeds, and tell where its picture is."""
    # It asks the platform for nothing that the other watcher does not ask for: they share their requests.
    async with client.download_as_completed(client.watch_all(since=since), data) as items:
        async for done in items:
            for event in pictures_of(done, data):
                hub.tell(event)


def pictures_of(done: CompletedItem, data: Path) -> list[Event]:
    about = {"kind": "picture", "run_id": done.change.run_id, "reference": done.item.reference}
    files = [file.path.relative_to(data) for file in done.files if file.error is None]
    return [{**about, "url": f"/pictures/{path.as_posix()}"} for path in files if path.suffix == ".png"]


class Server(uvicorn.Server):
    """A server that ends the streams of its pages when it is told to stop."""

    def __init__(self, config: uvicorn.Config, hub: Hub) -> None:
        super().__init__(config)
        self._hub = hub

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take in a signal."""
        self._hub.close()
        super().handle_exit(sig, frame)


def main(arguments: argparse.Namespace) -> None:
    settings = Settings(poll_interval=arguments.poll_interval)
    app = create_app(
        arguments.slides, arguments.store, arguments.data, settings, arguments.application_version
    )
    listener = socket.create_server(("127.0.0.1", arguments.port))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config: Any = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5)
    asyncio.run(Server(config, app.state.hub).serve(sockets=[listener]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("slides", type=Path)
    parser.add_argument("--store", required=True)
    parser.add_argument("--data", type=Path, default=Path("service-data"))
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--application-version", default="he-tme:v1.1.0")
    parser.add_argument("--poll-interval", type=float, default=30.0)
    main(parser.parse_args())
