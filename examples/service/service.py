"""A service on the platform: it submits slides, and shows runs, items and their pictures as they come.

    python examples/service/service.py SLIDES --store URL [--data FOLDER] [--port 8000]

The environment says which platform to use and as whom, as `Client.from_env` reads it. It listens on this
machine only: put a proxy that signs users in before it, and name by `--user-header` the header in which it
says who has; each user then sees his own submissions and runs. After a restart or a kill it continues.

Run it under a supervisor: it ends with status 1 when it can't go on, for example because the login has ended.
`GET /health` answers 503 while it is behind the platform, and `GET /ready` until the platform has answered.
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
from urllib.parse import urlsplit

import uvicorn
from fastapi import Body, Depends, FastAPI, Header, HTTPException, Request
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
    user_header: str | None = None,
    settle: float = 60.0,
    on_failure: Callable[[], None] = lambda: signal.raise_signal(signal.SIGTERM),
) -> FastAPI:
    """Return the application. `on_failure` ends the process when watching has failed for good.

    `user_header` is the header in which a proxy says who has signed in; without it there is one user.
    """
    data.mkdir(parents=True, exist_ok=True)
    feed = Feed(data / "feed.json")
    submissions = Submissions(slides, store, version, feed, settle=settle)
    watcher = PlatformWatcher(feed, data, datetime.now(UTC) - timedelta(days=1), on_failure)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        feed.load()
        async with Client.from_env(settings=settings) as client:
            app.state.client = client
            submissions.resume(client)
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
    user = user_from(user_header)
    add_submissions(app, submissions, user)
    add_feed(app, feed, watcher, user)
    add_pictures(app, data, feed, user)
    return app


def user_from(header: str | None) -> Any:
    """Return a dependency that gives the user of a request; None where nobody signs in."""

    def user(request: Request) -> str | None:
        if header is None:
            return None
        if not (name := request.headers.get(header)):
            raise HTTPException(401, "sign in first")
        return name

    return Depends(user)


def check_origin(request: Request) -> None:
    """Refuse requests that pages of other sites let a browser send."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    is_foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if is_foreign or site not in (None, "same-origin", "none"):
        raise HTTPException(403, "this request came from another site")


def add_submissions(app: FastAPI, submissions: Submissions, user: Any) -> None:
    @app.get("/slides")
    async def list_slides(_user: str | None = user) -> list[dict[str, str]]:
        return await submissions.list_slides()

    @app.post("/submissions", status_code=202, dependencies=[Depends(check_origin)])
    async def submit(
        names: Annotated[list[str], Body(embed=True)], user: str | None = user
    ) -> dict[str, str]:
        return {"submission": submissions.submit(app.state.client, names, user)}

    @app.exception_handler(AignosticsError)
    async def answer(_request: object, error: AignosticsError) -> JSONResponse:
        return JSONResponse({"detail": explain(error)}, 503 if error.is_transient else 502)


def add_feed(app: FastAPI, feed: Feed, watcher: PlatformWatcher, user: Any) -> None:
    @app.get("/health")
    async def health() -> JSONResponse:
        status = "failing" if watcher.trouble else "ok"
        return JSONResponse({"status": status, "reason": watcher.trouble}, 503 if watcher.trouble else 200)

    @app.get("/ready")
    async def ready() -> JSONResponse:
        is_ready = watcher.is_ready and not watcher.trouble
        return JSONResponse({"ready": is_ready}, 200 if is_ready else 503)

    @app.get("/state")
    async def state(user: str | None = user) -> list[Event]:
        return feed.events(user=user)

    @app.get("/events")
    async def events(
        last_event_id: Annotated[str, Header()] = "0", user: str | None = user
    ) -> StreamingResponse:
        after = int(last_event_id) if last_event_id.isdecimal() else 0
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        return StreamingResponse(feed.stream(after, user), media_type="text/event-stream", headers=headers)


def add_pictures(app: FastAPI, data: Path, feed: Feed, user: Any) -> None:
    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        return PAGE.read_text(encoding="utf-8")

    @app.get("/pictures/{run_id}/{path:path}")
    def picture(run_id: str, path: str, user: str | None = user) -> FileResponse:
        file = (data / run_id / path).resolve()
        if not (
            feed.is_visible(run_id, user)
            and file.is_relative_to(data.resolve())
            and file.suffix == ".png"
            and file.is_file()
        ):
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
        # Pages are to know of an outage long before watching would give up by default.
        settings=Settings(poll_interval=arguments.poll_interval, outage_timeout=2 * arguments.poll_interval),
        version=arguments.application_version,
        user_header=arguments.user_header,
        settle=arguments.settle,
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
    parser.add_argument("--user-header", help="in which a proxy says who has signed in, X-Forwarded-User")
    parser.add_argument("--settle", type=float, default=60.0, help="seconds for a lost run to appear")
    sys.exit(main(parser.parse_args()))
