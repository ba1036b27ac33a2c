"""A service on the platform: it submits slides, and shows runs, items and their pictures as they come.

    python examples/service/service.py SLIDES --store URL [--data FOLDER] [--port 8000]

The environment says which platform to use and as whom, as `Client.from_env` reads it. Everybody who can reach
the service acts for that account, so it listens on this machine only; put a proxy that signs users in before
it. After a restart it continues where it was. Run it under a supervisor: it ends with status 1 when it can't
go on, for example because the login has ended. `GET /health` answers 503 while it is behind the platform.
Needs fastapi and uvicorn.

- `feed.py`: what is known, as events for pages, bounded and on disk
- `watcher.py`: follows the platform and downloads pictures
- `submissions.py`: reads, uploads and submits slides
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import uvicorn
from fastapi import Body, FastAPI, Header, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, StreamingResponse
from feed import Event, Feed
from submissions import Submissions
from watcher import PlatformWatcher, explain

from aignostics_async import AignosticsError, Client, Settings

PAGE = Path(__file__).with_name("page.html")
SAVE_INTERVAL = 5.0  # seconds


def create_app(
    slides: Path,
    *,
    store: str,
    data: Path,
    settings: Settings,
    version: str,
    on_failure: Callable[[], None] = lambda: signal.raise_signal(signal.SIGTERM),
) -> FastAPI:
    """Return the application. `on_failure` ends the process when watching has failed for good."""
    data.mkdir(parents=True, exist_ok=True)
    feed = Feed(data / "feed.json")
    submissions = Submissions(slides, store, version, feed)
    watcher = PlatformWatcher(feed, data, datetime.now(UTC) - timedelta(days=1), on_failure)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        feed.load()
        submissions.give_up_interrupted()
        async with Client.from_env(settings=settings) as client:
            app.state.client = client
            tasks = [asyncio.create_task(watcher.run(client)), asyncio.create_task(save_regularly(feed))]
            try:
                yield
            finally:
                await submissions.close()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                feed.save()
        print("stopped", flush=True)

    app = FastAPI(lifespan=lifespan)
    app.state.feed, app.state.watcher = feed, watcher
    add_submissions(app, submissions)
    add_feed(app, feed, watcher)
    add_pictures(app, data)
    return app


def add_submissions(app: FastAPI, submissions: Submissions) -> None:
    @app.get("/slides")
    async def list_slides() -> list[dict[str, str]]:
        return await submissions.list_slides()

    @app.post("/submissions", status_code=202)
    async def submit(names: Annotated[list[str], Body(embed=True)]) -> dict[str, str]:
        return {"submission": submissions.submit(app.state.client, names)}

    @app.exception_handler(AignosticsError)
    async def answer(_request: object, error: AignosticsError) -> JSONResponse:
        return JSONResponse({"detail": explain(error)}, 503 if error.is_transient else 502)


def add_feed(app: FastAPI, feed: Feed, watcher: PlatformWatcher) -> None:
    @app.get("/health")
    async def health() -> JSONResponse:
        status = "failing" if watcher.trouble else "ok"
        return JSONResponse({"status": status, "reason": watcher.trouble}, 503 if watcher.trouble else 200)

    @app.get("/state")
    async def state() -> list[Event]:
        return feed.events()

    @app.get("/events")
    async def events(last_event_id: Annotated[str, Header()] = "0") -> StreamingResponse:
        after = int(last_event_id) if last_event_id.isdecimal() else 0
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        return StreamingResponse(feed.stream(after), media_type="text/event-stream", headers=headers)


def add_pictures(app: FastAPI, data: Path) -> None:
    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        return PAGE.read_text(encoding="utf-8")

    @app.get("/pictures/{run_id}/{path:path}")
    def picture(run_id: str, path: str) -> FileResponse:
        file = (data / run_id / path).resolve()
        if not (file.is_relative_to(data.resolve()) and file.suffix == ".png" and file.is_file()):
            raise HTTPException(404)
        return FileResponse(file)


async def save_regularly(feed: Feed) -> None:
    while True:
        await asyncio.sleep(SAVE_INTERVAL)
        feed.save()


class Server(uvicorn.Server):
    """A server that ends the streams of its pages when it is told to stop."""

    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        self._feed.close()
        super().handle_exit(sig, frame)

    def fail(self) -> None:
        """Stop, since the service can't go on."""
        self._feed.close()
        self.should_exit = True


def main(arguments: argparse.Namespace) -> int:
    app = create_app(
        arguments.slides,
        store=arguments.store,
        data=arguments.data,
        settings=Settings(poll_interval=arguments.poll_interval),
        version=arguments.application_version,
        on_failure=lambda: server.fail(),  # noqa: PLW0108 - it is made below
    )
    listener = socket.create_server(("127.0.0.1", arguments.port))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    config: Any = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5)
    server = Server(config, app.state.feed)
    asyncio.run(server.serve(sockets=[listener]))
    if app.state.watcher.has_failed:
        print(f"error: {app.state.watcher.trouble}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("slides", type=Path)
    parser.add_argument("--store", required=True)
    parser.add_argument("--data", type=Path, default=Path("service-data"))
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--application-version", default="he-tme:v1.1.0")
    parser.add_argument("--poll-interval", type=float, default=30.0)
    sys.exit(main(parser.parse_args()))
