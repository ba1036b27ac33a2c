"""Cancel each call after the k-th step of the event loop: nothing is left, and the same call succeeds.

A step is one turn of the loop, so a sweep over all of them meets every place where a call can be cancelled.
The normal suite draws some steps with a fixed seed; `make test-slow` takes them all.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, suppress
from pathlib import Path
from typing import Any

import pytest
from attrs import define
from bystanders import bystanders
from hostile_server import Hostile, hostile
from running_jobs import RATE, SETTINGS, JobHarness
from starlette.responses import StreamingResponse
from support import artifact, pretend, result

from aignostics_async import Client, Item, Slide
from aignostics_async.bulk import JobObserver, JobStatus
from aignostics_async.emulator.process import Emulator

BODY = random.Random("body").randbytes(300_000)
SAMPLE = 6
FEWER = {"run_job": 1, "submit": 3}  # each costs a second, or a half
STREAM_SAMPLE = 2  # they are other calls inside of something
_BOUND = 10.0  # seconds; what is left after that stays


class SteppingLoop(asyncio.SelectorEventLoop):
    """Counts its turns while there is a task to cancel, and cancels it at one of them."""

    victim: asyncio.Task[Any] | None = None
    steps = 0
    cancel_at: int | None = None

    def _run_once(self) -> None:
        if self.victim is not None and not self.victim.done():
            self.steps += 1
            if self.steps == self.cancel_at:
                self.victim.cancel()
        super()._run_once()  # type: ignore[misc]


@define
class Setting:
    """What the calls need: a platform, a storage with one body, a slide, and an empty folder."""

    emulator: Emulator
    place: Hostile
    slide: Path
    folder: Path
    run_id: str = ""

    def prepare(self, *, has_run: bool) -> None:
        if has_run:
            outputs = [artifact(str(number), self.place.url, BODY) for number in range(3)]
            self.run_id = pretend(self.emulator, result("a", *outputs), result("b", *outputs))
        else:
            self.emulator.set_faults()


Call = Callable[[Client, Setting], Awaitable[object]]
Progress = Callable[[Any], None]
CallWithProgress = Callable[[Client, Setting, Progress], Awaitable[object]]


async def enter(_client: Client, setting: Setting) -> object:
    async with setting.emulator.client() as client:
        return client


async def list_runs(client: Client, _setting: Setting) -> object:
    return [application async for application in client.applications.list()], [
        run async for run in client.runs.list()
    ]


async def submit(client: Client, setting: Setting) -> object:
    items = [Item(name, slide=Slide(setting.slide)) for name in "ab"]
    return await client.runs.submit("he-tme:v1.1.0", items, store=setting.emulator.store_url)


async def watch(client: Client, setting: Setting) -> object:
    return [change async for change in client.run(setting.run_id).watch()]


async def wait(client: Client, setting: Setting) -> object:
    return await client.run(setting.run_id).wait()


async def put(client: Client, setting: Setting) -> object:
    return await client.store(setting.emulator.store_url).put("key", setting.slide)


async def download(client: Client, setting: Setting) -> object:
    report = await client.run(setting.run_id).download(setting.folder)
    report.raise_for_failures()
    return report


async def download_as_completed(client: Client, setting: Setting) -> object:
    async with client.download_as_completed([setting.run_id], setting.folder) as items:
        done = [item async for item in items]
    assert len(done) == 2
    assert all(file.is_verified for item in done for file in item.files)
    return done


async def changes(client: Client, setting: Setting) -> AsyncGenerator[str, None]:
    """Yield the changes of a run as a service writes them."""
    async for change in client.run(setting.run_id).watch():
        yield f"data: {change.new}\n\n"


async def generate(client: Client, setting: Setting) -> object:
    """Watch in an async generator that is left in its midst."""
    async with aclosing(changes(client, setting)) as generator:
        return await anext(generator)


async def generate_completed(client: Client, setting: Setting) -> object:
    """Download in an async generator that another task closes."""

    async def completed() -> AsyncGenerator[object, None]:
        async with client.download_as_completed([setting.run_id], setting.folder) as items:
            async for done in items:
                yield done

    generator = completed()
    try:
        return await anext(generator)
    finally:
        await asyncio.shield(asyncio.ensure_future(generator.aclose()))


async def fixture(client: Client, setting: Setting) -> object:
    """Enter in a task, use in another and leave in a third, as plugins of pytest do with fixtures."""
    stack = AsyncExitStack()
    entering = stack.enter_async_context(client.download_as_completed([setting.run_id], setting.folder))
    try:
        items = await asyncio.create_task(entering)
        return [done async for done in items]
    finally:
        await asyncio.shield(asyncio.ensure_future(stack.aclose()))


async def wait_shortly(client: Client, setting: Setting) -> object:
    """Wait for changes for less than an answer takes, until there is one."""
    watcher = client.run(setting.run_id).watch()
    for _ in range(10_000):
        with suppress(TimeoutError):
            return await asyncio.wait_for(anext(watcher), 0.002)
    raise AssertionError("it gets nowhere")


async def stream(client: Client, setting: Setting) -> object:
    """Answer a request of a browser with a stream of changes."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    response = StreamingResponse(changes(client, setting), media_type="text/event-stream")
    await response({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)
    assert len(sent) > 2
    return sent


def job_harness(client: Client, setting: Setting) -> JobHarness:
    folder = setting.folder / "lab"
    return JobHarness(emulator=setting.emulator, client=client, folder=folder, slide=setting.slide)


async def run_job(client: Client, setting: Setting) -> object:
    """Open a job and run it; each slide is billed once, however often that is begun."""
    return await run_job_with(client, setting, lambda _event: None)


async def run_job_with(client: Client, setting: Setting, progress: Progress) -> object:
    harness = job_harness(client, setting)
    assert JobObserver(harness.job).holder() is None
    async with harness.opened() as job:
        summary = await job.run(client, listener=progress, progress=progress)
    assert summary.status is JobStatus.DONE
    harness.assert_each_has_one_run(*JOB)
    return summary


async def prepare_job(client: Client, setting: Setting) -> None:
    """Make the job that is run; the emulator and the state folder know nothing of the one before."""
    setting.emulator.reset(clock_rate=RATE, url_lifetime=10**6)
    harness = job_harness(client, setting)
    harness.folder.mkdir()
    await harness.make(*JOB, chunk_size=1)


JOB = ("a", "b")
STREAMS: list[Call] = [generate, generate_completed, fixture, wait_shortly, stream]
CALLS: list[Call] = [
    enter, list_runs, submit, watch, wait, put, download, download_as_completed, run_job, *STREAMS
]  # fmt: skip
OF_A_RUN = (watch, wait, download, download_as_completed, *STREAMS)


@pytest.fixture
def setting(
    emulator: Emulator, slide_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Setting]:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    (tmp_path / "results").mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "results" / "state"))
    with hostile(BODY) as place:
        yield Setting(emulator, place, slide_file, tmp_path / "results")
    assert list(scratch.iterdir()) == []


def open_files() -> list[str]:
    return sorted(entry.name for entry in Path("/proc/self/fd").iterdir())


def eventually(condition: Callable[[], bool], what: Callable[[], object]) -> None:
    end = time.monotonic() + _BOUND
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.002)


async def settles(condition: Callable[[], bool], what: Callable[[], object]) -> None:
    end = time.monotonic() + _BOUND
    while not condition():
        assert time.monotonic() < end, what()
        await asyncio.sleep(0.002)


async def begin_anew(call: object, client: Client, setting: Setting) -> None:
    """Leave nothing of the call before."""
    shutil.rmtree(setting.folder)
    setting.folder.mkdir()
    if call in (run_job, run_job_with):
        await prepare_job(client, setting)


async def cancelled_at(call: Call, setting: Setting) -> None:
    """Make a call, cancelled as the loop says, and then once more."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SteppingLoop)
    async with setting.emulator.client(SETTINGS) as client:
        await begin_anew(call, client, setting)
        before = asyncio.all_tasks()
        loop.victim = asyncio.create_task(call(client, setting))  # type: ignore[arg-type]
        try:
            await loop.victim
        except asyncio.CancelledError:
            assert loop.cancel_at is not None
        engine = client._session.engine
        await settles(lambda: not engine._threads._calls, lambda: "a thread is at work")
        await settles(lambda: not asyncio.all_tasks() - before, asyncio.all_tasks)
        for lane in (engine._connection_calls, engine._file_calls):
            assert (lane.at_work, len(lane.waiting)) == (0, 0)
        assert engine.parts == set()
        left = [path for path in setting.folder.rglob("*") if path.name.startswith(".")]
        assert left == []
        await call(client, setting)


def sweep_step(call: Call, setting: Setting, step: int | None) -> int:
    """Cancel a call at one step, check what is left, and return how many steps were made."""
    threads, files = set(threading.enumerate()), open_files()
    with asyncio.Runner(loop_factory=SteppingLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, SteppingLoop)
        loop.cancel_at = step
        runner.run(cancelled_at(call, setting))
        steps = loop.steps
    eventually(lambda: not set(threading.enumerate()) - threads, threading.enumerate)
    eventually(lambda: len(open_files()) <= len(files), lambda: (files, open_files()))
    return steps


MOST = {"run_job": 100, "submit": 200}
"""The most steps that `make test-slow` takes: a whole job has a thousand."""


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_a_sample_of_steps(call: Call, setting: Setting) -> None:
    setting.prepare(has_run=call in OF_A_RUN)
    steps = sweep_step(call, setting, None)
    wanted = STREAM_SAMPLE if call in STREAMS else FEWER.get(call.__name__, SAMPLE)
    for step in random.Random(call.__name__).sample(range(1, steps + 1), min(steps, wanted)):
        sweep_step(call, setting, step)


@pytest.mark.slow
@pytest.mark.timeout(5400)
@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_every_step(call: Call, setting: Setting) -> None:
    setting.prepare(has_run=call in OF_A_RUN)
    steps = sweep_step(call, setting, None)
    wanted = min(steps, MOST.get(call.__name__, steps))
    for step in random.Random(call.__name__).sample(range(1, steps + 1), wanted):
        sweep_step(call, setting, step)


# Callbacks that raise


class Stop(Exception):
    """What a callback raises."""


async def download_with(client: Client, setting: Setting, progress: Progress) -> object:
    report = await client.run(setting.run_id).download(setting.folder, progress=progress)
    report.raise_for_failures()
    return report


async def complete_with(client: Client, setting: Setting, progress: Progress) -> object:
    async with client.download_as_completed([setting.run_id], setting.folder, progress=progress) as items:
        return [item async for item in items]


async def put_with(client: Client, setting: Setting, progress: Progress) -> object:
    return await client.store(setting.emulator.store_url).put("key", setting.slide, progress=progress)


async def submit_with(client: Client, setting: Setting, progress: Progress) -> object:
    items = [Item(name, slide=Slide(setting.slide)) for name in "ab"]
    store = setting.emulator.store_url
    return await client.runs.submit("he-tme:v1.1.0", items, store=store, progress=progress)


CALLS_WITH_PROGRESS = [download_with, complete_with, put_with, submit_with]


@pytest.mark.sampled(test=2)
@pytest.mark.parametrize("call", CALLS_WITH_PROGRESS, ids=lambda call: call.__name__)
async def test_a_callback_that_raises_at_any_event(
    call: CallWithProgress, setting: Setting, tmp_path: Path
) -> None:
    """Files and a database that are opened afterwards stay as they are, and the same call succeeds."""
    setting.prepare(has_run=call in (download_with, complete_with))
    async with setting.emulator.client(SETTINGS) as client:
        for number in range(await count_events(call, client, setting)):
            await raise_at(number, call, client, setting, tmp_path)


async def test_a_callback_of_a_job_that_raises_at_some_event(setting: Setting, tmp_path: Path) -> None:
    async with setting.emulator.client(SETTINGS) as client:
        events = range(await count_events(run_job_with, client, setting))
        for number in random.Random("job").sample(events, 2):
            await raise_at(number, run_job_with, client, setting, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_a_callback_of_a_job_that_raises_at_any_event(setting: Setting, tmp_path: Path) -> None:
    async with setting.emulator.client(SETTINGS) as client:
        for number in range(await count_events(run_job_with, client, setting)):
            await raise_at(number, run_job_with, client, setting, tmp_path)


async def count_events(call: CallWithProgress, client: Client, setting: Setting) -> int:
    events: list[object] = []
    await begin_anew(call, client, setting)
    await call(client, setting, events.append)
    return len(events)


async def raise_at(
    number: int, call: CallWithProgress, client: Client, setting: Setting, scratch: Path
) -> None:
    """Raise at one event, check what is left, and make the call once more."""
    await begin_anew(call, client, setting)
    callback = RaisingAt(number)
    try:
        await call(client, setting, callback)
    except Stop:
        pass
    else:
        assert callback.calls <= number  # how often a job waits depends on the machine
    with bystanders(scratch / f"bystanders {number}"):
        assert not client._session.engine._threads._calls
        assert [path for path in setting.folder.rglob("*") if path.name.startswith(".")] == []
        await call(client, setting, lambda _event: None)


@define
class RaisingAt:
    """A callback that raises at one event, and counts on."""

    number: int
    calls: int = 0

    def __call__(self, _event: object) -> None:
        self.calls += 1
        if self.calls == self.number + 1:
            raise Stop
