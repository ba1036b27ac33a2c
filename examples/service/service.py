"""A service on the platform: it submits slides, and shows runs, items and their pictures as they come.

    python examples/service/service.py SLIDES --store URL [--data FOLDER] [--port 8000]

The environment says which platform to use and as whom, as `Client.from_env` reads it. It listens on this
machine only: put a proxy that signs users in before it, and name by `--user-header` the header in which it
says who has, once and in place of the browser's; each user then sees his own submissions and runs. Without
the option it answers to `localhost` and `127.0.0.1` alone. After a restart or a kill it continues.

Run it under a supervisor: it ends with status 1 when it can't go on, for example because the login has ended.
`GET /health` answers 503 while it is behind the platform, and `GET /ready` until the platform has answered.
Needs fastapi and uvicorn.

- `watcher.py`: what it shows of the platform and of submissions
- `slide_folder.py`: the slides on this machine

What every service needs is in `aignostics_async.services`: events for pages, work that has to go on, and
submissions that survive a kill.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Body, Depends, FastAPI, Header, HTTPException, Request
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, StreamingResponse
from slide_folder import SlideFolder
from watcher import PlatformWatcher, show_submission

from aignostics_async import Client, Run, Settings
from aignostics_async.services import BackgroundSubmissions, EventFeed, Submission, Supervisor, public_message

PAGE = Path(__file__).with_name("page.html")


def create_app(
    slides: Path,
    *,
    store: str,
    data: Path,
    settings: Settings,
    version: str,
    user_header: str | None = None,
    settle: float = 60.0,
    on_failure: Callable[[Exception], object],
) -> FastAPI:
    """Return the application. `on_failure` ends the process when watching has failed for good.

    `user_header` is the header in which a proxy says who has signed in; without it there is one user.
    """
    folder, feed = SlideFolder(slides), EventFeed(data / "feed.json")
    supervisor = Supervisor(on_trouble=lambda trouble: feed.publish("platform", trouble=trouble))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with feed, Client.from_env(settings=settings) as client:

            async def submit(submission: Submission, **tracking: Any) -> Run:
                items = folder.items(submission.references)
                return await client.runs.submit(version, items, store=store, **tracking)

            submissions = BackgroundSubmissions(
                data / "submissions.json",
                client,
                submit,
                on_change=partial(show_submission, feed),
                describe=partial(public_message, root=slides),
                settle=settle,
            )
            watcher = PlatformWatcher(client, feed, data, datetime.now(UTC) - timedelta(days=1))
            works = watcher.show_changes, watcher.show_pictures
            async with (
                submissions as app.state.submissions,
                supervisor.in_background(*works, on_failure=on_failure),
            ):
                yield
        print("stopped", flush=True)

    app = FastAPI(lifespan=lifespan)
    if user_header is None:  # no proxy: a page whose name was made to lead here could read everything
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=["localhost", "127.0.0.1"])
    app.state.feed = feed
    app.add_exception_handler(Exception, answer)
    user = user_from(user_header)
    add_submissions(app, folder, user)
    add_feed(app, feed, supervisor, user)
    add_pictures(app, data, feed, user)
    return app


async def answer(_request: Request, error: Exception) -> JSONResponse:
    """Answer a request that failed; the log has the error itself."""
    return JSONResponse({"detail": public_message(error)}, 500)


def user_from(header: str | None) -> Any:
    """Return a dependency that gives the user of a request; None where nobody signs in."""

    def user(request: Request) -> str | None:
        if header is None:
            return None
        names = request.headers.getlist(header)
        if len(names) != 1 or not names[0]:  # of two, one may be the browser's own
            raise HTTPException(401, "sign in first")
        return names[0]

    return Depends(user)


def check_origin(request: Request) -> None:
    """Refuse requests that pages of other sites let a browser send."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is None:  # an older browser; a proxy may pass another host on, which Origin does not have
        is_own = origin is None or origin.partition("://")[2] == request.headers.get("host")
    else:
        is_own = site in ("same-origin", "none")
    if not is_own:
        raise HTTPException(403, "this request came from another site")


def add_submissions(app: FastAPI, folder: SlideFolder, user: Any) -> None:
    @app.get("/slides")
    async def list_slides(_user: str | None = user) -> list[dict[str, str]]:
        return [{"name": name, "problem": await folder.problem(name)} for name in await folder.names()]

    @app.post("/submissions", status_code=202, dependencies=[Depends(check_origin)])
    async def submit(
        names: Annotated[list[str], Body(embed=True)], user: str | None = user
    ) -> dict[str, str]:
        if not names or not set(await folder.names()).issuperset(names):
            raise HTTPException(422, "choose among the slides that there are")
        if app.state.submissions.is_full:
            raise HTTPException(429, "too many submissions are under way; try again later")
        submission = await app.state.submissions.start(names, owner=user)
        return {"submission": submission.id}


def add_feed(app: FastAPI, feed: EventFeed, supervisor: Supervisor, user: Any) -> None:
    @app.get("/health")
    async def health() -> JSONResponse:
        trouble = supervisor.trouble
        status = "failing" if trouble else "ok"
        return JSONResponse({"status": status, "reason": trouble}, 503 if trouble else 200)

    @app.get("/ready")
    async def ready() -> JSONResponse:
        return JSONResponse({"ready": supervisor.is_ready}, 200 if supervisor.is_ready else 503)

    @app.get("/state")
    async def state(after: int = 0, user: str | None = user) -> list[dict[str, Any]]:
        return feed.events(after, user)

    @app.get("/events")
    async def events(
        after: str = "", last_event_id: Annotated[str, Header()] = "", user: str | None = user
    ) -> StreamingResponse:
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        stream = feed.stream(last_event_id or after, user)
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


def add_pictures(app: FastAPI, data: Path, feed: EventFeed, user: Any) -> None:
    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        return PAGE.read_text(encoding="utf-8")

    @app.get("/pictures/{run_id}/{path:path}")
    def picture(run_id: str, path: str, user: str | None = user) -> FileResponse:
        try:
            folder, file = (data / run_id).resolve(), (data / run_id / path).resolve()
            is_of_run = folder.parent == data.resolve() and file.is_relative_to(folder)
            is_picture = is_of_run and file.suffix == ".png" and file.is_file()
        except (OSError, ValueError):  # a name that no file can have
            is_picture = False
        if not (is_picture and feed.is_visible(run_id, user)):
            raise HTTPException(404)
        return FileResponse(file)


class Server(uvicorn.Server):
    """A server that can fail, and ends the streams of its pages when it stops."""

    def __init__(self, app: FastAPI) -> None:
        super().__init__(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=5))
        self._feed: EventFeed = app.state.feed
        self.failure: Exception | None = None

    def fail(self, error: Exception) -> None:
        """Stop, since the service can't go on."""
        self.failure, self.should_exit = error, True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, after a signal or a failure."""
        self._feed.close()
        await super().shutdown(sockets)


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
        on_failure=lambda error: server.fail(error),  # noqa: PLW0108 - it is made below
    )
    listener = socket.create_server(("127.0.0.1", arguments.port))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    server = Server(app)
    asyncio.run(server.serve(sockets=[listener]))
    if server.failure is not None:
        print(f"error: {server.failure}", file=sys.stderr)
    return 0 if server.started and server.failure is None else 1


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
