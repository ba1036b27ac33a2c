"""Work that has to go on: repeated with growing waits, or ended when it can't."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import anyio
import pytest
from attrs import define, field

from aignostics_async import ConnectionFailed, LoginRequired, ServerError, TooManyRequests, UsageError
from aignostics_async._core._clock import Clock
from aignostics_async.services import Supervisor

Succeeded = Callable[[], None]


@define
class RecordingClock(Clock):
    """A clock that records how long somebody wanted to sleep, and does not."""

    slept: list[float] = field(factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await anyio.lowlevel.checkpoint()


def supervisor(troubles: list[str] | None = None) -> tuple[Supervisor, RecordingClock]:
    made = Supervisor(on_trouble=(troubles if troubles is not None else []).append)
    made._clock = clock = RecordingClock()
    return made, clock


def failure(status: int = 503) -> ServerError:
    return ServerError(status, method="GET", path="/api/v1/runs")


class EndOfTest(Exception):
    """What ends a work that would go on for ever."""


async def test_transient_failures_are_tried_again_after_growing_waits() -> None:
    made, clock = supervisor()
    calls = 0

    async def work(succeeded: Succeeded) -> None:
        nonlocal calls
        calls += 1
        if calls == 12:
            raise EndOfTest
        if calls == 10:
            succeeded()
        raise failure()

    with pytest.raises(EndOfTest):
        await made.run(work)
    longest = [1, 2, 4, 8, 16, 32, 60, 60, 60, 1, 2]
    assert all(0.75 * most <= slept <= most for slept, most in zip(clock.slept, longest, strict=True))


async def test_a_work_that_ends_is_called_again() -> None:
    made, clock = supervisor()

    async def work(succeeded: Succeeded) -> None:
        succeeded()
        if len(clock.slept) == 3:
            raise EndOfTest

    with pytest.raises(EndOfTest):
        await made.run(work)
    assert len(clock.slept) == 3


@pytest.mark.parametrize(("told", "expected"), [(30.0, 30.0), (86_400.0, 600.0)])
async def test_retry_after_is_honoured_within_reason(told: float, expected: float) -> None:
    made, clock = supervisor()

    async def work(_succeeded: Succeeded) -> None:
        if clock.slept:
            raise EndOfTest
        raise TooManyRequests(429, method="GET", path="/", retry_after=told)

    with pytest.raises(EndOfTest):
        await made.run(work)
    assert clock.slept == [expected]


@pytest.mark.parametrize("error", [LoginRequired("sign in"), ValueError("a bug")])
async def test_what_can_t_pass_ends_all_work_and_is_raised(error: Exception) -> None:
    made, clock = supervisor()
    cancelled = asyncio.Event()

    async def other(succeeded: Succeeded) -> None:
        succeeded()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def work(succeeded: Succeeded) -> None:
        succeeded()
        await asyncio.sleep(0)
        raise error

    with pytest.raises(type(error)) as raised:
        await made.run(other, work)
    assert raised.value is error
    assert cancelled.is_set()
    assert made.trouble == f"{type(error).__name__}; the service's log has more"
    assert not made.is_ready
    assert clock.slept == []


async def test_it_tells_what_is_behind_and_when_all_is_well() -> None:
    troubles: list[str] = []
    made, _ = supervisor(troubles)
    states = [(made.is_ready, made.trouble)]
    steps = iter([failure(), ConnectionFailed("no", method="GET", path="/", request_sent=False)])

    async def work(succeeded: Succeeded) -> None:
        for step in steps:
            raise step
        states.append((made.is_ready, made.trouble[:28]))
        succeeded()
        states.append((made.is_ready, made.trouble))
        raise EndOfTest

    with pytest.raises(EndOfTest):
        await made.run(work)
    assert [told.partition(";")[0] for told in troubles[:3]] == [
        "the platform answered 503",
        "the platform can't be reached",
        "",
    ]
    assert states == [(False, ""), (False, "the platform can't be reached"[:28]), (True, "")]


async def test_that_all_is_well_is_told_once_at_the_start() -> None:
    """Pages may still show the trouble of a process that has ended."""
    troubles: list[str] = []
    made, _ = supervisor(troubles)
    first = asyncio.Event()

    async def work(succeeded: Succeeded) -> None:
        succeeded()
        assert troubles == []
        first.set()
        await asyncio.Event().wait()

    async def other(succeeded: Succeeded) -> None:
        await first.wait()
        succeeded()
        succeeded()
        raise EndOfTest

    with pytest.raises(EndOfTest):
        await made.run(work, other)
    assert [bool(told) for told in troubles] == [False, True], "then the end"


async def test_two_works_in_the_same_trouble_tell_it_once() -> None:
    troubles: list[str] = []
    made, clock = supervisor(troubles)
    both = asyncio.Barrier(2)

    async def work(succeeded: Succeeded) -> None:
        await both.wait()
        if len(clock.slept) >= 2:
            succeeded()
            await both.wait()
            raise EndOfTest
        raise failure()

    with pytest.raises(EndOfTest):
        await made.run(work, work)
    assert [bool(told) for told in troubles[:2]] == [True, False]
    assert troubles[0].count("503") == 1


async def test_in_the_background_it_ends_with_the_block() -> None:
    made, _ = supervisor()
    failures: list[Exception] = []
    is_under_way, ended = asyncio.Event(), asyncio.Event()

    async def work(succeeded: Succeeded) -> None:
        is_under_way.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with made.in_background(work, on_failure=failures.append):
        await is_under_way.wait()
    assert ended.is_set()
    assert failures == []


async def test_a_failure_in_the_background_is_told() -> None:
    made, _ = supervisor()
    failed = asyncio.Queue[Exception]()

    async def work(succeeded: Succeeded) -> None:
        raise LoginRequired("sign in")

    async with made.in_background(work, on_failure=failed.put_nowait):
        assert isinstance(await failed.get(), LoginRequired)


async def test_a_work_that_waited_for_something_cancelled_ends_all_work() -> None:
    """A task group takes its CancelledError for one of its own: the others would go on without it."""
    made, _ = supervisor()
    failed = asyncio.Queue[Exception]()

    async def work(succeeded: Succeeded) -> None:
        succeeded()
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lost.cancel()
        await lost

    async with made.in_background(work, on_failure=failed.put_nowait):
        assert isinstance(await failed.get(), RuntimeError)
    assert not made.is_ready


async def test_what_on_failure_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    made, _ = supervisor()
    was_called = asyncio.Event()

    async def work(succeeded: Succeeded) -> None:
        raise LoginRequired("sign in")

    def fail(error: Exception) -> None:
        was_called.set()
        raise KeyError("a bug of the service")

    async with made.in_background(work, on_failure=fail):
        await was_called.wait()
    assert "a bug of the service" in caplog.text


async def test_async_callbacks_are_refused() -> None:
    async def callback(_told: object) -> None:
        raise AssertionError

    with pytest.raises(UsageError, match="plain function"):
        Supervisor(on_trouble=callback)
    with pytest.raises(UsageError, match="plain function"):
        async with supervisor()[0].in_background(on_failure=callback):
            raise AssertionError
