"""A thread that never begins its work is an error for whoever starts it, and never a wait without end."""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from aignostics_async import ConfigurationError
from aignostics_async._core._uncancellable import run_in_daemon_thread
from aignostics_async.bulk.database._writer import Writer
from aignostics_async.transfer._cancel_token import Cancelled
from aignostics_async.transfer._threads import Lane, WorkerThreads

End = Callable[[], None]


def _no_thread(*_: object) -> None:
    raise RuntimeError("can't start new thread")


@pytest.fixture(params=["the system gives none", "it ends before it began"])
def no_threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[End]:
    """Let no thread begin; gives what ends this."""
    trace = threading.gettrace()
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    if "system" in request.param:
        monkeypatch.setattr(threading.Thread, "start", _no_thread)
    else:
        threading.settrace(_no_thread)

    def end() -> None:
        monkeypatch.undo()
        threading.settrace(trace)

    yield end
    end()


async def test_a_call_without_a_thread_is_refused_and_leaves_nothing(no_threads: End) -> None:
    threads = WorkerThreads("test")
    begun: list[int] = []
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="no thread can be started for test"):
            threads.start(lambda: begun.append(1))
    no_threads()
    calls = [threads.start(threading.get_ident) for _ in range(3)]
    for call in calls:
        assert await call.wait()
        call.take()
    await threads.close(60)
    assert not begun, "a call that was refused is not made later"


async def test_work_that_nothing_interrupts_without_a_thread(no_threads: End) -> None:
    with pytest.raises(ConfigurationError, match="no thread can be started"):
        await run_in_daemon_thread(lambda: sys.maxsize)


def test_the_database_of_a_job_without_a_thread(no_threads: End) -> None:
    with pytest.raises(ConfigurationError, match="no thread can be started for aignostics job writer"):
        Writer(lambda: sqlite3.connect(":memory:")).start()


@pytest.mark.parametrize("is_over", [True, False], ids=["after its end", "before its end"])
async def test_the_result_of_a_call_that_is_left_is_released_once(is_over: bool) -> None:
    threads, released = WorkerThreads("test"), list[str]()
    has_begun, may_end = threading.Event(), threading.Event()

    def work() -> str:
        has_begun.set()
        may_end.wait(20)
        return "result"

    call = threads.start(work, release=released.append)
    assert has_begun.wait(20)
    if is_over:
        may_end.set()
        await call.join(20)
    call.abandon()
    may_end.set()
    await call.join(20)
    call.abandon()
    assert released == ["result"]
    await threads.close(20)


async def test_a_result_that_is_taken_is_not_released() -> None:
    threads, released = WorkerThreads("test"), list[str]()
    call = threads.start(lambda: "result", release=released.append)
    await call.join(20)
    assert call.take() == "result"
    call.abandon()
    assert released == []
    await threads.close(20)


async def test_the_calls_of_a_lane_take_turns() -> None:
    threads, lane = WorkerThreads("test"), Lane(1)
    may_end, ran = threading.Event(), list[str]()
    hanging = threads.start(lambda: may_end.wait(60), lane=lane)
    left, second, last = (threads.start(partial(ran.append, name), lane=lane) for name in ("left", "b", "c"))
    threads.abandon(left)
    assert left.is_done, "it was not begun, so nobody waits for its end"
    assert not lane.has_room
    threads.vacate(hanging)
    await second.join(20)
    await last.join(20)
    assert ran == ["b", "c"]
    may_end.set()
    await threads.close(20)
    assert (lane.at_work, len(lane.waiting)) == (0, 0)


@pytest.mark.parametrize("end", ["limit", "close"])
async def test_a_call_waits_for_its_turn_until_there_is_room_or_its_threads_end(end: str) -> None:
    threads, lane, may_end = WorkerThreads("test"), Lane(1), threading.Event()
    hanging = threads.start(lambda: may_end.wait(60), lane=lane)
    waiting = threads.start(lambda: "result", lane=lane)
    if end == "limit":
        threads.set_limit(lane, 2)
        await waiting.join(20)
        assert waiting.take() == "result"
    else:
        await threads.close(0)
        with pytest.raises(Cancelled):
            waiting.take()
    assert not hanging.is_done
    may_end.set()
    await threads.close(20)
